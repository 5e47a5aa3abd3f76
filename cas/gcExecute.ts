import { mkdirSync, rmdirSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../lib/fault.ts'
import { compactRecords, removeSuperseded } from './compaction.ts'
import { type Digest, isDigest } from './digest.ts'
import { readIfDescriptor } from './findDescriptor.ts'
import { syncFolder } from './folders.ts'
import type { DoomedObject, GcPlan } from './gc.ts'
import { epochNoteName, newEpochNote, readEpochNote } from './gcSurvey.ts'
import { errnoOf, isGone, writeFault } from './ioFault.ts'
import { objectPath } from './layout.ts'
import { isObjectThere, readFolder } from './objects.ts'
import type { Store } from './store.ts'
import { moveToTrash, putBack, trashEpochs } from './trash.ts'

export interface GcResult {
  readonly collectedObjects: number
  readonly collectedBytes: number
  readonly emptiedBytes: number
  readonly restoredObjects: number
  /** Objects that somebody used between the plan and the deed. */
  readonly sparedObjects: number
  readonly sweptStagingFolders: number
}

/** This many record segments are worth merging. */
const segmentsBeforeCompaction = 16

/** Does what a plan says, in an order that any other process, and a crash at any moment, can live with: first the
 *  record that the bytes are given up on purpose, then the rename to the trash. What is used in between is spared:
 *  publishers freshen the time of objects they find, readers name them in their leases, and both take back from the
 *  trash what they miss. */
export async function executeGc(store: Store, plan: GcPlan): Promise<GcResult> {
  const lease = store.openLease('gc')
  try {
    store.faults?.hit('gc:begin')
    // Looked at before the record is written: whoever published or undid something and is gone by now wrote its
    // records before ours, and whoever is still at it is spared. So the last word in the records is the true one.
    const used = usedByLeases(store)
    const evicted = plan.evicted.filter((digest) => !used.has(digest))
    await record(store, 'evicted', evicted)
    store.faults?.hit('gc:afterRecords')

    const collected = trashObjects(store, plan, evicted, used)
    store.faults?.hit('gc:afterTrash')
    const restoredObjects = plan.putBack.filter(({ epoch, digest }) => putBack(store.layout, epoch, digest)).length
    // A publisher may have come between the record and the rename, and found or rescued everything it needs.
    lease.uses(evicted.filter((digest) => isWhole(store, digest)))
    const spared = evicted.filter((digest) => isWhole(store, digest))
    await record(store, 'restored', [...new Set([...spared, ...plan.restored])])

    const emptiedBytes = emptyTrash(store, plan)
    store.faults?.hit('gc:afterEmpty')
    const sweptStagingFolders = sweepStaging(store)
    const { graceMs, nowMs } = plan.options
    removeSuperseded(store, { graceMs, nowMs })
    compactRecords(store, { atLeast: segmentsBeforeCompaction })
    store.leases.rememberBeats()
    return {
      collectedObjects: collected.length,
      collectedBytes: collected.reduce((sum, object) => sum + object.sizeBytes, 0),
      emptiedBytes,
      restoredObjects,
      sparedObjects: plan.collect.length - collected.length,
      sweptStagingFolders,
    }
  } finally {
    lease.close()
  }
}

async function record(store: Store, kind: 'evicted' | 'restored', digests: readonly Digest[]): Promise<void> {
  if (digests.length > 0) await store.commit({ staged: [], records: digests.map((key) => ({ kind, key })) })
}

/** Everything that live leases reach at this moment. */
function usedByLeases(store: Store): Set<Digest> {
  const used = new Set<Digest>()
  for (const lease of store.leases.live(undefined)) {
    const digests = [...lease.uses]
    for (const key of lease.claims.keys()) {
      for (const { artifact } of [...store.records.results(key), ...store.records.observations(key)]) {
        if (artifact) digests.push(artifact)
      }
    }
    for (const digest of digests) {
      used.add(digest)
      for (const file of readIfDescriptor(store.layout, digest)?.files ?? []) used.add(file.digest)
    }
  }
  return used
}

function trashObjects(
  store: Store,
  plan: GcPlan,
  evicted: readonly Digest[],
  used: ReadonlySet<Digest>,
): DoomedObject[] {
  const doomed = plan.collect.filter(({ digest }) => !used.has(digest))
  if (doomed.length === 0) return []
  const epoch = newEpoch(store, plan.options.nowMs, evicted)
  const collected = doomed.filter((object) => {
    const moved = moveIfUntouched(store, epoch, object)
    store.faults?.hit('gc:midTrash')
    return moved
  })
  syncFolder(join(store.layout.trash, epoch))
  // Whoever began to use something while it was being moved has said so in a lease before looking for it.
  const usedMeanwhile = usedByLeases(store)
  return collected.filter(({ digest }) => !usedMeanwhile.has(digest) || !putBack(store.layout, epoch, digest))
}

function newEpoch(store: Store, nowMs: number, evicted: readonly Digest[]): string {
  // The time in front sorts epochs; the rest keeps two collections of one millisecond apart.
  const epoch = `${String(Math.trunc(nowMs)).padStart(15, '0')}-${process.pid}-${process.hrtime.bigint().toString(36)}`
  const folder = join(store.layout.trash, epoch)
  try {
    mkdirSync(folder)
    writeFileSync(join(folder, epochNoteName), JSON.stringify(newEpochNote(nowMs, evicted)))
    syncFolder(store.layout.trash)
  } catch (error) {
    throw writeFault(error, folder)
  }
  return epoch
}

/** A publisher that finds an object in place freshens its time and goes on. Looking at the time before the rename and
 *  once more after it leaves no gap: whoever freshened it in between is seen, and whoever comes later finds nothing in
 *  place and publishes its own bytes. */
function moveIfUntouched(store: Store, epoch: string, object: DoomedObject): boolean {
  if (!isUntouched(objectPath(store.layout.objects, object.digest), object)) return false
  store.faults?.hit('gc:beforeMove')
  if (!moveToTrash(store.layout, epoch, object.digest)) return false
  if (isUntouched(join(store.layout.trash, epoch, object.digest), object)) return true
  return !putBack(store.layout, epoch, object.digest)
}

function isUntouched(path: string, object: DoomedObject): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && stat.mtimeMs === object.mtimeMs && stat.size === object.sizeBytes
}

