import { readFileSync } from 'node:fs'
import { type Digest, digestOf, short } from '../cas/digest.ts'
import { objectPath } from '../cas/layout.ts'
import type { RecordEntry } from '../cas/records.ts'
import { discardStaged, openStagedWriter, type Staged } from '../cas/staging.ts'
import type { Store } from '../cas/store.ts'
import { BundleReader } from './bundleReader.ts'
import { isObjectPath, parseChecksums } from './checksums.ts'
import { bundledFiles } from './exportBundle.ts'
import { keyOfSpec, type Manifest, type ManifestNode, specOf } from './manifest.ts'
import { manifestLimits, nestingOf, parseManifest } from './parseManifest.ts'
import { folderFiles, nameTaken } from './pin.ts'
import { type Reach, reachOf } from './reach.ts'
import { hasSnapshot, placeSnapshotFolder, readSnapshot, setTrust, snapshotFiles } from './snapshotFolder.ts'
import { checkSnapshotName } from './snapshotName.ts'

export interface ImportOptions {
  /** The name it gets here; the one it had where it was exported, when left out. */
  readonly name?: string
  /** Its maker is trusted: its code may be run here, and its results count as if they had been computed here. */
  readonly trustCode?: boolean
  /** What the engine keeps beside a node's record. */
  readonly payloadOf?: (node: ManifestNode) => unknown
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
}

export interface ImportedSnapshot {
  readonly name: string
  readonly id: Digest
  readonly alreadyThere: boolean
  readonly objects: number
  /** Whether its results count here, or are computed again when a run needs them. */
  readonly trusted: boolean
  /** Nodes whose key gave other bytes here: our records stay as they are. */
  readonly conflicts: readonly { readonly address: string; readonly ours: Digest; readonly theirs: Digest }[]
}

/** No descriptor, list or code object of ours is near this; it is what a stranger's may cost in memory. */
const readIntoMemoryMaxBytes = 256 * 1024 * 1024

/** Takes in a bundle from anywhere. Every byte of it is checked before anything outside the staging folder changes;
 *  then come the objects, their records if the maker is trusted, and last the name. */
export async function importSnapshot(
  store: Store,
  file: string,
  options: ImportOptions = {},
): Promise<ImportedSnapshot> {
  const reader = new BundleReader(file)
  const staged = new Map<Digest, Staged>()
  try {
    const head = readHead(reader)
    const name = checkSnapshotName(options.name ?? head.name)
    refuseOtherId(store, name, head.id)
    stageObjects(reader, head.listed, store.stagingDir, staged, options.onProgress)
    const reach = checkWhole(reader, head, staged)
    // From here on nothing in the bundle can be at fault.
    return await takeIn(store, name, head, reach, [...staged.values()], options)
  } finally {
    for (const { stagedPath } of staged.values()) discardStaged(stagedPath)
    reader.close()
  }
}

async function takeIn(
  store: Store,
  name: string,
  head: Head,
  reach: Reach,
  staged: readonly Staged[],
  options: ImportOptions,
): Promise<ImportedSnapshot> {
  const { id, manifest, provenance } = head
  const lease = store.openLease(`import ${name}`)
  try {
    lease.uses(staged.map(({ digest }) => digest))
    store.records.refresh()
    const before = hasSnapshot(store.root, name) ? readSnapshot(store.root, name) : undefined
    const trusted = options.trustCode === true || (before?.id === id && before.origin.trusted)
    const { records, conflicts } = recordsOf(store, manifest, options.payloadOf ?? plainPayload)
    // Hashes show that nobody changed the bundle on its way, and not that its maker's code gave these results.
    await store.commit({ staged, records: trusted ? records : [] })
    await recordEvictions(store, manifest)

    const files = folderFiles(manifest, provenance, reach, { origin: 'imported', trusted })
    const placed = hasSnapshot(store.root, name)
      ? { id: readSnapshot(store.root, name).id, alreadyThere: true }
      : placeSnapshotFolder(store, name, files)
    if (placed.id !== id) throw nameTaken(name, placed.id, id)
    if (placed.alreadyThere && trusted) setTrust(store.root, name, true)
    return { name, id, alreadyThere: placed.alreadyThere, objects: staged.length, trusted, conflicts }
  } finally {
    lease.close()
  }
}

interface Head {
  readonly name: string
  readonly id: Digest
  readonly manifest: Manifest
  readonly provenance: string
  /** The two checksum lists, byte for byte. */
  readonly checksums: string
  readonly derivedChecksums: string
  /** The objects that the lists name; only these may follow. */
  readonly listed: ReadonlySet<Digest>
}

function readHead(reader: BundleReader): Head {
  let name: string | undefined
  const texts = bundledFiles.map((file): Buffer => {
    const entry = reader.next()
    const match = /^snapshots\/([^/]+)\/([a-z0-9.]+)$/.exec(entry?.path ?? '')
    if (match?.[2] !== snapshotFiles[file]) {
      throw reader.damaged(`${snapshotFiles[file]} of a snapshot is expected here`, entry?.path)
    }
    name ??= checkSnapshotName(match[1]!)
    if (match[1] !== name) throw reader.damaged('it mixes two snapshots', entry?.path)
    return reader.bytes(manifestLimits.sizeBytes)
  })
  const [manifestBytes, provenanceBytes, checksumBytes, derivedBytes] = texts as [Buffer, Buffer, Buffer, Buffer]
  const manifest = parseManifest(manifestBytes, `${reader.file}, manifest.json`)
  const id = digestOf(manifestBytes)
  const provenance = jsonText(reader, provenanceBytes)

  const listed = new Set<Digest>()
  const checksums = checksumBytes.toString('latin1')
  const derivedChecksums = derivedBytes.toString('latin1')
  const own = new Map([
    ['manifest.json', id],
    ['provenance.json', digestOf(provenanceBytes)],
  ])
  for (const [text, file] of [
    [checksums, snapshotFiles.checksums] as const,
    [derivedChecksums, snapshotFiles.derivedChecksums] as const,
  ]) {
    for (const { path, digest } of parseChecksums(text, `${reader.file}, ${file}`)) {
      if (isObjectPath(path)) listed.add(digest)
      else if (own.get(path) !== digest) throw reader.damaged(`${path} is not what ${file} says`, path)
    }
  }
  return { name: name!, id, manifest, provenance, checksums, derivedChecksums, listed }
}

