import { type CodeInfo, type ModuleInfo, type SymbolInfo, topLevel } from './codeInfo.ts'

/** One reason why two code objects of a task differ. */
export interface CodeChange {
  readonly file: string
  /** The declared name; for a package, its versions. */
  readonly symbol: string
  readonly change: 'added' | 'removed' | 'changed'
  /** How the task gets there: `file#symbol`, from the task to the place itself. */
  readonly chain: readonly string[]
}

/** What changed between two code objects, nearest to the task first. Of a package of which another version came, only
 *  that is said. Empty where nothing did but the form. */
export function explainCode(before: CodeInfo, after: CodeInfo): CodeChange[] {
  const [old, now] = [new Reach(before), new Reach(after)]
  const changes = laidOutPackages(before, after)
  const packages = new Map<string, CodeChange>()
  const add = (reach: Reach, key: string, change: CodeChange['change']) => {
    const { module, symbol } = reach.symbols.get(key)!
    const chain = reach.chainTo(key)
    const file = packageFile(module)
    const [was, is] = [old.versions.get(file ?? ''), now.versions.get(file ?? '')]
    if (file === undefined || was === undefined || is === undefined || was === is) {
      changes.push({ file: module.file, symbol: symbol.name, change, chain })
      return
    }
    // A chain of the later code is preferred, then the shortest: that is where the task uses the package.
    const known = packages.get(file)
    if (known !== undefined && (change === 'removed' || known.chain.length <= chain.length)) return
    packages.set(file, { file, symbol: `${was} → ${is}`, change: 'changed', chain })
  }
  for (const [key, { symbol }] of now.symbols) {
    const earlier = old.symbols.get(key)
    if (earlier?.symbol.hash !== symbol.hash) add(now, key, earlier === undefined ? 'added' : 'changed')
  }
  for (const key of old.symbols.keys()) if (!now.symbols.has(key)) add(old, key, 'removed')
  changes.push(...packages.values())
  return changes.sort((a, b) => rank(a) - rank(b) || compare(a.file, b.file) || compare(a.symbol, b.symbol))
}

/** What was written differently says more than what is reached for it or no more. */
const rank = ({ change, chain }: CodeChange) => (change === 'changed' ? 0 : 1000) + chain.length

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** The folder of an installed package, for a module of one. Our own parts are explained like the project's. */
function packageFile({ file, version }: ModuleInfo): string | undefined {
  if (version === undefined || file.startsWith('node_modules/tickpipe/')) return undefined
  return /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]
}

function laidOutPackages(before: CodeInfo, after: CodeInfo): CodeChange[] {
  const [old, now] = [before, after].map(({ packages }) => new Map(packages.map((entry) => [entry.name, entry])))
  const changes: CodeChange[] = []
  for (const name of new Set([...old!.keys(), ...now!.keys()])) {
    const [was, is] = [old!.get(name), now!.get(name)]
    if (was?.tree === is?.tree) continue
    const file = `node_modules/${name}`
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed'
    const versions = [...new Set([was?.version, is?.version])].filter((version) => version !== undefined)
    changes.push({ file, symbol: versions.join(' → '), change, chain: [file] })
  }
  return changes
}

/** What a task reaches, and by which way. */
class Reach {
  readonly symbols = new Map<string, { readonly module: ModuleInfo; readonly symbol: SymbolInfo }>()
  /** The version of each installed package, by its folder. */
  readonly versions = new Map<string, string>()
  readonly #cameFrom = new Map<string, string | undefined>()

  constructor(info: CodeInfo) {
    const keys = new Map<string, string>()
    const ofModule = new Map<string, string[]>()
    for (const module of info.modules) {
      const own = module.symbols.map((symbol) => ({ key: `${module.id}#${symbol.name}`, symbol }))
      ofModule.set(
        module.id,
        own.map(({ key }) => key),
      )
      for (const { key, symbol } of own) {
        this.symbols.set(key, { module, symbol })
        // One statement may declare several names.
        for (const name of symbol.name.split(', ')) keys.set(`${module.id}#${name}`, key)
      }
    }
    this.#walk(info.roots, (use) => {
      const id = use.slice(0, use.lastIndexOf('#'))
      const exact = keys.get(use)
      if (exact !== undefined) return [exact, `${id}#${topLevel}`].filter((key) => this.symbols.has(key))
      return ofModule.get(id) ?? [] // all of a module, or a name that only the module itself knows
    })
    for (const module of info.modules) {
      const file = packageFile(module)
      if (file !== undefined) this.versions.set(file, module.version!)
    }
  }

  chainTo(key: string): string[] {
    const chain: string[] = []
    for (let at: string | undefined = key; at !== undefined; at = this.#cameFrom.get(at)) {
      const { module, symbol } = this.symbols.get(at)!
      chain.unshift(`${module.file}#${symbol.name}`)
    }
    return chain
  }

  /** Breadth first, so that each is reached by a shortest way. */
  #walk(roots: readonly string[], targets: (use: string) => readonly string[]): void {
    const queue: string[] = []
    const reach = (uses: readonly string[], from: string | undefined) => {
      for (const key of uses.flatMap(targets)) {
        if (this.#cameFrom.has(key)) continue
        this.#cameFrom.set(key, from)
        queue.push(key)
      }
    }
    reach(roots, undefined)
    for (let key = queue.shift(); key !== undefined; key = queue.shift()) reach(this.symbols.get(key)!.symbol.uses, key)
  }
}