/** Whether an artifact has all its files in place, or a plain object is there. */
function isWhole(store: Store, digest: Digest): boolean {
  const isThere = (wanted: Digest) => isObjectThere(objectPath(store.layout.objects, wanted))
  if (!isThere(digest)) return false
  return (readIfDescriptor(store.layout, digest)?.files ?? []).every((file) => isThere(file.digest))
}

function emptyTrash(store: Store, plan: GcPlan): number {
  const used = plan.emptied.length > 0 ? usedByLeases(store) : new Set<Digest>()
  let emptiedBytes = 0
  for (const { epoch, digest, sizeBytes } of plan.emptied) {
    if (used.has(digest) && putBack(store.layout, epoch, digest)) continue
    if (removeFile(join(store.layout.trash, epoch, digest))) emptiedBytes += sizeBytes
    store.faults?.hit('gc:midEmpty')
  }
  for (const epoch of plan.oldEpochs) removeEpochIfEmpty(store, epoch)
  return emptiedBytes
}

function removeFile(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (isGone(error)) return false
    if (errnoOf(error) !== 'EISDIR' && errnoOf(error) !== 'EPERM') throw error
    rmSync(path, { recursive: true, force: true })
    return true
  }
}

function removeEpochIfEmpty(store: Store, epoch: string): void {
  const folder = join(store.layout.trash, epoch)
  if (readFolder(folder).some((name) => name !== epochNoteName)) return
  removeFile(join(folder, epochNoteName))
  try {
    rmdirSync(folder)
  } catch (error) {
    // Another collection was faster, or has just put something in.
    if (!isGone(error) && errnoOf(error) !== 'ENOTEMPTY') throw error
  }
}

/** Removes what processes that are gone had staged. Every staging folder is named after the lease that was taken
 *  before it was made. */
function sweepStaging(store: Store): number {
  // In this order: a folder that is listed has had its lease since before, so a living one is found.
  const folders = readFolder(store.layout.staging)
  const alive = new Set(store.leases.live(undefined).map((lease) => lease.id))
  const orphans = folders.filter((name) => !alive.has(name))
  for (const name of orphans) rmSync(join(store.layout.staging, name), { recursive: true, force: true })
  return orphans.length
}

/** Brings everything back that the last collection moved to the trash. */
export async function undoGc(store: Store): Promise<{ restoredObjects: number; restoredBytes: number }> {
  const epoch = trashEpochs(store.layout)
    .filter((name) => readFolder(join(store.layout.trash, name)).some((file) => file !== epochNoteName))
    .at(-1)
  if (epoch === undefined) {
    throw new Fault({
      code: 'usage',
      what: 'there is nothing to bring back: the trash is empty',
      where: store.root,
      todo: 'what is gone comes back by running its node again',
    })
  }
  const lease = store.openLease('undo gc')
  let restoredObjects = 0
  let restoredBytes = 0
  try {
    const folder = join(store.layout.trash, epoch)
    const evicted = readEpochNote(store.layout.trash, epoch)?.evicted ?? []
    const digests = readFolder(folder).filter(isDigest)
    // A collection that starts now must not take again what is being brought back.
    lease.uses([...digests, ...evicted])
    for (const digest of digests) {
      const sizeBytes = statSync(join(folder, digest), { throwIfNoEntry: false })?.size ?? 0
      if (!putBack(store.layout, epoch, digest)) continue
      restoredObjects++
      restoredBytes += sizeBytes
      store.faults?.hit('undo:midway')
    }
    // After the objects: until then they count as given up, which is true of some of them.
    store.records.refresh()
    await record(
      store,
      'restored',
      evicted.filter((digest) => store.records.isEvicted(digest)),
    )
  } finally {
    lease.close()
  }
  removeEpochIfEmpty(store, epoch)
  return { restoredObjects, restoredBytes }
}
