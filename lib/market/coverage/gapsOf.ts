import type { Finding } from '../../audit/finding.ts'
import { daysBetween } from '../../time.ts'
import type { BarPartition } from '../ingest/bars.ts'
import { barGrid, type PlannedSlice, plannedSlices } from '../plan/partitions.ts'

/** The days, or the slices of the API, that reach into the stretches the findings call missing. */
export function gapsOf(
  findings: readonly Finding[],
  partition: BarPartition & { readonly next: 'days' | 'slices' | 'nobody'; readonly rowsPerSlice: number },
): { days: string[]; slices: PlannedSlice[] } {
  const { next, market, kind, symbol, interval, toTsMs, rowsPerSlice } = partition
  const missing = findings.filter(({ kind: found }) => found === 'missingRows')
  if (next === 'nobody' || missing.length === 0) return { days: [], slices: [] }
  if (next === 'days') {
    return { days: [...new Set(missing.flatMap((gap) => daysBetween(gap.fromTsMs!, gap.toTsMs!)))].sort(), slices: [] }
  }
  const grid = barGrid(market, kind, rowsPerSlice)
  const byKey = new Map<string, PlannedSlice>()
  for (const gap of missing) {
    // Asked for as of the partition's own end: what lies behind it belongs to others, and this one never changes.
    const span = { fromTsMs: gap.fromTsMs!, toTsMs: gap.toTsMs! }
    for (const slice of plannedSlices(grid, symbol, interval, span, toTsMs)) byKey.set(slice.key, slice)
  }
  return { days: [], slices: [...byKey.values()] }
}
