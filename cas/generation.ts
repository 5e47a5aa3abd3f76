import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from './digest.ts'
import { layoutOf } from './layout.ts'
import { segmentSuffix } from './segmentWriter.ts'

/** A short text that changes whenever anything was recorded, compacted or collected in a store. It rests on the names
 *  and sizes of the record segments alone: they only grow, sealing does not change their size, and nothing is deleted
 *  before it is recorded. It needs no open store and costs a few microseconds a segment. */
export const readGeneration = (root: string): string => generationOf(segmentSizes(root))

/** Sizes in bytes of the record segments, by name. */
export type SegmentSizes = ReadonlyMap<string, number>

export function segmentSizes(root: string): SegmentSizes {
  const recordsDir = layoutOf(root).records
  const sizes = new Map<string, number>()
  let names: string[]
  try {
    names = readdirSync(recordsDir)
  } catch {
    return sizes
  }
  for (const name of names) {
    if (!name.endsWith(segmentSuffix)) continue
    const sizeBytes = statSync(join(recordsDir, name), { throwIfNoEntry: false })?.size
    if (sizeBytes !== undefined) sizes.set(name, sizeBytes)
  }
  return sizes
}

export function generationOf(sizes: SegmentSizes): string {
  const parts = [...sizes].map(([name, sizeBytes]) => `${name} ${sizeBytes}`)
  return parts.length === 0 ? 'none' : digestOf(parts.sort().join('\n')).slice(0, 32)
}

/** Whether nobody but one writer recorded anything in between: a process has one segment of its own. */
export function grewAlone(before: SegmentSizes, after: SegmentSizes, hasRecorded: boolean): boolean {
  for (const [name, sizeBytes] of before) if (after.get(name) !== sizeBytes) return false
  return after.size - before.size <= (hasRecorded ? 1 : 0)
}
