/** Where a value of the project is exported: how the code of a task in memory is found again. */
export interface Origin {
  readonly file: string
  readonly exportName: string
}

/** Bundled modules register what they export in a map of this name on globalThis: they cannot import this file, for
 *  then it would be part of what they are. */
const registryKey = 'tickpipe.origins'

/** The origin of a value that a module of the loaded project (or of tickpipe itself) exports. */
export function originOf(value: unknown): Origin | undefined {
  if (!canRegister(value)) return undefined
  const registry = (globalThis as Record<symbol, unknown>)[Symbol.for(registryKey)]
  return registry instanceof WeakMap ? (registry.get(value) as Origin | undefined) : undefined
}

/** From now on what modules register can be listed as well: for commands that describe a project by what it exports. Call
 *  it before the project is loaded; the list grows while it loads. */
export function keepOrigins(): readonly KeptOrigin[] {
  const registries = globalThis as Record<symbol, unknown>
  const before = registries[Symbol.for(registryKey)]
  if (before instanceof ListedOrigins) return before.kept
  const listed = new ListedOrigins(before instanceof WeakMap ? before : undefined)
  registries[Symbol.for(registryKey)] = listed
  return listed.kept
}

export interface KeptOrigin extends Origin {
  readonly value: object
}

class ListedOrigins extends WeakMap<object, Origin> {
  readonly kept: KeptOrigin[] = []
  readonly #before: WeakMap<object, Origin> | undefined

  constructor(before: WeakMap<object, Origin> | undefined) {
    super()
    this.#before = before
  }

  override has(value: object): boolean {
    return super.has(value) || this.#before?.has(value) === true
  }

  override get(value: object): Origin | undefined {
    return super.get(value) ?? this.#before?.get(value)
  }

  override set(value: object, origin: Origin): this {
    this.kept.push({ value, ...origin })
    return super.set(value, origin)
  }
}

const canRegister = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

/** The module record of rolldown's parser, as far as it is looked at. */
export interface ModuleRecord {
  readonly staticImports: readonly { readonly entries: readonly { readonly localName: { readonly value: string } }[] }[]
  readonly staticExports: readonly {
    readonly start: number
    readonly end: number
    readonly entries: readonly {
      readonly moduleRequest: unknown
      readonly isType: boolean
      readonly exportName: { readonly kind: string; readonly name: string | null; readonly end: number | null }
      readonly localName: { readonly name: string | null }
    }[]
  }[]
  readonly importMetas: readonly { readonly start: number; readonly end: number }[]
}

const defaultLocal = '__tickpipeDefault'

/** The module, and behind its last line statements that register its exports. Lines keep their numbers. What it only
 *  passes on from another module is left out: that one registers it. */
export function registerExports(code: string, file: string, record: ModuleRecord): string {
  const imported = new Set(
    record.staticImports.flatMap(({ entries }) => entries.map(({ localName }) => localName.value)),
  )
  const locals = new Map<string, string>()
  let text = code
  let extra = ''
  for (const { start, entries } of record.staticExports) {
    for (const { moduleRequest, isType, exportName, localName } of entries) {
      if (moduleRequest !== null || isType) continue
      const name = exportName.kind === 'Default' ? 'default' : exportName.name
      if (name === null) continue
      if (localName.name !== null) {
        if (!imported.has(localName.name)) locals.set(name, localName.name)
      } else if (exportName.end !== null) {
        // `export default <expression>` has no name to be registered by until it is given one. There is one at most.
        text = `${code.slice(0, start)}const ${defaultLocal} =${code.slice(exportName.end)}`
        extra = `\nexport { ${defaultLocal} as default };`
        locals.set(name, defaultLocal)
      }
    }
  }
  if (locals.size === 0) return text
  // `export { Name }` may mean an interface, of which nothing is left when the code runs.
  const list = [...locals].map(
    ([name, local]) => `[${JSON.stringify(name)}, typeof ${local} === "undefined" ? 0 : ${local}]`,
  )
  return `${text}${extra}\n;((origins, file, exported) => {
  for (const [exportName, value] of exported)
    if ((typeof value === "function" || (typeof value === "object" && value !== null)) && !origins.has(value))
      origins.set(value, { file, exportName });
})(globalThis[Symbol.for(${JSON.stringify(registryKey)})] ??= new WeakMap(), ${JSON.stringify(file)}, [${list.join(', ')}]);\n`
}
