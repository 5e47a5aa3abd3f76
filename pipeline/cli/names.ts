import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import { keyOfSpec, type Manifest, type ManifestNode, manifestId, specOf } from '../../snapshots/manifest.ts'
import { parseManifest } from '../../snapshots/parseManifest.ts'
import { hasSnapshot, listSnapshots, readSnapshot } from '../../snapshots/snapshotFolder.ts'
import type { RecordPayload } from '../engine/recordPayload.ts'
import type { Digest, Store } from './context.ts'
import { listRunIds, runFolder } from './storedRuns.ts'

/** What a person writes for a run or an artifact, and what it stands for. */

export interface NamedManifest {
  /** `snapshot demo`, `run 20240301-…`, `file x/manifest.json`. */
  readonly label: string
  readonly id: Digest
  readonly manifest: Manifest
}

/** A snapshot's name, a run's id, `last`, `last~2`, the beginning of a manifest's id, or a path to a manifest. */
export function findManifest(store: Store, name: string, cwd: string): NamedManifest {
  const { root } = store
  if (isSnapshotName(root, name)) {
    const { id, manifest } = readSnapshot(root, name)
    return { label: `snapshot ${name}`, id, manifest }
  }
  const last = /^last(?:~(\d+))?$/.exec(name)
  if (last) {
    const manifests = finishedRuns(root)
    const wanted = Number(last[1] ?? 0)
    for (let i = 0; i <= wanted; i++) {
      const next = manifests.next()
      if (next.done) break
      if (i === wanted) return next.value
    }
    throw new Fault({
      code: 'usage',
      what: `there is no finished run ${name} here`,
      where: root,
      todo: 'see "pipe runs"',
    })
  }
  const ofRun = manifestOfRun(root, name)
  if (ofRun) return ofRun
  if (isHashText(name)) {
    for (const snapshot of listSnapshots(root)) {
      const { id, manifest } = readSnapshot(root, snapshot)
      if (id.startsWith(name)) return { label: `snapshot ${snapshot}`, id, manifest }
    }
    for (const run of finishedRuns(root)) if (run.id.startsWith(name)) return run
  }
  if (/[/.]/.test(name) && existsSync(resolve(cwd, name))) {
    const manifest = parseManifest(readFileSync(resolve(cwd, name)), name)
    return { label: `file ${name}`, id: manifestId(manifest), manifest }
  }
  const near = didYouMean(name, [...listSnapshots(root), ...listRunIds(root)])
  throw new Fault({
    code: 'usage',
    what: `nothing here is called "${name}": no snapshot, run or manifest${near}`,
    where: root,
    todo: 'see "pipe snapshot ls" and "pipe runs"; "last" is the newest finished run',
  })
}

/** Finished runs, newest first. */
export function newestRuns(root: string, most: number): NamedManifest[] {
  const found: NamedManifest[] = []
  if (most === 0) return found
  for (const run of finishedRuns(root)) {
    found.push(run)
    if (found.length === most) break
  }
  return found
}

export interface NamedArtifact {
  /** How it was found, for messages. */
  readonly label: string
  readonly artifact: Digest
  /** The node it was found as, where it was. */
  readonly node?: ManifestNode
  /** The key it is recorded under, where one is known. */
  readonly key?: Digest
}

/** An address or target of a snapshot or of the newest run that has it, else the beginning of an artifact's or key's
 *  hash. */
export function findArtifact(store: Store, name: string, snapshot: string | undefined): NamedArtifact {
  const known: string[] = []
  for (const { label, manifest } of manifestsToSearch(store, snapshot)) {
    const target = manifest.targets.find((candidate) => candidate.name === name)
    const addresses = target?.addresses ?? [name]
    // A node may be called like a target that it is only a part of: one node is what was meant.
    const namesake = addresses.length === 1 ? undefined : manifest.nodes.find((candidate) => candidate.address === name)
    if (addresses.length > 1 && namesake === undefined) {
      throw new Fault({
        code: 'usage',
        what: `the target ${name} stands for ${addresses.length} nodes`,
        where: label,
        todo: `name one of them: ${addresses.slice(0, 3).join(', ')}${addresses.length > 3 ? ', …' : ''}`,
      })
    }
    const node = namesake ?? manifest.nodes.find((candidate) => candidate.address === addresses[0])
    if (node) return { label, artifact: node.artifact, node, key: keyOfSpec(specOf(node)) }
    known.push(...manifest.nodes.map((candidate) => candidate.address))
  }
  const byHash = isHashText(name) ? findByHash(store, name) : undefined
  if (byHash) return byHash
  const byRecord = snapshot === undefined ? findByRecordedAddress(store, name) : undefined
  if (byRecord) return byRecord
  throw new Fault({
    code: 'usage',
    what: `nothing here is called "${name}"${didYouMean(name, known)}`,
    where: snapshot === undefined ? store.root : `snapshot ${snapshot}`,
    todo: 'see "pipe ls" for addresses; a hash needs its first 6 digits at least',
  })
}

