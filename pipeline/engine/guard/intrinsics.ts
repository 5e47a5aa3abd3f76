import { EventEmitter } from 'node:events'
import { isObject, isWire } from './wire.ts'

/**
 * Built-in objects outlive a node, so whatever a node could change in them would be seen by the next one. Nearly all are
 * frozen. Prototypes that classes of packages derive from are only sealed and their values stay writable, because
 * assigning `error.name` would throw if `Error.prototype.name` were read-only. So are those of typed arrays, because every
 * access to an element is 28 times slower in Node 20 once they are frozen. The prototypes of a few classes are left open:
 * V8 takes slower paths once their shape changes (2.4 times slower for regular expressions, 1.5 times for arrays with
 * holes). What is not frozen is compared after every run and put back, which costs some ten microseconds. The guard's
 * benchmark looks out for such cliffs.
 */
export interface Intrinsics {
  /** Puts back methods that the task replaced, on which the engine's own work in the middle of a run relies. */
  repair(): void
  /** Puts back everything, and takes away what the task added. False if something could not be put back: the thread must
   *  not be used again. */
  restore(): boolean
}

const sealedObjects: readonly object[] = [
  Function.prototype,
  Promise.prototype,
  EventEmitter.prototype,
  EventTarget.prototype,
  Event.prototype,
  // Tools that format stacks assign to the class itself.
  Error,
  Buffer.prototype,
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  ...typedArrays().map(({ prototype }) => prototype as object),
  ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map(
    ({ prototype }) => prototype as object,
  ),
]

/** Those that this Node has. */
function typedArrays(): readonly { readonly prototype: unknown }[] {
  const base: unknown = Object.getPrototypeOf(Uint8Array)
  const found = Object.getOwnPropertyNames(globalThis).filter((name) => /^(Ui|I|F|Big).*Array$/.test(name))
  return found
    .map((name) => (globalThis as Record<string, unknown>)[name] as { readonly prototype: unknown })
    .filter((maker) => Object.getPrototypeOf(maker) === base)
}

const openPrototypes: readonly object[] = [
  Object.prototype,
  Array.prototype,
  RegExp.prototype,
  Map.prototype,
  Set.prototype,
  WeakMap.prototype,
  WeakSet.prototype,
]

/** Locks every object that is reached from the globals or from `others`. Once per thread, after the wires are in. */
export function lockIntrinsics(others: readonly object[]): Intrinsics {
  // It has to exist before `Error` is sealed.
  Object.defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: true, configurable: true })
  const globals = lockGlobals()
  const reached = reachable([...globals.values, ...hiddenIntrinsics(), ...others])
  for (const object of reached) {
    if (sealedObjects.includes(object)) Object.seal(object)
    else if (!openPrototypes.includes(object) && !ArrayBuffer.isView(object)) Object.freeze(object)
  }
  const values = [...sealedObjects, ...openPrototypes].flatMap((object) =>
    ownProperties(object)
      .filter(([, { writable }]) => writable)
      .map(([key, { value }]) => ({ holder: object as Record<PropertyKey, unknown>, key, value: value as unknown })),
  )
  const wholes = openPrototypes.map((object) => ({ object, properties: ownProperties(object) }))

  const repair = () => {
    let sound = true
    for (const { holder, key, value } of values) {
      if (holder[key] !== value) sound = Reflect.set(holder, key, value) && sound
    }
    return sound
  }
  return {
    repair,
    restore() {
      let sound = repair()
      sound = globals.restore() && sound
      for (const { object, properties } of wholes) sound = restoreWhole(object, properties) && sound
      // A task may have frozen what has to stay writable, which cannot be undone.
      for (const object of sealedObjects) if (Object.isFrozen(object)) sound = false
      resetSettings()
      return sound
    },
  }
}

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

function restoreWhole(object: object, properties: Properties): boolean {
  let sound = Object.isExtensible(object)
  for (const [key, was] of properties) {
    const is = Reflect.getOwnPropertyDescriptor(object, key)
    const same =
      is !== undefined &&
      is.value === was.value &&
      is.get === was.get &&
      is.set === was.set &&
      is.writable === was.writable &&
      is.configurable === was.configurable
    if (!same) sound = Reflect.defineProperty(object, key, was) && sound
  }
  const present = Reflect.ownKeys(object)
  if (present.length === properties.length) return sound
  const known = new Set(properties.map(([key]) => key))
  for (const key of present) if (!known.has(key)) sound = Reflect.deleteProperty(object, key) && sound
  return sound
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
  return {
    values,
    restore() {
      let sound = Object.isExtensible(globalThis)
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
