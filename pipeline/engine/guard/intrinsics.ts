import { EventEmitter } from 'node:events'
import { isObject, isWire } from './wire.ts'

/**
 * Built-in objects outlive a node, and code of several authors meets in one: a strategy within the backtest, which holds the
 * future of the market. So nobody adds a property to what absent properties are looked up in, `Object.prototype` before all,
 * and nobody replaces a method that runs with other people's lists, maps, typed arrays or bytes as `this`. Nearly all objects
 * are frozen. A few are only sealed, and most of their values stay writable, because assigning `error.name` or `o.toString`
 * would throw if the inherited one were read-only. Prototypes of typed arrays are sealed with read-only values, because every
 * access to an element is 28 times slower in Node 20 once they are frozen. `RegExp.prototype` is left open, because V8 is 15
 * times slower once its shape changes, and its methods see texts only. What is not frozen is compared after every run, which
 * costs some microseconds: who changed it has failed. The guard's benchmark looks out for such cliffs.
 */
export interface Intrinsics {
  /** Makes `constructor` of typed arrays read-only, by which `subarray` may hand a list of the engine's to somebody else's
   *  class. For good, and not before it is needed: V8 then looks for that class at every `slice` and `subarray`, which take
   *  twice their time. */
  lockSpecies(): void
  /** Puts back methods that the task replaced, on which the engine's own work in the middle of a run relies. */
  repair(): void
  /** Puts back everything, and takes away what the task added. */
  restore(): Restored
}

export interface Restored {
  /** False if something could not be put back: the thread must not be used again. */
  readonly sound: boolean
  /** The first shared property that was found changed since the last time, by `repair` or now: `RegExp.prototype.exec`. */
  readonly changed: string | undefined
}

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object

/** Of these nothing can be added or deleted. Values that are writable stay so. */
const sealedObjects: ReadonlyMap<object, string> = new Map<object, string>([
  [Object.prototype, 'Object.prototype'],
  [Function.prototype, 'Function.prototype'],
  [typedArrayPrototype, 'TypedArray.prototype'],
  [Promise.prototype, 'Promise.prototype'],
  [EventEmitter.prototype, 'EventEmitter.prototype'],
  [EventTarget.prototype, 'EventTarget.prototype'],
  [Event.prototype, 'Event.prototype'],
  // Tools that format stacks assign to the class itself.
  [Error, 'Error'],
  ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map(
    ({ name, prototype }): [object, string] => [prototype as object, `${name}.prototype`],
  ),
])

/** Sealed as well, and read-only; `constructor` only from `lockSpecies` on. */
const readOnlyObjects: ReadonlyMap<object, string> = new Map<object, string>([
  [Buffer.prototype, 'Buffer.prototype'],
  [typedArrayPrototype, 'TypedArray.prototype'],
  ...typedArrays().map(({ name, prototype }): [object, string] => [prototype as object, `${name}.prototype`]),
])

/** Methods that run with other people's objects as an argument; the rest of functions' properties may be overridden. */
const readOnlyOfFunctions = ['call', 'apply', 'bind']

/** Those that this Node has. */
function typedArrays(): readonly { readonly name: string; readonly prototype: unknown }[] {
  const base: unknown = Object.getPrototypeOf(Uint8Array)
  const found = Object.getOwnPropertyNames(globalThis).filter((name) => /^(Ui|I|F|Big).*Array$/.test(name))
  return found
    .map(
      (name) => (globalThis as Record<string, unknown>)[name] as { readonly name: string; readonly prototype: unknown },
    )
    .filter((maker) => Object.getPrototypeOf(maker) === base)
}

const openPrototype = RegExp.prototype

/** Locks every object that is reached from the globals or from `others`. Once per thread, after the wires are in. */
export function lockIntrinsics(others: readonly object[]): Intrinsics {
  // It has to exist before `Error` is sealed.
  Object.defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: true, configurable: true })
  const globals = lockGlobals()
  const reached = reachable([...globals.values, ...hiddenIntrinsics(), ...others])
  for (const name of readOnlyOfFunctions) Object.defineProperty(Function.prototype, name, { writable: false })
  for (const object of readOnlyObjects.keys()) {
    for (const [key, { writable }] of ownProperties(object)) {
      // apache-arrow has classes that derive from typed arrays, and assigns their own `toString`.
      const isOverridden = object === typedArrayPrototype && key === 'toString'
      if (writable && !isOverridden && key !== 'constructor') Object.defineProperty(object, key, { writable: false })
    }
    Object.seal(object)
  }
  for (const object of reached) {
    if (sealedObjects.has(object)) Object.seal(object)
    else if (object !== openPrototype && !readOnlyObjects.has(object) && !ArrayBuffer.isView(object)) {
      Object.freeze(object)
    }
  }
  const values = [
    ...new Map([...sealedObjects, ...readOnlyObjects]),
    [openPrototype, 'RegExp.prototype'] as const,
  ].flatMap(([object, path]) =>
    ownProperties(object)
      .filter(([, { writable }]) => writable)
      .map(([key, { value }]) => ({
        holder: object as Record<PropertyKey, unknown>,
        key,
        value: value as unknown,
        // The settings of the class are everybody's to set.
        path: object === Error ? undefined : pathOf(path, key),
      })),
  )
  const properties = ownProperties(openPrototype)
  let changed: string | undefined

  const repair = () => {
    let sound = true
    for (const { holder, key, value, path } of values) {
      if (holder[key] === value) continue
      changed ??= path
      sound = Reflect.set(holder, key, value) && sound
    }
    return sound
  }
  const lockSpecies = () => {
    for (const object of readOnlyObjects.keys()) {
      Object.defineProperty(object, 'constructor', { writable: false })
      lookUpFast(object)
    }
    for (let i = values.length - 1; i >= 0; i--) {
      const { holder, key } = values[i]!
      if (key === 'constructor' && readOnlyObjects.has(holder)) values.splice(i, 1)
    }
  }
  let isSpeciesLocked = false
  return {
    lockSpecies() {
      if (!isSpeciesLocked) lockSpecies()
      isSpeciesLocked = true
    },
    repair,
    restore() {
      // Before its values: putting one back by assignment would run a setter that stands in its place.
      const whole = restoreWhole(openPrototype, properties)
      if (whole.changed !== undefined) changed ??= pathOf('RegExp.prototype', whole.changed)
      let sound = whole.sound
      sound = repair() && sound
      sound = globals.restore() && sound
      // A task may have made read-only what has to stay writable, which cannot be undone.
      for (const { holder, key, path } of values) {
        if (Reflect.getOwnPropertyDescriptor(holder, key)!.writable) continue
        changed ??= path
        sound = false
      }
      resetSettings()
      const found = changed
      changed = undefined
      return { sound, changed: found }
    },
  }
}

