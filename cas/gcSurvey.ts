import { lstatSync, readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import type { ArtifactDescriptor } from './artifact.ts'
import { type Digest, isDigest } from './digest.ts'
import { readIfDescriptor } from './findDescriptor.ts'
import { digestOfObjectFile, objectPath } from './layout.ts'
import type { LiveLease } from './leases.ts'
import { listObjects, readFolder } from './objects.ts'
import { thisProcess } from './owner.ts'
import type { Store } from './store.ts'
import { trashEpochs } from './trash.ts'

interface SurveyedObject {
  readonly sizeBytes: number
  readonly mtimeMs: number
}

interface TrashEpoch {
  readonly name: string
  /** How long ago it was filled, by the most cautious of the clocks there are. */
  readonly ageMs: number
  readonly objects: ReadonlyMap<Digest, SurveyedObject>
}

/** What lies in a store, read without changing anything. */
export interface Survey {
  readonly objects: ReadonlyMap<Digest, SurveyedObject>
  readonly trash: readonly TrashEpoch[]
  /** What lies in the trash and not in its place as well. */
  readonly onlyInTrash: ReadonlyMap<Digest, SurveyedObject>
  readonly leases: readonly LiveLease[]
  /** Artifacts that records name, and which of them are observations of the outside world. */
  readonly artifacts: ReadonlySet<Digest>
  readonly sources: ReadonlySet<Digest>
  /** Artifacts that records bind to a key, for the claims of live leases. */
  artifactsOf(key: Digest): readonly Digest[]
  isEvicted(artifact: Digest): boolean
  /** The descriptor that an object holds, or undefined where it is absent or something else. */
  descriptorOf(digest: Digest): ArtifactDescriptor | undefined
}

export function surveyStore(store: Store, options: { nowMs: number }): Survey {
  // Leases before objects: whatever a process uses after this, it finds in place or in the trash.
  const leases = store.leases.live(undefined)
  store.records.refresh()
  const artifacts = new Set<Digest>()
  const sources = new Set<Digest>()
  store.records.scan('result', ({ artifact }) => artifact && artifacts.add(artifact))
  store.records.scan('observation', ({ artifact }) => artifact && artifacts.add(artifact) && sources.add(artifact))
  const objects = surveyObjects(store)
  const trash = trashEpochs(store.layout).map((name) => surveyEpoch(store, name, options.nowMs))
  const descriptors = new Map<Digest, ArtifactDescriptor | undefined>()
  return {
    objects,
    trash,
    onlyInTrash: new Map(trash.flatMap((epoch) => [...epoch.objects]).filter(([digest]) => !objects.has(digest))),
    leases,
    artifacts,
    sources,
    artifactsOf: (key) =>
      [...store.records.results(key), ...store.records.observations(key)].flatMap((record) => record.artifact ?? []),
    isEvicted: (artifact) => store.records.isEvicted(artifact),
    descriptorOf(digest) {
      if (!descriptors.has(digest)) descriptors.set(digest, readIfDescriptor(store.layout, digest))
      return descriptors.get(digest)
    },
  }
}

function surveyObjects(store: Store): Map<Digest, SurveyedObject> {
  const objects = new Map<Digest, SurveyedObject>()
  for (const { shard, name } of listObjects(store.layout)) {
    const digest = digestOfObjectFile(shard, name)
    // Strange files are not ours to delete; `verify` reports them.
    if (digest === undefined) continue
    const stat = lstatSync(objectPath(store.layout.objects, digest), { throwIfNoEntry: false })
    if (stat?.isFile()) objects.set(digest, { sizeBytes: stat.size, mtimeMs: stat.mtimeMs })
  }
  return objects
}

/** What a collection notes about itself in its folder of the trash. */
export interface EpochNote {
  readonly startedAtMs: number
  readonly bootId: string
  readonly uptimeMs: number
  /** What its evicted records are about, so that undoing it can say `restored`. */
  readonly evicted: readonly Digest[]
}

export const epochNoteName = 'epoch.json'

export function newEpochNote(nowMs: number, evicted: readonly Digest[]): EpochNote {
  return { startedAtMs: nowMs, bootId: thisProcess().bootId, uptimeMs: uptime() * 1000, evicted }
}

export function readEpochNote(trashDir: string, epoch: string): EpochNote | undefined {
  try {
    const note = JSON.parse(readFileSync(join(trashDir, epoch, epochNoteName), 'utf8')) as EpochNote
    return Number.isFinite(note.startedAtMs) && Array.isArray(note.evicted) ? note : undefined
  } catch {
    return undefined
  }
}

function surveyEpoch(store: Store, name: string, nowMs: number): TrashEpoch {
  const folder = join(store.layout.trash, name)
  const objects = new Map<Digest, SurveyedObject>()
  for (const fileName of readFolder(folder)) {
    const stat = isDigest(fileName) ? lstatSync(join(folder, fileName), { throwIfNoEntry: false }) : undefined
    if (stat?.isFile()) objects.set(fileName as Digest, { sizeBytes: stat.size, mtimeMs: stat.mtimeMs })
  }
  return { name, ageMs: epochAgeMs(store, name, nowMs), objects }
}

/** The wall clock may have jumped since; within one boot the machine's uptime has not. The smaller age counts, and an
 *  epoch without a readable note has just begun. */
function epochAgeMs(store: Store, name: string, nowMs: number): number {
  const note = readEpochNote(store.layout.trash, name)
  if (!note) return 0
  const byWallClock = nowMs - note.startedAtMs
  if (note.bootId === '' || note.bootId !== thisProcess().bootId) return byWallClock
  return Math.min(byWallClock, uptime() * 1000 - note.uptimeMs)
}
