import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { ImportTrail } from './importTrail.ts'
import { locatePackage, type Package, type Packages, packageNameOf } from './packages.ts'
import { tickpipeEntry } from './tickpipePackage.ts'

/** What an import of something that is no relative path leads to. */
export type Resolved =
  | { readonly kind: 'builtin'; readonly id: string }
  /** A package that is laid out as it is. */
  | {
      readonly kind: 'closure'
      readonly id: string
      readonly specifier: string
      readonly package: Package
      readonly file: string
    }
  /** A file that becomes part of the bundle. */
  | { readonly kind: 'file'; readonly file: string }

/** Decides for one project what is inlined and what is not. */
export class ImportResolver {
  readonly packages: Packages
  readonly projectDir: string
  readonly #closures: ReadonlySet<string>
  readonly #trail = new ImportTrail()
  readonly #native = new Map<string, boolean>()
  readonly #homeCopies = new Map<string, Package | undefined>()

  constructor(packages: Packages, projectDir: string, closures: readonly string[]) {
    this.packages = packages
    this.projectDir = projectDir
    this.#closures = new Set(closures)
  }

  /** @param find the bundler's own resolution, to a file or to nothing */
  async resolve(
    specifier: string,
    importer: string,
    find: () => Promise<string | undefined>,
  ): Promise<Resolved | undefined> {
    const builtin = builtinId(specifier)
    if (builtin !== undefined) return { kind: 'builtin', id: builtin }
    if (specifier === 'tickpipe') return { kind: 'file', file: tickpipeEntry }

    const found = await find()
    if (found === undefined) return undefined
    const name = packageNameOf(specifier)
    if (name === undefined) return { kind: 'file', file: found }
    this.#trail.addPackage(locatePackage(this.packages, name, dirname(importer)))

    const owner = this.packages.of(found)
    if (owner === undefined || owner.name !== name) return { kind: 'file', file: found }
    if (this.isClosure(owner)) {
      const id = `npm:${name}@${owner.version}${specifier.slice(name.length)}`
      return { kind: 'closure', id, specifier, package: owner, file: found }
    }
    return { kind: 'file', file: this.#sameInHome(found, owner) }
  }

  isClosure(owner: Package): boolean {
    let native = this.#native.get(owner.dir)
    if (native === undefined) {
      native = this.#closures.has(owner.name) || (isInstalled(owner.dir) && hasNativeFiles(owner.dir))
      this.#native.set(owner.dir, native)
    }
    return native
  }

  /** Takes note of how a relative path is resolved, which the bundler does itself. */
  noteRelative(specifier: string, importer: string): void {
    // What is installed is replaced as a whole, with its package.json.
    if (!isInstalled(importer)) this.#trail.addRelative(specifier, importer)
  }

  /** What imports were resolved by: if any of it changes, they may lead elsewhere. */
  get lookedAt(): ImportTrail {
    return this.#trail
  }

  /** An equal version of a package that the project has as well is taken from there: how an installer spreads copies
   *  is nothing an identity may depend on. */
  #sameInHome(file: string, owner: Package): string {
    let home = this.#homeCopies.get(owner.name)
    if (!this.#homeCopies.has(owner.name)) {
      const { found } = locatePackage(this.packages, owner.name, this.projectDir)
      home = found && { ...found, dir: realpathSync(found.dir) }
      this.#homeCopies.set(owner.name, home)
    }
    if (home === undefined || home.dir === owner.dir || home.version !== owner.version) return file
    const same = join(home.dir, relative(owner.dir, file))
    return existsSync(same) ? same : file
  }
}

function builtinId(specifier: string): string | undefined {
  if (specifier.startsWith('node:')) return specifier
  return builtinModules.includes(specifier) ? `node:${specifier}` : undefined
}

export const isInstalled = (path: string): boolean => path.includes(`${sep}node_modules${sep}`)

function hasNativeFiles(dir: string): boolean {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && hasNativeFiles(join(dir, entry.name))) return true
    } else if (/\.(wasm|node)$/.test(entry.name)) {
      return true
    }
  }
  return false
}
