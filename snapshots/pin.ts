import { canonicalJson } from '../cas/canonicalJson.ts'
import { type Digest, digestOf, short } from '../cas/digest.ts'
import type { Store } from '../cas/store.ts'
import { Fault } from '../lib/fault.ts'
import { objectChecksum, renderChecksums } from './checksums.ts'
import { keyOfSpec, type Manifest, manifestBytes, manifestId, specOf } from './manifest.ts'
import { parseManifest } from './parseManifest.ts'
import { type Reach, reachOf } from './reach.ts'
import { remakeCommand } from './remake.ts'
import { hasSnapshot, type Origin, placeSnapshotFolder, readSnapshot, renderOrigin } from './snapshotFolder.ts'
import { checkSnapshotName } from './snapshotName.ts'

export interface Pin {
  readonly name: string
  readonly manifest: Manifest
  /** When, where, how long, which attempts and waits: any JSON. It is kept beside the manifest and in no id. */
  readonly provenance: unknown
}

/** Gives a finished run a name, for good. Whatever the run left on its way is durable when this returns. */
export async function pinSnapshot(store: Store, pin: Pin): Promise<{ id: Digest; alreadyThere: boolean }> {
  const { manifest } = pin
  const name = checkSnapshotName(pin.name)
  // Read back as a stranger would: a manifest that only its maker can read must not get a name.
  parseManifest(manifestBytes(manifest), `the manifest to be pinned as ${name}`)
  const id = manifestId(manifest)
  if (hasSnapshot(store.root, name)) return settle(store.root, name, id)
  await store.flush()
  store.records.refresh()
  refuseDisputed(store, manifest)

  // While this lease lives, no collection elsewhere takes what is about to be named; afterwards the snapshot is a root.
  const lease = store.openLease(`pin ${name}`)
  try {
    lease.uses(manifest.nodes.map(({ artifact }) => artifact))
    const reach = reachOf(
      manifest,
      (digest) => store.readObject(digest),
      (digest, fault, address) => {
        throw missing(fault.what, digest, address, remade(manifest, digest, address))
      },
    )
    lease.uses(reach.neverEvicted)
    refuseMissing(store, manifest, reach)
    const provenance = renderProvenance(pin.provenance)
    const placed = placeSnapshotFolder(store, name, folderFiles(manifest, provenance, reach, ourOwn))
    if (placed.alreadyThere) return settle(store.root, name, id)
    // Somebody who took this process for dead may have moved an object to the trash before the name was there. Asking
    // for it brings it back.
    refuseMissing(store, manifest, reach)
    return placed
  } finally {
    lease.close()
  }
}

const ourOwn: Origin = { origin: 'pinned', trusted: true }

/** The five files of a snapshot's folder. The manifest's bytes are exactly what its id is the hash of. */
export function folderFiles(manifest: Manifest, provenance: string, reach: Reach, origin: Origin) {
  const manifestText = manifestBytes(manifest)
  const own = { digest: digestOf(manifestText), path: 'manifest.json' }
  return {
    manifest: manifestText,
    provenance,
    checksums: renderChecksums([
      own,
      { digest: digestOf(provenance), path: 'provenance.json' },
      ...[...reach.neverEvicted].map(objectChecksum),
    ]),
    // The manifest again: `sha256sum --ignore-missing` calls it a failure when it found nothing at all to check.
    derivedChecksums: renderChecksums([own, ...[...reach.derived].map(objectChecksum)]),
    origin: renderOrigin(origin, own.digest),
  }
}

function renderProvenance(provenance: unknown): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(provenance)), undefined, 2)}\n`
}

/** The name is taken: fine when it stands for the same run, else the later one is told. */
function settle(root: string, name: string, id: Digest): { id: Digest; alreadyThere: boolean } {
  const there = readSnapshot(root, name)
  if (there.id === id) return { id, alreadyThere: true }
  throw nameTaken(name, there.id, id)
}

export function nameTaken(name: string, there: Digest, wanted: Digest): Fault {
  return new Fault({
    code: 'refused',
    what: `the name ${name} stands for snapshot ${short(there)} and never changes; this run is ${short(wanted)}`,
    where: name,
    todo: `pin it under another name, or see what differs with "pipe diff ${name} ${short(wanted)}"`,
    details: { name, there, wanted },
  })
}

function refuseDisputed(store: Store, manifest: Manifest): void {
  const disputed = manifest.nodes.flatMap((node) => {
    const key = keyOfSpec(specOf(node))
    return node.kind === 'pure' && store.records.disputed(key) ? [{ address: node.address, key }] : []
  })
  const first = disputed[0]
  if (first === undefined) return
  const others = disputed.length === 1 ? '' : ` (and ${disputed.length - 1} more)`
  throw new Fault({
    code: 'nondeterministic',
    what: `the same key gave different bytes, and nobody has chosen among them${others}: this run cannot be pinned`,
    where: first.address,
    todo: `see both with "pipe show ${short(first.key)}", choose with "pipe resolve ${short(first.key)}", then pin again`,
    details: { disputed },
  })
}

function refuseMissing(store: Store, manifest: Manifest, reach: Reach): void {
  for (const digest of reach.neverEvicted) {
    if (store.hasObject(digest, reach.sizes.get(digest))) continue
    const gave = manifest.nodes.find(({ artifact }) =>
      reach.descriptors.get(artifact)?.files.some((file) => file.digest === digest),
    )
    const what = `the object ${short(digest)} is not in the store`
    throw missing(what, digest, gave?.address ?? manifest.pipeline, gave && remakeCommand(gave.address))
  }
  for (const { address, artifact } of manifest.nodes) {
    if (store.artifactPresence(artifact) !== 'missing') continue
    throw missing(`the artifact ${short(artifact)} is not in the store`, artifact, address, remakeCommand(address))
  }
}

/** Code and lists are written anew where their node is executed, be it recorded or not. */
const remade = ({ nodes }: Manifest, digest: Digest, address: string): string =>
  remakeCommand(address, { isForced: !nodes.some(({ artifact }) => artifact === digest) })

function missing(what: string, digest: Digest, where: string, command: string | undefined): Fault {
  return new Fault({
    code: 'corrupt',
    what: `${what}, and a snapshot must not rest on what is not there`,
    where,
    todo:
      command === undefined
        ? 'run the target again, which makes what can be made, then pin it'
        : `make it again with "${command}", then pin the run`,
    details: { digest },
  })
}
