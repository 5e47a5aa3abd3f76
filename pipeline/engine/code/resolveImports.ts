import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { ImportTrail } from './importTrail.ts'
import { targetsOf } from './manifestTargets.ts'
import { locatePackage, type Package, type Packages, packageNameOf, type Scope } from './packages.ts'
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

    const name = packageNameOf(specifier)
    // Also where it leads nowhere: in an installed package it may be optional, and come to be installed.
    if (specifier.startsWith('#')) this.#noteAlias(specifier, importer)
    else if (name !== undefined) this.#notePackage(specifier, name, importer)
    const found = await find()
    if (found === undefined) return undefined
    if (name === undefined) return { kind: 'file', file: found }

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

  /** Takes note of how a path is resolved, which the bundler does itself. */
  notePath(specifier: string, importer: string): void {
    // What is installed is replaced as a whole, with its package.json.
    if (!isInstalled(importer)) this.#trail.addPath(specifier, importer)
  }

  /** What imports were resolved by: if any of it changes, they may lead elsewhere. */
  get lookedAt(): ImportTrail {
    return this.#trail
  }

  #noteAlias(specifier: string, importer: string): void {
    const scope = this.packages.scopeOf(importer)
    if (scope === undefined) return
    const manifestFile = join(scope.dir, 'package.json')
    for (const target of targetsOf(scope.manifest['imports'], specifier)) {
      const name = packageNameOf(target)
      if (target.startsWith('.')) this.notePath(target, manifestFile)
      else if (name !== undefined) this.#notePackage(target, name, manifestFile)
    }
  }

  #notePackage(specifier: string, name: string, importer: string): void {
    const located = locatePackage(this.packages, name, dirname(importer))
    this.#trail.addPackage(located)
    const scope = this.packages.scopeOf(importer)
    if (scope?.manifest['name'] === name) this.#noteTargets(specifier.slice(name.length), scope)
    if (located.found !== undefined) {
      this.#noteTargets(specifier.slice(name.length), { ...located.found, dir: realpathSync(located.found.dir) })
    }
  }

  /** The paths that a package of the project's own, by its own name or linked from a workspace, gives for a subpath. */
  #noteTargets(subpath: string, { dir, manifest }: Scope): void {
    const { exports, main, module } = manifest
    const paths = exports === undefined ? [`.${subpath}`, main, module] : targetsOf(exports, `.${subpath}`)
    for (const path of paths) {
      if (typeof path === 'string') this.notePath(`./${path}`, join(dir, 'package.json'))
    }
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

/** Whether an import names a file by its place, and not by what a package.json or an installer makes of a name. */
export const isPath = (specifier: string): boolean => /^(\.|\/|file:)/.test(specifier)

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