function jsonText(reader: BundleReader, bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (nestingOf(text) > manifestLimits.nesting) throw new Error('it nests too deep')
    JSON.parse(text)
    return text
  } catch {
    throw reader.damaged('it is not JSON', snapshotFiles.provenance)
  }
}

function refuseOtherId(store: Store, name: string, id: Digest): void {
  if (!hasSnapshot(store.root, name)) return
  const there = readSnapshot(store.root, name).id
  if (there !== id) throw nameTaken(name, there, id)
}

/** Copies every object into the staging folder, in the order of their digests: each at most once, and only listed ones. */
function stageObjects(
  reader: BundleReader,
  listed: ReadonlySet<Digest>,
  stagingDir: string,
  staged: Map<Digest, Staged>,
  onProgress?: (doneBytes: number, totalBytes: number) => void,
): void {
  let before = ''
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
    const { path } = entry
    const digest = path.replace(/^objects\/(..)\//, '$1') as Digest
    if (!listed.has(digest) || path !== objectPath('objects', digest)) {
      throw reader.damaged('this entry is none of the objects that the checksum lists name', path)
    }
    if (digest <= before) throw reader.damaged('this object is out of order, or there twice', path)
    before = digest
    const writer = openStagedWriter(stagingDir)
    try {
      reader.content((chunk) => writer.write(chunk))
      const file = writer.finish()
      staged.set(file.digest, file)
      if (file.digest !== digest) {
        throw reader.damaged(`the bytes of object ${short(digest)} hash to ${short(file.digest)}`, path)
      }
    } finally {
      writer.abort()
    }
    onProgress?.(reader.position, reader.sizeBytes)
  }
}

/** Follows the manifest through what was staged: nothing may be missing, and nothing may be there besides. */
function checkWhole(reader: BundleReader, head: Head, staged: ReadonlyMap<Digest, Staged>): Reach {
  const reach = reachOf(head.manifest, (digest) => {
    const file = staged.get(digest)
    if (file === undefined)
      throw reader.damaged(`the object ${short(digest)} is not in it`, objectPath('objects', digest))
    if (file.sizeBytes > readIntoMemoryMaxBytes) {
      throw reader.damaged(`an object that describes others has ${file.sizeBytes} bytes`, objectPath('objects', digest))
    }
    return readFileSync(file.stagedPath)
  })
  for (const digest of reach.neverEvicted) {
    if (!staged.has(digest))
      throw reader.damaged(`the object ${short(digest)} is not in it`, objectPath('objects', digest))
  }
  for (const [digest, sizeBytes] of reach.sizes) {
    const file = staged.get(digest)
    if (file !== undefined && file.sizeBytes !== sizeBytes) {
      throw reader.damaged(
        `its artifact says ${sizeBytes} bytes, it has ${file.sizeBytes}`,
        objectPath('objects', digest),
      )
    }
  }
  const expected = folderFiles(head.manifest, head.provenance, reach, { origin: 'imported', trusted: false })
  for (const file of ['checksums', 'derivedChecksums'] as const) {
    if (expected[file] !== head[file]) throw reader.damaged('it does not fit the manifest', snapshotFiles[file])
  }
  return reach
}

const plainPayload = ({ address, artifact: _artifact, ...spec }: ManifestNode): unknown => ({ spec, address })

/** So that a run after a trusted import is cached. What this root knows already stands: another's word opens no dispute,
 *  and an old observation must not become the newest. */
function recordsOf(store: Store, manifest: Manifest, payloadOf: (node: ManifestNode) => unknown) {
  const records: RecordEntry[] = []
  const conflicts: { address: string; ours: Digest; theirs: Digest }[] = []
  const fresh = new Map<Digest, Digest>()
  for (const node of manifest.nodes) {
    const { address, artifact } = node
    const key = keyOfSpec(specOf(node))
    const known = node.kind === 'source' ? store.records.observations(key).at(-1) : store.records.result(key)
    const ours = known?.artifact ?? fresh.get(key)
    if (ours === undefined) {
      fresh.set(key, artifact)
      const kind = node.kind === 'source' ? 'observation' : 'result'
      records.push({ kind, key, artifact, payload: payloadOf(node) })
    } else if (ours !== artifact && node.kind === 'pure') conflicts.push({ address, ours, theirs: artifact })
  }
  return { records, conflicts }
}

/** A bundle may leave derived bytes out. Said so, they are evicted and come back when demanded; unsaid, they would be
 *  damage. */
async function recordEvictions(store: Store, manifest: Manifest): Promise<void> {
  const artifacts = new Set(manifest.nodes.map(({ artifact }) => artifact))
  const records = [...artifacts]
    .filter((artifact) => store.artifactPresence(artifact) === 'missing')
    .map((key): RecordEntry => ({ kind: 'evicted', key }))
  if (records.length > 0) await store.commit({ staged: [], records })
}
