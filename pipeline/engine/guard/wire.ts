import type { Advice, Tripwires } from './trip.ts'

export interface WireOptions {
  /** How messages call it. */
  readonly path: string
  readonly advice: Advice
  /** What stands behind it: loaded when it is looked into, or never. */
  readonly load: () => unknown
  /** What `typeof` says. */
  readonly type: 'function' | 'object'
  /** What it lets through while armed, by the name of the property. */
  readonly allowed?: Readonly<Record<string, unknown>>
}

/** Wires are proxies over everything below them; whoever walks the built-in objects has to stop at one. */
export const isWire = (value: object): boolean => loads.has(value)

const loads = new WeakMap<object, () => unknown>()

/**
 * A stand-in for a function, class, object or module, and for everything that is reached through it. Looking at it is
 * free (`typeof`, `instanceof`, `extends`, destructuring: packages probe their surroundings without using them). Calling
 * it, constructing it, or reading a plain fact from it trips while armed, and does what it always did while not.
 */
export function wire(wires: Tripwires, { path, advice, load, type, allowed = {} }: WireOptions): object {
  const children = new Map<PropertyKey, { readonly real: object; readonly proxy: object }>()
  const real = () => load() as object
  const pathOf = (key: PropertyKey) => `${path}.${String(key)}`
  // The proxy stands over an empty shell: the invariants of proxies would force frozen values through otherwise.
  // It is a declared function because an arrow cannot be constructed, and a class has a prototype that is fixed.
  function Shell() {}
  const shell = type === 'function' ? Shell : {}

  const child = (key: PropertyKey, value: object): object => {
    if (isWire(value)) return value
    const known = children.get(key)
    if (known?.real === value) return known.proxy
    const below = wire(wires, { path: pathOf(key), advice, load: () => value, type: typeOf(value) })
    children.set(key, { real: value, proxy: below })
    return below
  }
  const guard = (call: string) => {
    if (wires.armed) wires.trip(call, advice)
  }

  const proxy: object = new Proxy(shell, {
    get(_, key) {
      if (Object.hasOwn(allowed, key)) return allowed[key as string]
      const value = unarmed(wires, () => Reflect.get(real(), key))
      if (type === 'function' && (key === 'prototype' || key === 'name' || key === 'length')) return value
      if (typeof key === 'symbol') return value
      if (isObject(value)) return child(key, value)
      if (value !== undefined) guard(pathOf(key))
      return value
    },
    set(_, key, value) {
      guard(`${pathOf(key)} =`)
      return Reflect.set(real(), key, value)
    },
    has: (_, key) => Reflect.has(real(), key),
    deleteProperty(_, key) {
      guard(`delete ${pathOf(key)}`)
      return Reflect.deleteProperty(real(), key)
    },
    defineProperty(_, key, descriptor) {
      guard(`${pathOf(key)} =`)
      return Reflect.defineProperty(real(), key, descriptor)
    },
    ownKeys() {
      guard(`Object.keys(${path})`)
      return [...new Set([...Reflect.ownKeys(real()), ...Reflect.ownKeys(shell)])]
    },
    getOwnPropertyDescriptor(_, key) {
      const own = Reflect.getOwnPropertyDescriptor(shell, key)
      if (own !== undefined && !own.configurable) return own
      guard(pathOf(key))
      const found = Reflect.getOwnPropertyDescriptor(real(), key)
      return found === undefined ? undefined : { ...found, configurable: true }
    },
    getPrototypeOf: () => Reflect.getPrototypeOf(real()),
    setPrototypeOf() {
      guard(`Object.setPrototypeOf(${path})`)
      return false
    },
    preventExtensions() {
      guard(`Object.freeze(${path})`)
      return false
    },
    apply(_, self, args) {
      guard(`${path}()`)
      // A method called through its owner's stand-in needs the owner.
      return Reflect.apply(real() as () => unknown, loads.get(self as object)?.() ?? self, args)
    },
    construct(_, args, target) {
      guard(`new ${path}()`)
      const maker = real() as new () => object
      return Reflect.construct(maker, args, (target as unknown) === proxy ? maker : target)
    },
  })
  loads.set(proxy, load)
  return proxy
}

/** Looks behind a wire without setting off those that lie deeper. */
export function unarmed<T>(wires: Tripwires, look: () => T): T {
  const { armed } = wires
  wires.armed = false
  try {
    return look()
  } finally {
    wires.armed = armed
  }
}

export const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

export const typeOf = (value: object): 'function' | 'object' => (typeof value === 'function' ? 'function' : 'object')
