import { readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { isTickpipeFile } from './tickpipePackage.ts'

/** A folder with a package.json that has a name: what files belong to. */
export interface Package {
  readonly dir: string
  readonly name: string
  readonly version: string
  readonly manifest: Readonly<Record<string, unknown>>
}

/** A package.json that says what `#` aliases in the files below it mean. */
export interface Scope {
  readonly dir: string
  readonly manifest: Readonly<Record<string, unknown>>
}

/** Finds packages, and remembers: one look at the disk for each folder. */
export class Packages {
  readonly #byDir = new Map<string, Package | undefined>()
  readonly #manifests = new Set<string>()
  readonly #absentManifests = new Set<string>()
  readonly #noted = new Set<string>()

  /** The nearest package upward from a file. */
  of(file: string): Package | undefined {
    return this.#upward(dirname(file))
  }

  /** The package.json of a folder, if it has one with a name. */
  at(dir: string): Package | undefined {
    const manifest = this.#read(join(dir, 'package.json'))
    const { name, version } = manifest ?? {}
    if (manifest === undefined || typeof name !== 'string' || name === '') return undefined
    return { dir, name, version: typeof version === 'string' ? version : '0.0.0', manifest }
  }

  /** The nearest package.json upward from a file, with a name or without: aliases, self-references and the module format
   *  are looked up in it and in no other. */
  scopeOf(file: string): Scope | undefined {
    for (let dir = dirname(file); ; dir = dirname(dir)) {
      const manifest = this.#read(join(dir, 'package.json'))
      if (manifest !== undefined) return { dir, manifest }
      if (dirname(dir) === dir) return undefined
    }
  }

  /** Takes note of what says how the imports of a file are resolved and how it is named: every package.json up to the
   *  nearest with a name, and the nearer places where one may come to be. */
  noteScopes(file: string): void {
    for (let dir = dirname(file); !this.#noted.has(dir); dir = dirname(dir)) {
      this.#noted.add(dir)
      if (this.at(dir) !== undefined) return
      const manifestFile = join(dir, 'package.json')
      if (!this.#manifests.has(manifestFile)) this.#absentManifests.add(manifestFile)
    }
  }

  /** Every package.json that was read: what was found depends on them. */
  get manifests(): readonly string[] {
    return [...this.#manifests]
  }

  get absentManifests(): readonly string[] {
    return [...this.#absentManifests]
  }

  #read(manifestFile: string): Record<string, unknown> | undefined {
    let text: string
    try {
      text = readFileSync(manifestFile, 'utf8')
    } catch {
      return undefined
    }
    this.#manifests.add(manifestFile) // also one that is broken: it may be mended
    try {
      const value: unknown = JSON.parse(text)
      return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
    } catch {
      return undefined // nothing could be imported by it
    }
  }

  #upward(dir: string): Package | undefined {
    if (this.#byDir.has(dir)) return this.#byDir.get(dir)
    const parent = dirname(dir)
    const found = this.at(dir) ?? (parent === dir ? undefined : this.#upward(parent))
    this.#byDir.set(dir, found)
    return found
  }
}

/** The folder of the package `name` as Node finds it from `fromDir`, and the nearer folders where it is not: if one
 *  of them comes to be, the answer changes. */
export function locatePackage(
  packages: Packages,
  name: string,
  fromDir: string,
): { found: Package | undefined; absent: readonly string[] } {
  const absent: string[] = []
  for (let dir = fromDir; ; dir = dirname(dir)) {
    if (!dir.endsWith(`${sep}node_modules`)) {
      const candidate = join(dir, 'node_modules', name)
      const found = packages.at(candidate)
      if (found !== undefined) return { found, absent }
      absent.push(candidate)
    }
    if (dirname(dir) === dir) return { found: undefined, absent }
  }
}

/** `@scope/name/sub` to `@scope/name`; undefined for what is no package: a path, a built-in, an alias. */
export function packageNameOf(specifier: string): string | undefined {
  return /^(@[\w.~-]+\/)?[\w~-][\w.~-]*(?=\/|$)/.exec(specifier)?.[0]
}

const scriptExtension = /\.(ts|mts|cts|tsx|js|mjs|cjs|jsx)$/

/** Names modules by package and path inside it. Where two versions of a package meet, theirs carry the version; where
 *  files differ by extension only, theirs keep it. Nothing depends on where the folders lie.
 *
 *  The project's own files, and those outside every package, are named by their path from `homeDir`, the project's
 *  folder: how a project is called says nothing about what it does. Only tickpipe's own keep its name, for they are
 *  the same whether it is the project or a package of one. */
export function nameModules(files: readonly string[], packages: Packages, homeDir: string): Map<string, string> {
  const home: Package = { dir: homeDir, name: 'project', version: '0.0.0', manifest: {} }
  const own = packages.of(join(homeDir, 'package.json'))
  const ownerOf = (file: string): Package => {
    const owner = packages.of(file)
    return owner === undefined || (owner.dir === own?.dir && !isTickpipeFile(file)) ? home : owner
  }
  const owners = files.map(ownerOf)
  const prefixes = namePackages(owners, homeDir)

  const pathOf = (file: string, owner: Package) => relative(owner.dir, file).split(sep).join('/')
  const fullIds = files.map((file, i) => `${prefixes.get(owners[i]!.dir)!}/${pathOf(file, owners[i]!)}`)
  const users = new Map<string, number>()
  for (const id of fullIds) users.set(stripped(id), (users.get(stripped(id)) ?? 0) + 1)
  return new Map(
    files.map((file, i) => [file, users.get(stripped(fullIds[i]!))! > 1 ? fullIds[i]! : stripped(fullIds[i]!)]),
  )
}

const stripped = (id: string) => id.replace(scriptExtension, '')

function namePackages(owners: readonly Package[], homeDir: string): Map<string, string> {
  const byName = new Map<string, Map<string, Package>>()
  for (const owner of owners) {
    const dirs = byName.get(owner.name) ?? new Map<string, Package>()
    byName.set(owner.name, dirs.set(owner.dir, owner))
  }
  const prefixes = new Map<string, string>()
  for (const [name, dirs] of byName) {
    if (dirs.size === 1) {
      for (const dir of dirs.keys()) prefixes.set(dir, name)
      continue
    }
    // The same version in two places is told apart by a number, in an order that moving the project does not change.
    const ordered = [...dirs.values()].sort((a, b) => (relative(homeDir, a.dir) < relative(homeDir, b.dir) ? -1 : 1))
    const copies = new Map<string, number>()
    for (const { dir, version } of ordered) {
      const copy = (copies.get(version) ?? 0) + 1
      copies.set(version, copy)
      prefixes.set(dir, copy === 1 ? `${name}@${version}` : `${name}@${version}+${copy}`)
    }
  }
  return prefixes
}
