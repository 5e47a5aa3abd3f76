import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from './digest.ts'
import { layoutOf } from './layout.ts'
import { segmentSuffix } from './segmentWriter.ts'

/** A short text that changes whenever anything was recorded, compacted or collected in a store. It rests on the names
 *  and sizes of the record segments alone: they only grow, sealing does not change their size, and nothing is deleted
 *  before it is recorded. It needs no open store and costs a few microseconds a segment. */
export function readGeneration(root: string): string {
  const recordsDir = layoutOf(root).records
  const parts: string[] = []
  let names: string[]
  try {
    names = readdirSync(recordsDir)
  } catch {
    return 'none'
  }
  for (const name of names) {
    if (!name.endsWith(segmentSuffix)) continue
    const sizeBytes = statSync(join(recordsDir, name), { throwIfNoEntry: false })?.size
    if (sizeBytes !== undefined) parts.push(`${name} ${sizeBytes}`)
  }
  return digestOf(parts.sort().join('\n')).slice(0, 32)
}
