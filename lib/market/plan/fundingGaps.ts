import { z } from 'zod'
import type { FileSet } from '../../artifact.ts'
import { jsonArtifact } from '../../artifact.ts'
import type { TsMs } from '../../time.ts'
import { fundingRatesPerRequest } from '../../venues/usdm.ts'
import { type FundingPartition, settlementsOf } from '../ingest/settlements.ts'
import { type PlannedSlice, plannedSlices, sliceShape } from './partitions.ts'
import type { SliceGrid } from './slices.ts'

const fundingGrid: SliceGrid = { endpoint: '/fapi/v1/fundingRate', version: 1, limit: fundingRatesPerRequest }

/** Slices of the API over a stretch of settlements, as of an instant. A settlement an hour is the most there is. */
export const fundingSlices = (
  symbol: string,
  span: { readonly fromTsMs: TsMs; readonly toTsMs: TsMs },
  asOfTsMs: TsMs,
): PlannedSlice[] => plannedSlices(fundingGrid, symbol, '1h', span, asOfTsMs)

/** What an archive of settlements lacks, and the API may have. */
export const fundingGaps = jsonArtifact('fundingGaps', z.object({ slices: z.array(sliceShape) }))

/** Slices that reach into what the archive's month lacks: all of it, where there is none or nothing of it is taken. */
export function fundingGapsOf(archive: FileSet | undefined, partition: FundingPartition): PlannedSlice[] {
  const { findings } = settlementsOf(archive === undefined ? [] : [archive], partition, 'quarantine')
  const byKey = new Map<string, PlannedSlice>()
  for (const { kind, fromTsMs, toTsMs } of findings) {
    if (kind !== 'missingRows') continue
    // Asked for as of the partition's own end: what lies behind it belongs to others, and this one never changes.
    const span = { fromTsMs: fromTsMs!, toTsMs: toTsMs! }
    for (const slice of fundingSlices(partition.symbol, span, partition.toTsMs)) byKey.set(slice.key, slice)
  }
  return [...byKey.values()]
}
