import { mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type Digest, digestOf } from '../../../cas/digest.ts'
import { Fault } from '../../../lib/fault.ts'
import type { ClosureImport } from './buildCode.ts'
import type { PackageRef } from './codeObject.ts'
import { locatePackage, type Package, type Packages, packageNameOf } from './packages.ts'
import { type HashedPackage, type PackageHashes, parseTree, writeTree } from './packageTree.ts'

/** The packages that are imported as they are, and all they depend on. */
export interface PackageClosure {
  readonly refs: readonly PackageRef[]
  /** The same packages with their files, for whoever stores them. */
  readonly hashed: readonly HashedPackage[]
  /** Every folder that was looked at: equal copies of a package are one package, until one of them changes. */
  readonly copies: readonly HashedPackage[]
}

interface Found {
  readonly owner: Package
  readonly hashed: HashedPackage
  /** The folders of its dependencies, by name. */
  readonly dependencies: Map<string, string>
}

/** @param note is told where each dependency was found, and where it was not */
export function hashClosure(
  imports: readonly ClosureImport[],
  packages: Packages,
  hashes: PackageHashes,
  note: (located: ReturnType<typeof locatePackage>) => void,
): PackageClosure {
  const found = new Map<string, Found>()
  const visit = (owner: Package) => {
    if (found.has(owner.dir)) return
    const dependencies = dependenciesOf(owner, packages, note)
    const dirs = new Map([...dependencies].map(([name, { dir }]) => [name, dir]))
    found.set(owner.dir, { owner, dependencies: dirs, hashed: hashes.of(owner.dir) })
    for (const dependency of dependencies.values()) visit(dependency)
  }
  for (const { package: owner } of imports) visit(owner)

  const versions = tellApart(found)
  const refs = new Map<string, { ref: PackageRef; hashed: HashedPackage }>()
  for (const { owner, hashed, dependencies } of found.values()) {
    const { name } = owner
    const version = versions.get(owner.dir)!
    const ids = imports.filter((entry) => entry.package.dir === owner.dir)
    const known = refs.get(keyOf({ name, version }))?.ref.imports ?? []
    const ref: PackageRef = {
      name,
      version,
      tree: hashed.tree.digest,
      dependencies: Object.fromEntries([...dependencies].map(([other, dir]) => [other, versions.get(dir)!])),
      imports: [...known, ...ids.map(({ id, specifier }) => ({ id, specifier }))].sort((a, b) =>
        a.id < b.id ? -1 : 1,
      ),
    }
    refs.set(keyOf(ref), { ref, hashed: refs.get(keyOf(ref))?.hashed ?? hashed })
  }
  const sorted = [...refs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
  return {
    refs: sorted.map(({ ref }) => ref),
    hashed: sorted.map(({ hashed }) => hashed),
    copies: [...found.values()].map(({ hashed }) => hashed),
  }
}

/** Takes note of where packages that are imported as they are, and all they depend on, are found, without a look at
 *  their files. */
export function noteClosure(
  imported: Iterable<Package>,
  packages: Packages,
  note: (located: ReturnType<typeof locatePackage>) => void,
): void {
  const seen = new Set<string>()
  const visit = (owner: Package) => {
    if (seen.has(owner.dir)) return
    seen.add(owner.dir)
    for (const dependency of dependenciesOf(owner, packages, note).values()) visit(dependency)
  }
  for (const owner of imported) visit(owner)
}

function dependenciesOf(
  owner: Package,
  packages: Packages,
  note: (located: ReturnType<typeof locatePackage>) => void,
): Map<string, Package> {
  const dependencies = new Map<string, Package>()
  for (const name of dependencyNames(owner)) {
    const located = locatePackage(packages, name, owner.dir)
    note(located)
    if (located.found === undefined) continue // optional, or for another system
    // Links of a workspace or of pnpm lead to where a package's own dependencies are found from.
    dependencies.set(name, { ...located.found, dir: realpathSync(located.found.dir) })
  }
  return dependencies
}

/** The version of each folder's package. Copies of one version that differ, in their files or in what they depend on,
 *  have some digits of what they are behind it. */
function tellApart(found: ReadonlyMap<string, Found>): Map<string, string> {
  let kinds = new Map([...found].map(([dir, { owner, hashed }]) => [dir, `${keyOf(owner)} ${hashed.tree.digest}`]))
  for (let count = 0; count < new Set(kinds.values()).size; ) {
    count = new Set(kinds.values()).size
    const before = kinds
    kinds = new Map(
      [...found].map(([dir, { dependencies }]) => {
        const below = [...dependencies].map(([name, other]) => `${name} ${before.get(other)!}`)
        return [dir, digestOf([before.get(dir)!, ...below].join('\n'))]
      }),
    )
  }
  const kindsOf = new Map<string, Set<string>>()
  for (const [dir, { owner }] of found) {
    kindsOf.set(keyOf(owner), (kindsOf.get(keyOf(owner)) ?? new Set()).add(kinds.get(dir)!))
  }
  return new Map(
    [...found].map(([dir, { owner }]) => {
      const isAlone = kindsOf.get(keyOf(owner))!.size === 1
      return [dir, isAlone ? owner.version : `${owner.version}+${kinds.get(dir)!.slice(0, 8)}`]
    }),
  )
}

const keyOf = ({ name, version }: { name: string; version: string }) => `${name}@${version}`

function dependencyNames({ manifest }: Package): string[] {
  const fields = ['dependencies', 'optionalDependencies', 'peerDependencies']
  const names = fields.flatMap((field) => Object.keys((manifest[field] as Record<string, string> | undefined) ?? {}))
  // Types are never loaded.
  return [...new Set(names)].filter((name) => !name.startsWith('@types/')).sort()
}

/** Rebuilds a `node_modules` under `targetDir` from stored objects, so that code finds the very packages it was
 *  hashed with, and each package the versions of its dependencies it met then. Returns where each lies, by
 *  `name@version`. */
export function layOutPackages(
  packages: readonly PackageRef[],
  readObject: (digest: Digest) => Uint8Array,
  targetDir: string,
): Record<string, string> {
  const { places, links } = placePackages(packages)
  for (const [place, ref] of places) writeTree(parseTree(readObject(ref.tree)), join(targetDir, place), readObject)
  for (const [place, target] of links) {
    mkdirSync(dirname(join(targetDir, place)), { recursive: true })
    symlinkSync(relative(dirname(place), target), join(targetDir, place), 'junction')
  }
  return Object.fromEntries([...places].map(([place, ref]) => [keyOf(ref), join(targetDir, place)]))
}

/** Which package lies where, and which places are links to others. A name with one version lies on top, where every
 *  package finds it. The versions of a name with several lie apart, and each user has a link to its own: nesting them
 *  below their users, as installers do, never ends where packages need each other. */
export function placePackages(packages: readonly PackageRef[]): {
  readonly places: ReadonlyMap<string, PackageRef>
  readonly links: ReadonlyMap<string, string>
} {
  const placeOf = new Map<string, string>()
  for (const ref of packages) {
    if (packageNameOf(ref.name) !== ref.name) throw badRef(`${quoted(ref.name)} is not the name of a package`)
    if (!/^[\w.+-]+$/.test(ref.version)) throw badRef(`${quoted(ref.version)} is not a version`)
    if (placeOf.has(keyOf(ref))) throw badRef(`it lists ${keyOf(ref)} twice`)
    const isAlone = packages.every(({ name, version }) => name !== ref.name || version === ref.version)
    const above = isAlone ? '' : `node_modules/.versions/${keyOf(ref)}/`
    placeOf.set(keyOf(ref), `${above}node_modules/${ref.name}`)
  }
  const links = new Map<string, string>()
  for (const ref of packages) {
    for (const [name, version] of Object.entries(ref.dependencies)) {
      const target = placeOf.get(keyOf({ name, version }))
      if (target === undefined) throw badRef(`${keyOf(ref)} needs ${name}@${version}, which it lacks`)
      const place = placeOf.get(keyOf(ref))!
      if (target !== `node_modules/${name}` && name !== ref.name) links.set(`${place}/node_modules/${name}`, target)
    }
  }
  return { places: new Map(packages.map((ref) => [placeOf.get(keyOf(ref))!, ref])), links }
}

const quoted = (text: string) => JSON.stringify(text.slice(0, 100))

const badRef = (why: string) =>
  new Fault({ code: 'corrupt', what: `the packages of a code object make no sense: ${why}` })