const isHashText = (name: string): boolean => /^[0-9a-f]{6,64}$/.test(name)

function isSnapshotName(root: string, name: string): boolean {
  try {
    return hasSnapshot(root, name)
  } catch (error) {
    // A text that no snapshot may be called may still be a path or a run.
    if (error instanceof Fault) return false
    throw error
  }
}

function* manifestsToSearch(store: Store, snapshot: string | undefined): Generator<NamedManifest> {
  if (snapshot !== undefined) {
    const { id, manifest } = readSnapshot(store.root, snapshot)
    yield { label: `snapshot ${snapshot}`, id, manifest }
    return
  }
  // The newest run of each pipeline: an older run of the same one would show what no longer holds.
  const seen = new Set<string>()
  for (const run of finishedRuns(store.root)) {
    if (seen.has(run.manifest.pipeline)) continue
    seen.add(run.manifest.pipeline)
    yield run
  }
}

function* finishedRuns(root: string): Generator<NamedManifest> {
  for (const run of listRunIds(root)) {
    const found = manifestOfRun(root, run)
    if (found) yield found
  }
}

function manifestOfRun(root: string, run: string): NamedManifest | undefined {
  if (/[/\\]|^\.+$/.test(run)) return undefined
  const path = join(runFolder(root, run), 'manifest.json')
  if (!existsSync(path)) return undefined
  try {
    const manifest = parseManifest(readFileSync(path), path)
    return { label: `run ${run}`, id: manifestId(manifest), manifest }
  } catch (error) {
    if (error instanceof Fault) return undefined // torn by a crash: the run counts as unfinished
    throw error
  }
}

function findByHash(store: Store, prefix: string): NamedArtifact | undefined {
  const artifacts = new Map<Digest, Digest | undefined>()
  const note = (artifact: Digest | undefined, key: Digest): void => {
    if (artifact === undefined) return
    if (artifact.startsWith(prefix) || key.startsWith(prefix)) artifacts.set(artifact, key)
  }
  store.records.scan('result', (record) => note(record.artifact, record.key))
  store.records.scan('observation', (record) => note(record.artifact, record.key))
  if (artifacts.size > 1) {
    const keys = new Set(artifacts.values())
    // Several artifacts of one key are its history or its dispute; the one that serves is meant.
    const [key] = keys
    const serving =
      key === undefined ? undefined : (store.records.result(key) ?? store.records.observations(key).at(-1))
    if (keys.size === 1 && serving?.artifact !== undefined)
      return { label: `key ${prefix}`, artifact: serving.artifact, key }
    throw new Fault({
      code: 'usage',
      what: `"${prefix}" is the beginning of ${artifacts.size} hashes`,
      todo: `write more digits: ${[...artifacts.keys()].slice(0, 3).join(', ')}`,
    })
  }
  for (const [artifact, key] of artifacts)
    return { label: `hash ${prefix}`, artifact, ...(key === undefined ? {} : { key }) }
  // An artifact that no record names any more, such as one of an imported snapshot.
  if (prefix.length === 64 && store.hasObject(prefix as Digest))
    return { label: `hash ${prefix}`, artifact: prefix as Digest }
  return undefined
}

function findByRecordedAddress(store: Store, address: string): NamedArtifact | undefined {
  let newest: { artifact: Digest; key: Digest; sequence: number } | undefined
  for (const kind of ['result', 'observation'] as const) {
    store.records.scan(kind, (record) => {
      if (record.artifact === undefined || (newest && record.sequence < newest.sequence)) return
      const payload = store.records.payload(record) as RecordPayload | undefined
      if (payload?.address === address)
        newest = { artifact: record.artifact, key: record.key, sequence: record.sequence }
    })
  }
  return newest && { label: 'the newest record of this address', artifact: newest.artifact, key: newest.key }
}
