import { z } from 'zod'
import type { FileSet } from '../../../lib/artifact.ts'
import { Fault } from '../../../lib/fault.ts'
import { coversGrid } from '../../../lib/market/coverage/coversGrid.ts'
import { gapsOf } from '../../../lib/market/coverage/gapsOf.ts'
import { barGaps, barPartitionParams } from '../../../lib/market/ingest/barParams.ts'
import { type BarPartition, barFindings } from '../../../lib/market/ingest/bars.ts'
import { archiveDoubts, openZip } from '../../../lib/market/ingest/fileDoubts.ts'
import { rawBars } from '../../../lib/market/ingest/rawFiles.ts'
import { intervalMs } from '../../../lib/time.ts'
import { wholeSizeBytesMax } from '../../../lib/zip.ts'
import { defineTask, optional } from '../../../pipeline/engine/task.ts'

/** What an archive lacks, so that days may fill a month, and the API a day. A hole of the market itself is looked for in
 *  vain in both, and stays a hole. */
export const findBarGaps = defineTask({
  name: 'findBarGaps',
  kind: 'pure',
  params: z.object({
    ...barPartitionParams,
    /** Who is asked next. */
    next: z.enum(['days', 'slices', 'nobody']),
    rowsPerSlice: z.number().int().positive(),
  }),
  inputs: { archive: optional(rawBars) },
  output: barGaps,
  run: ({ archive }, params) => {
    if (archive !== undefined && isWhole(archive, params)) return { days: [], slices: [] }
    const raw = archive === undefined ? [] : [archive]
    return gapsOf(barFindings(raw, params, 'quarantine').findings, params)
  },
})

/** Nearly all archives are, and need no closer look here: the numbers are read where they are taken in. */
function isWhole(archive: FileSet, { interval, fromTsMs, toTsMs }: BarPartition): boolean {
  const zips = archive.names.filter((name) => name.endsWith('.zip'))
  if (zips.length !== 1 || interval === '1M' || interval === '1w') return false
  if (archiveDoubts(archive, 'quarantine').length > 0) return false
  try {
    // Piece by piece, in memory that is used again and again. What is too large to be taken in is no whole archive.
    const { pieces } = openZip(archive, zips[0]!, wholeSizeBytesMax)
    return coversGrid(pieces(), fromTsMs, toTsMs, intervalMs(interval))
  } catch (error) {
    if (error instanceof Fault) return false
    throw error
  }
}