/** V8 keeps an object whose properties were changed in a form that is slow to look things up in, until somebody takes it for
 *  a prototype: without this, `length` of a typed array would take ten times as long. */
const lookUpFast = (prototype: object): void => void Object.create(prototype)

const pathOf = (path: string, key: PropertyKey): string =>
  typeof key === 'symbol' ? `${path}[${key.description}]` : `${path}.${String(key)}`

/** State that hides behind accessors, where comparing values does not see it. */
function resetSettings(): void {
  // The pieces of the last match are kept in `RegExp.$1` and its like.
  ;/(?:)/.exec('')
  ;(RegExp as unknown as { input: string }).input = ''
  EventEmitter.defaultMaxListeners = 10
  EventEmitter.captureRejections = false
}

type Properties = readonly (readonly [PropertyKey, PropertyDescriptor])[]

const ownProperties = (object: object): Properties =>
  Reflect.ownKeys(object).map((key) => [key, Reflect.getOwnPropertyDescriptor(object, key)!])

/** The key that was found changed is told, and `__proto__` for another prototype. */
function restoreWhole(object: object, properties: Properties): { sound: boolean; changed: PropertyKey | undefined } {
  let sound = Object.isExtensible(object)
  let changed: PropertyKey | undefined
  if (Reflect.getPrototypeOf(object) !== Object.prototype) {
    changed = '__proto__'
    sound = Reflect.setPrototypeOf(object, Object.prototype) && sound
  }
  for (const [key, was] of properties) {
    const is = Reflect.getOwnPropertyDescriptor(object, key)
    const same =
      is !== undefined &&
      is.value === was.value &&
      is.get === was.get &&
      is.set === was.set &&
      is.writable === was.writable &&
      is.configurable === was.configurable
    if (same) continue
    changed ??= key
    sound = Reflect.defineProperty(object, key, was) && sound
  }
  const present = Reflect.ownKeys(object)
  if (present.length === properties.length) return { sound, changed }
  const known = new Set(properties.map(([key]) => key))
  for (const key of present) {
    if (known.has(key)) continue
    changed ??= key
    sound = Reflect.deleteProperty(object, key) && sound
  }
  return { sound, changed }
}

/** Fixes every global there is; those that a run adds are removed after it. (zod adds two, and finds them gone.) */
function lockGlobals(): { readonly values: readonly unknown[]; restore(): boolean } {
  const values: unknown[] = []
  for (const key of Reflect.ownKeys(globalThis)) {
    const { enumerable } = Reflect.getOwnPropertyDescriptor(globalThis, key)!
    // Reading loads the lazy ones: a lazy global could not be frozen before it is there.
    const value: unknown = Reflect.get(globalThis, key)
    Object.defineProperty(globalThis, key, { value, enumerable, writable: false, configurable: false })
    if (value !== globalThis) values.push(value)
  }
  const known = new Set(Reflect.ownKeys(globalThis))
  const prototype = Reflect.getPrototypeOf(globalThis)
  values.push(prototype)
  return {
    values,
    restore() {
      let sound = Object.isExtensible(globalThis)
      if (Reflect.getPrototypeOf(globalThis) !== prototype) {
        sound = Reflect.setPrototypeOf(globalThis, prototype) && sound
      }
      const present = Reflect.ownKeys(globalThis)
      if (present.length === known.size) return sound
      for (const key of present) if (!known.has(key)) sound = Reflect.deleteProperty(globalThis, key) && sound
      return sound
    },
  }
}

/** What only syntax leads to. */
const hiddenIntrinsics = (): readonly object[] =>
  [
    async () => {},
    function* () {},
    async function* () {},
    [][Symbol.iterator](),
    ''[Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    'a'.matchAll(/a/g),
    (function* () {})(),
    (async function* () {})(),
  ].map((value) => Object.getPrototypeOf(value) as object)

function reachable(roots: readonly unknown[]): Set<object> {
  const found = new Set<object>()
  const waiting: object[] = []
  const visit = (value: unknown) => {
    if (!isObject(value) || value === globalThis || isWire(value) || found.has(value)) return
    found.add(value)
    waiting.push(value)
  }
  for (const root of roots) visit(root)
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    visit(Reflect.getPrototypeOf(object))
    if (ArrayBuffer.isView(object)) continue
    for (const [, { value, get, set }] of ownProperties(object)) {
      visit(value)
      visit(get)
      visit(set)
    }
  }
  return found
}
