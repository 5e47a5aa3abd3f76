import { digestOf } from '../../../cas/digest.ts'
import type { AnalysedModule, Use } from './canonicalModule.ts'
import type { LineMap } from './lineMap.ts'

/** What is known of a code object beside its identity: which source each part came from. It is kept for messages and
 *  enters no key. */
export interface CodeInfo {
  readonly format: typeof codeInfoFormat
  /** The entry's module. */
  readonly entry: string
  readonly modules: readonly ModuleInfo[]
  readonly packages: readonly { readonly name: string; readonly version: string }[]
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

/** The symbols of each module, with references followed through exports to the declaration. */
export function symbolsOf(modules: ReadonlyMap<string, AnalysedModule>): Map<string, SymbolInfo[]> {
  const declared = new Map<string, Map<string, Use>>()
  for (const [id, { exports }] of modules) {
    declared.set(id, new Map(exports.flatMap(({ name, uses }) => (uses[0] === undefined ? [] : [[name, uses[0]]]))))
  }
  const declaration = ({ id, name }: Use, from: string, depth = 0): string => {
    if (id === undefined) return `${from}#${name}`
    const through = depth < 20 ? declared.get(id)?.get(name) : undefined
    return through === undefined ? `${id}#${name}` : declaration(through, id, depth + 1)
  }
  return new Map(
    [...modules].map(([id, { statements, imports }]) => {
      const symbols = statements
        .filter(({ names }) => names.length > 0)
        .map(({ names, code, uses }) => ({
          name: names.join(', '),
          hash: shortHash(code.text),
          uses: uses.map((use) => declaration(use, id)),
        }))
      const effects = statements.filter(({ names }) => names.length === 0)
      const bare = imports.filter(({ local }) => local === undefined)
      if (effects.length + bare.length > 0) {
        symbols.push({
          name: topLevel,
          hash: shortHash(effects.map(({ code }) => code.text).join('\n')),
          uses: [
            ...effects.flatMap(({ uses }) => uses.map((use) => declaration(use, id))),
            ...bare.map((entry) => `${entry.id}#${topLevel}`),
          ],
        })
      }
      return [id, symbols]
    }),
  )
}

const shortHash = (text: string) => digestOf(text).slice(0, 16)
