type Exports = Record<string, unknown>

/** Strategies are examples of what a user writes, and are held as a user's are. */
const isOfLib = /^tickpipe\/lib\/(?!strategies\/)/

/**
 * Modules that the nodes of one task share, instead of each getting its own.
 *
 * Those of zod make up nine tenths of what a small task's bundle would run again for every node. They keep two pieces of
 * state, a registry and a config, which are put back before each node.
 *
 * Those of tickpipe's own lib hold the kernels (CSV, Parquet, bars, features) that take half of a month's work to get fast
 * again when every node has its own. They keep no state that a result could depend on: a test reads them for it.
 *
 * Everything else of both is frozen, so that no node can leave anything in it for the next; where that is not possible yet
 * and a node did leave something, all of it is loaded afresh.
 */
export class SharedModules {
  private readonly exports = new Map<string, Exports>()
  private config: { readonly live: object; readonly initial: readonly (readonly [string, unknown])[] } | undefined
  private registry: { clear(): unknown } | undefined
  /** Prototypes that get their members, all of them accessors, when the first instance is made. */
  private bare: object[] = []
  private isSettled = false

  static holds(id: string): boolean {
    return id.startsWith('zod/') || isOfLib.test(id)
  }

  get(id: string): Exports | undefined {
    return this.exports.get(id)
  }

  add(id: string, exports: Exports): void {
    this.exports.set(id, exports)
  }

  /** Before a node: as if freshly loaded. */
  reset(): void {
    if (!this.isSettled) return
    const furnished = this.bare.filter((prototype) => Reflect.ownKeys(prototype).length > 1)
    if (furnished.some(holdsData)) {
      this.forget()
      return
    }
    if (furnished.length > 0) {
      for (const prototype of furnished) Object.freeze(prototype)
      this.bare = this.bare.filter((prototype) => !furnished.includes(prototype))
    }
    this.registry?.clear()
    if (this.config === undefined) return
    const { live, initial } = this.config
    for (const key of Reflect.ownKeys(live)) Reflect.deleteProperty(live, key)
    for (const [key, value] of initial) Reflect.set(live, key, value)
  }

  /** After the first node's modules are loaded: from here on they do not change. */
  settle(): void {
    if (this.isSettled || this.exports.size === 0) return
    this.isSettled = true
    for (const [id, exports] of this.exports) {
      for (const [name, value] of Object.entries(exports)) {
        if (name === 'globalConfig' && typeof value === 'object' && value !== null) {
          this.config = { live: value, initial: Object.entries(value) }
        } else if (name === 'globalRegistry') this.registry = value as { clear(): unknown }
        else this.freeze(value, isOfLib.test(id))
      }
      Object.freeze(exports)
    }
  }

  private freeze(value: unknown, isOurs: boolean): void {
    if (typeof value === 'object' && value !== null && isPlain(value) && !Object.isFrozen(value)) {
      Object.freeze(value)
      // What zod holds within is reached by its own exports, some of which are to stay as they are.
      if (isOurs) for (const inner of Object.values(value)) this.freeze(inner, isOurs)
    }
    if (typeof value !== 'function' || Object.isFrozen(value)) return
    Object.freeze(value)
    const prototype: unknown = value.prototype
    if (typeof prototype !== 'object' || prototype === null) return
    if (Reflect.ownKeys(prototype).length > 1) Object.freeze(prototype)
    else this.bare.push(prototype)
  }

  private forget(): void {
    this.exports.clear()
    this.bare = []
    this.config = undefined
    this.registry = undefined
    this.isSettled = false
  }
}

/** Whether it can be frozen with all it holds. A lazy value fills itself in when it is first read, and must be able to: an
 *  accessor that replaces itself, or an instance of a class of zod's own. */
const isPlain = (value: object): boolean =>
  Array.isArray(value) ||
  (Object.getPrototypeOf(value) === Object.prototype &&
    Object.values(Object.getOwnPropertyDescriptors(value)).every(({ get }) => get === undefined))

/** What zod puts into a prototype are accessors; a plain property was put there by somebody else. */
const holdsData = (prototype: object): boolean =>
  Reflect.ownKeys(prototype).some(
    (key) => key !== 'constructor' && 'value' in Reflect.getOwnPropertyDescriptor(prototype, key)!,
  )
