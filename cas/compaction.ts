import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isGone } from './ioFault.ts'
import { decodeSeal, preambleSizeBytes } from './segment.ts'
import { readRange, type SegmentState } from './segmentFile.ts'
import { SegmentWriter } from './segmentWriter.ts'
import type { Store } from './store.ts'

const groupSizeBytes = 2 ** 20

export interface Compaction {
  readonly merged: readonly string[]
  readonly into: string
}

/** Copies the live entries of closed segments into one new segment that names the old ones as superseded. The old
 *  files stay until `removeSuperseded`, so that a reader in the middle of them is not disturbed. */
export function compactRecords(store: Store, options: { atLeast: number; durable?: boolean }): Compaction | undefined {
  store.log.refresh()
  const merged = store.log.segments.filter((segment) => isClosed(store, segment))
  if (merged.length < Math.max(2, options.atLeast)) return undefined
  const names = merged.map((segment) => segment.name)
  // What these had superseded in their turn may still lie about.
  const supersedes = [...new Set(merged.flatMap((segment) => [segment.name, ...segment.supersedes]))].sort()
  const writer = new SegmentWriter(store.layout.records, {
    durable: options.durable ?? true,
    supersedes,
    faults: store.faults,
  })
  let batch: Buffer[] = []
  let batchSizeBytes = 0
  const writeBatch = () => {
    if (batch.length > 0) writer.appendWritten(batch)
    batch = []
    batchSizeBytes = 0
  }
  for (const digest of store.log.entriesIn(new Set(names))) {
    const entry = store.log.readEntry(digest)
    batch.push(entry)
    batchSizeBytes += entry.length
    if (batchSizeBytes >= groupSizeBytes) writeBatch()
  }
  writeBatch()
  store.faults?.hit('compact:afterWrite')
  writer.close()
  store.log.reload()
  store.log.saveCache()
  return { merged: names, into: writer.name }
}

/** A segment that nobody will append to, and whose every byte was understood. A damaged one is left as it is: it may
 *  hold more for somebody with better tools. */
function isClosed(store: Store, segment: Readonly<SegmentState>): boolean {
  if (segment.damage.length > 0 || segment.consumedBytes === 0 || segment.name === store.log.ownSegment) return false
  if (segment.sealed) return true
  const { owner } = segment
  if (!owner) return false
  // Whoever writes records holds a lease, so an unsealed segment without one was left by a crash.
  return !store.leases
    .live(undefined)
    .some((lease) => lease.owner && JSON.stringify(lease.owner) === JSON.stringify(owner))
}

/** Deletes segments that a whole and old enough segment repeats. */
export function removeSuperseded(store: Store, options: { graceMs: number; nowMs: number }): number {
  let removedBytes = 0
  for (const segment of store.log.segments) {
    if (!segment.sealed || segment.damage.length > 0 || segment.supersedes.length === 0) continue
    const path = join(store.layout.records, segment.name)
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat || options.nowMs - stat.mtimeMs < options.graceMs) continue
    const left = segment.supersedes.filter((name) =>
      statSync(join(store.layout.records, name), { throwIfNoEntry: false }),
    )
    // Before anything it repeats is deleted, the whole segment is read once more, down to its seal.
    if (left.length === 0 || !isSealIntact(path)) continue
    for (const name of left) removedBytes += removeSegment(join(store.layout.records, name))
  }
  return removedBytes
}

function removeSegment(path: string): number {
  try {
    const { size } = statSync(path)
    unlinkSync(path)
    return size
  } catch (error) {
    if (isGone(error)) return 0
    throw error
  }
}

/** Whether a sealed segment still is what its seal says, byte by byte. */
function isSealIntact(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const seal = decodeSeal(readRange(fd, 0, preambleSizeBytes))
    if (typeof seal !== 'object' || fstatSync(fd).size !== seal.sizeBytes) return false
    const hash = createHash('sha256')
    const chunk = Buffer.allocUnsafe(2 ** 20)
    for (let at = preambleSizeBytes; at < seal.sizeBytes; ) {
      const count = readSync(fd, chunk, 0, chunk.length, at)
      if (count === 0) return false
      hash.update(chunk.subarray(0, count))
      at += count
    }
    return hash.digest().equals(seal.sha256)
  } finally {
    closeSync(fd)
  }
}
