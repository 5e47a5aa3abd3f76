import type { Duration } from './duration.ts'

/** How far back to look: so many rows, or so much time. Time means the same on bars of any length and across gaps. */
export type Lookback = number | Duration

/**
 * The last of the rows up to `lastRow` that stands at or before `tsMs`, -1 where all are later. Rows are at least `stepMs`
 * apart and `lastRow` stands at or before `tsMs + backMs`, so that the row sought is no earlier than the one so many steps
 * back: without gaps it is that one, and nothing is searched.
 */
export function rowAgo(
  rowTsMs: Float64Array,
  lastRow: number,
  tsMs: number,
  { backMs, stepMs }: { backMs: number; stepMs: number },
): number {
  let low = Math.max(0, lastRow - Math.floor(backMs / stepMs))
  if (lastRow < 0 || rowTsMs[low]! > tsMs) return -1
  // Where rows are missing it is so many rows later, and mostly few are: strides that double end near it.
  let high = low + 1
  for (let stride = 1; high <= lastRow && rowTsMs[high]! <= tsMs; stride *= 2) {
    low = high
    high = Math.min(lastRow + 1, high + stride)
  }
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (rowTsMs[middle]! <= tsMs) low = middle
    else high = middle
  }
  return low
}
