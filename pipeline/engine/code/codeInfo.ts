import { type Digest, digestOf } from '../../../cas/digest.ts'
import type { AnalysedModule, Use } from './canonicalModule.ts'
import type { LineMap } from './lineMap.ts'

/** What is known of a code object beside its identity: which source each part came from. It is kept for messages and
 *  enters no key. */
export interface CodeInfo {
  readonly format: typeof codeInfoFormat
  /** What the entry exports, as `<module id>#<symbol>`: the task itself comes first. */
  readonly roots: readonly string[]
  readonly modules: readonly ModuleInfo[]
  readonly packages: readonly { readonly name: string; readonly version: string; readonly tree: Digest }[]
}

export interface ModuleInfo {
  readonly id: string
  /** The source, relative to the project's folder, or `node_modules/<package>/…` for an installed one. */
  readonly file: string
  readonly version?: string
  readonly symbols: readonly SymbolInfo[]
  /** Absent for installed packages: their lines are close enough to what they ship. */
  readonly lines?: LineMap
}

export interface SymbolInfo {
  /** The declared name; `(top level)` for the statements that only do something. */
  readonly name: string
  readonly hash: string
  /** `<module id>#<symbol>` of what it refers to. */
  readonly uses: readonly string[]
}

export const codeInfoFormat = 'tickpipe-code-info-1'
export const topLevel = '(top level)'

/** The symbols of each module and what the entry exports, with references followed through exports to the
 *  declaration. */
export function symbolsOf(
  modules: ReadonlyMap<string, AnalysedModule>,
  entry: string,
): { readonly symbols: ReadonlyMap<string, SymbolInfo[]>; readonly roots: readonly string[] } {
  const declared = new Map<string, Map<string, Use>>()
  for (const [id, { exports }] of modules) {
    declared.set(id, new Map(exports.flatMap(({ name, uses }) => (uses[0] === undefined ? [] : [[name, uses[0]]]))))
  }
  const declaration = ({ id, name }: Use, from: string, depth = 0): string => {
    if (id === undefined) return `${from}#${name}`
    const through = depth < 20 ? declared.get(id)?.get(name) : undefined
    return through === undefined ? `${id}#${name}` : declaration(through, id, depth + 1)
  }
  const symbols = new Map(
    [...modules].map(([id, module]) => [id, moduleSymbols(module, (use) => declaration(use, id))]),
  )
  const exported = [...(declared.get(entry) ?? [])].sort(([a], [b]) => rank(a) - rank(b))
  return { symbols, roots: exported.map(([, use]) => declaration(use, entry)) }
}

const rank = (name: string) => (name === 'task' || name === 'value' ? 0 : 1)

function moduleSymbols({ statements, imports }: AnalysedModule, nameOf: (use: Use) => string): SymbolInfo[] {
  const symbols = statements
    .filter(({ names }) => names.length > 0)
    .map(({ names, code, uses }) => ({ name: names.join(', '), hash: shortHash(code.text), uses: uses.map(nameOf) }))
  const effects = statements.filter(({ names }) => names.length === 0)
  const bare = imports.filter(({ local }) => local === undefined)
  if (effects.length + bare.length > 0) {
    symbols.push({
      name: topLevel,
      hash: shortHash(effects.map(({ code }) => code.text).join('\n')),
      uses: [...effects.flatMap(({ uses }) => uses.map(nameOf)), ...bare.map(({ id }) => `${id}#${topLevel}`)],
    })
  }
  return symbols
}

const shortHash = (text: string) => digestOf(text).slice(0, 16)
