type Exports = Record<string, unknown>

/** Modules that nodes share, instead of each getting its own: those of zod, which make up nine tenths of what a small
 *  task's bundle would run again for every node. They keep two pieces of state, a registry and a config, which are put
 *  back before each node; everything else of them is frozen, so that no node can leave anything in it for the next. */
export class SharedModules {
  private readonly exports = new Map<string, Exports>()
  private config: { readonly live: object; readonly initial: readonly (readonly [string, unknown])[] } | undefined
  private registry: { clear(): unknown } | undefined
  private isSettled = false

  static holds(id: string): boolean {
    return id.startsWith('zod/')
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
    for (const exports of this.exports.values()) {
      for (const [name, value] of Object.entries(exports)) {
        if (name === 'globalConfig' && typeof value === 'object' && value !== null) {
          this.config = { live: value, initial: Object.entries(value) }
        } else if (name === 'globalRegistry') this.registry = value as { clear(): unknown }
        else freeze(value)
      }
      Object.freeze(exports)
    }
  }
}

function freeze(value: unknown): void {
  // A lazy value is an accessor that replaces itself when it is first read: it must be able to.
  const isLazy = (of: object): boolean =>
    Object.values(Object.getOwnPropertyDescriptors(of)).some(({ get }) => get !== undefined)
  if (typeof value === 'object' && value !== null && !isLazy(value)) Object.freeze(value)
  if (typeof value !== 'function') return
  Object.freeze(value)
  if (typeof value.prototype === 'object' && value.prototype !== null) Object.freeze(value.prototype)
}
