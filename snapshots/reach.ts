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

export function reachOf(manifest: Manifest, read: ReadObject): Reach {
  const neverEvicted = new Set<Digest>()
  const derived = new Set<Digest>()
  const descriptors = new Map<Digest, ArtifactDescriptor>()
  const lists = new Map<Digest, readonly Digest[]>()
  const sizes = new Map<Digest, number>()

  const kept = keptArtifacts(manifest)
  const addCode = (code: Digest): void => {
    if (neverEvicted.has(code)) return
    neverEvicted.add(code)
    for (const tree of packageTreesOf(code, read(code))) {
      if (neverEvicted.has(tree)) continue
      neverEvicted.add(tree)
      for (const file of filesOfTree(tree, read(tree))) neverEvicted.add(file)
    }
  }
  for (const node of manifest.nodes) {
    if ('run' in node.code) {
      addCode(node.code.run)
      for (const port of Object.values(node.code.ports ?? {})) addCode(port)
    }
    for (const input of Object.values(node.inputs)) {
      if (input === null || typeof input === 'string' || lists.has(input.list)) continue
      neverEvicted.add(input.list)
      lists.set(input.list, parseList(input.list, read(input.list)))
    }
    if (descriptors.has(node.artifact)) continue
    const descriptor = parseDescriptor(read(node.artifact))
    neverEvicted.add(node.artifact)
    descriptors.set(node.artifact, descriptor)
    for (const { digest, sizeBytes } of descriptor.files) {
      if ((sizes.get(digest) ?? sizeBytes) !== sizeBytes) throw twoSizes(digest, node.address)
      sizes.set(digest, sizeBytes)
      if (kept.has(node.artifact)) neverEvicted.add(digest)
      else derived.add(digest)
    }
  }
  // The same bytes may be a source's and a pure node's.
  for (const digest of neverEvicted) derived.delete(digest)
  return { neverEvicted, derived, descriptors, lists, sizes }
}

/** What gc leaves alone however small the store must become. */
export function neverEvicted(manifest: Manifest, read: ReadObject): ReadonlySet<Digest> {
  return reachOf(manifest, read).neverEvicted
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
