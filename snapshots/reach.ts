import { type ArtifactDescriptor, parseDescriptor } from '../cas/artifact.ts'
import { type Digest, short } from '../cas/digest.ts'
import { Fault } from '../lib/fault.ts'
import type { Manifest } from './manifest.ts'
import { filesOfTree, packageTreesOf, parseList } from './references.ts'

/** Every object a snapshot stands on, and which of them can be made again. */
export interface Reach {
  /** Descriptors, code with its packages, lists, source bytes and target outputs. */
  readonly neverEvicted: ReadonlySet<Digest>
  /** Files of pure nodes that are no targets: gc may evict them, for re-execution brings them back. */
  readonly derived: ReadonlySet<Digest>
  readonly descriptors: ReadonlyMap<Digest, ArtifactDescriptor>
  readonly lists: ReadonlyMap<Digest, readonly Digest[]>
  /** Sizes where somebody states them: the files of artifacts. */
  readonly sizes: ReadonlyMap<Digest, number>
}

/** The bytes of an object, checked against its name; a Fault where they are not to be had. */
export type ReadObject = (digest: Digest) => Uint8Array

/** Hears of an object that cannot be read, or is not what it is named as, and of a node that needs it. */
export type OnProblem = (digest: Digest, fault: Fault, address: string) => void

/** Throws at the first object that cannot be read, unless `onProblem` takes it: then what lies behind that object is
 *  left out, and the rest is followed all the same. */
export function reachOf(manifest: Manifest, read: ReadObject, onProblem?: OnProblem): Reach {
  const neverEvicted = new Set<Digest>()
  const derived = new Set<Digest>()
  const descriptors = new Map<Digest, ArtifactDescriptor>()
  const lists = new Map<Digest, readonly Digest[]>()
  const sizes = new Map<Digest, number>()

  const kept = keptArtifacts(manifest)
  // By role, and apart from what is kept: a source's file may hold the very bytes of a list or a descriptor.
  const followed = {
    code: new Set<Digest>(),
    tree: new Set<Digest>(),
    list: new Set<Digest>(),
    artifact: new Set<Digest>(),
  }
  const follow = (
    role: keyof typeof followed,
    digest: Digest,
    address: string,
    into: (bytes: Uint8Array) => void,
  ): void => {
    if (followed[role].has(digest)) return
    followed[role].add(digest)
    neverEvicted.add(digest)
    try {
      into(read(digest))
    } catch (error) {
      if (!(error instanceof Fault) || onProblem === undefined) throw error
      onProblem(digest, error, address)
    }
  }
  const followCode = (code: Digest, address: string): void =>
    follow('code', code, address, (bytes) => {
      for (const tree of packageTreesOf(code, bytes)) {
        follow('tree', tree, address, (listing) =>
          filesOfTree(tree, listing).forEach((file) => void neverEvicted.add(file)),
        )
      }
    })
  for (const { address, code, inputs, artifact } of manifest.nodes) {
    if ('run' in code) {
      followCode(code.run, address)
      for (const port of Object.values(code.ports ?? {})) followCode(port, address)
    }
    for (const input of Object.values(inputs)) {
      if (input === null || typeof input === 'string') continue
      const { list } = input
      follow('list', list, address, (bytes) => void lists.set(list, parseList(list, bytes)))
    }
    follow('artifact', artifact, address, (bytes) => {
      const descriptor = parseDescriptor(bytes)
      descriptors.set(artifact, descriptor)
      for (const { digest, sizeBytes } of descriptor.files) {
        if ((sizes.get(digest) ?? sizeBytes) !== sizeBytes) throw twoSizes(digest, address)
        sizes.set(digest, sizeBytes)
        if (kept.has(artifact)) neverEvicted.add(digest)
        else derived.add(digest)
      }
    })
  }
  // The same bytes may be a source's and a pure node's.
  for (const digest of neverEvicted) derived.delete(digest)
  return { neverEvicted, derived, descriptors, lists, sizes }
}

/** Artifacts whose files stay: a source's cannot be made again, and a target is what the run was for. */
export function keptArtifacts(manifest: Manifest): ReadonlySet<Digest> {
  const targets = new Set(manifest.targets.flatMap(({ addresses }) => addresses))
  return new Set(
    manifest.nodes
      .filter(({ kind, address }) => kind === 'source' || targets.has(address))
      .map(({ artifact }) => artifact),
  )
}

function twoSizes(digest: Digest, where: string): Fault {
  return new Fault({
    code: 'corrupt',
    what: `object ${short(digest)} is given two sizes by the artifacts that hold it`,
    where,
    todo: 'fetch or import the snapshot again from where it came',
  })
}
