import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../../cas/digest.ts'
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
}

export function hashClosure(
  imports: readonly ClosureImport[],
  packages: Packages,
  hashes: PackageHashes,
): PackageClosure {
  const found = new Map<string, { owner: Package; dependencies: Record<string, string> }>()
  const visit = (owner: Package) => {
    const key = keyOf(owner)
    if (found.has(key)) return
    const dependencies: Record<string, string> = {}
    found.set(key, { owner, dependencies })
    for (const name of dependencyNames(owner)) {
      const dependency = locatePackage(packages, name, owner.dir).found
      if (dependency === undefined) continue // optional, or for another system
      // Links of a workspace or of pnpm lead to where a package's own dependencies are found from.
      const real = { ...dependency, dir: realpathSync(dependency.dir) }
      dependencies[name] = real.version
      visit(real)
    }
  }
  for (const { package: owner } of imports) visit(owner)

  const sorted = [...found.values()].sort((a, b) => (keyOf(a.owner) < keyOf(b.owner) ? -1 : 1))
  const hashed = sorted.map(({ owner }) => hashes.of(owner.dir))
  const refs = sorted.map(({ owner, dependencies }, i): PackageRef => {
    const ids = imports.filter((entry) => keyOf(entry.package) === keyOf(owner))
    return {
      name: owner.name,
      version: owner.version,
      tree: hashed[i]!.tree.digest,
      dependencies,
      imports: ids.map(({ id, specifier }) => ({ id, specifier })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    }
  })
  return { refs, hashed }
}

const keyOf = ({ name, version }: { name: string; version: string }) => `${name}@${version}`

function dependencyNames({ manifest }: Package): string[] {
  const fields = ['dependencies', 'optionalDependencies', 'peerDependencies']
  const names = fields.flatMap((field) => Object.keys((manifest[field] as Record<string, string> | undefined) ?? {}))
  // Types are never loaded.
  return [...new Set(names)].filter((name) => !name.startsWith('@types/')).sort()
}

/** Rebuilds a `node_modules` under `targetDir` from stored objects, so that code finds the very packages it was
 *  hashed with. Each package meets the versions of its dependencies it met then: where two versions of one name are
 *  needed, the second lies below whoever needs it, as an installer would place it. */
export function layOutPackages(
  packages: readonly PackageRef[],
  readObject: (digest: Digest) => Uint8Array,
  targetDir: string,
): void {
  for (const [place, ref] of placePackages(packages)) {
    writeTree(parseTree(readObject(ref.tree)), join(targetDir, place), readObject)
  }
}

/** Which package lies where: from `node_modules/a/node_modules/b` to the package. */
export function placePackages(packages: readonly PackageRef[]): Map<string, PackageRef> {
  const byKey = new Map(packages.map((ref) => [keyOf(ref), ref]))
  for (const { name } of packages) {
    if (packageNameOf(name) === name) continue
    throw new Fault({ code: 'corrupt', what: `${JSON.stringify(name.slice(0, 100))} is not the name of a package` })
  }
  const placed = new Map<string, PackageRef>()
  const pending: { place: string; ref: PackageRef }[] = []
  const put = (place: string, ref: PackageRef) => {
    placed.set(place, ref)
    pending.push({ place, ref })
  }
  // What the code imports by name comes first and on top; two versions of one name go by names of their own.
  for (const ref of packages.filter(({ imports }) => imports.length > 0)) {
    const top = `node_modules/${ref.name}`
    put(placed.has(top) ? `node_modules/.versions/${keyOf(ref)}/node_modules/${ref.name}` : top, ref)
  }
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const { place, ref } = next
    for (const [name, version] of Object.entries(ref.dependencies).sort()) {
      const wanted = byKey.get(keyOf({ name, version }))
      if (wanted === undefined) {
        throw new Fault({
          code: 'corrupt',
          what: `${keyOf(ref)} needs ${name}@${version}, which the code object lacks`,
        })
      }
      const seen = lookUp(placed, place, name)
      if (seen === undefined) put(`node_modules/${name}`, wanted)
      else if (seen !== wanted) put(`${place}/node_modules/${name}`, wanted)
    }
  }
  return placed
}

/** What Node's lookup finds for `name` from the package at `place`. */
function lookUp(placed: ReadonlyMap<string, PackageRef>, place: string, name: string): PackageRef | undefined {
  for (let dir = place; ; dir = dir.slice(0, dir.lastIndexOf('/node_modules/'))) {
    const found = placed.get(`${dir}/node_modules/${name}`)
    if (found !== undefined) return found
    if (!dir.includes('/node_modules/')) return placed.get(`node_modules/${name}`)
  }
}
