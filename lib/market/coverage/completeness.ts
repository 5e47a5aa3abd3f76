import type { fundingTable } from '../../tables/funding.ts'
import type { TableOf } from '../../tables/table.ts'
import { floorTo, HOUR_MS, type Interval, MINUTE_MS, monthOf, nextOpen, openOf, type TsMs } from '../../time.ts'
import { lastOpenEnd, missingBars, type Span } from './barGrid.ts'

/** Why rows are not here. */
export type GapReason =
  | 'venueGap' // everybody who could have them was asked
  | 'notFetched' // nobody was asked yet, or the venue has not published them
  | 'failed' // the last run tried in vain
  | 'notListed' // the symbol did not trade then

export type Gap = Span & {
  /** Unknown where no grid tells how many there should be. */
  readonly rows: number | undefined
  readonly why: GapReason
  readonly note?: string
}

/** Rows of which kind, and so which there should be. */
export type RowGrid =
  | { readonly kind: 'bars'; readonly interval: Interval }
  /** Five-minute statistics, named by an instant of their own; `atEnd` for those measured at the end of the five. */
  | { readonly kind: 'fiveMinutes'; readonly atEnd: boolean }
  /** Of a contract's first partition the very first may be absent: nothing is settled at the instant trading begins. */
  | { readonly kind: 'settlements'; readonly isFirst: boolean }
  /** As many as there were. */
  | { readonly kind: 'events' }

/** What a plan says of a partition. */
export type PlannedSpan = Span & { readonly closedBeforeTsMs?: TsMs | undefined }

/** What is stored of it. Its rows are decoded only where their count does not settle the matter. */
export type StoredSpan = {
  readonly rows: number
  /** As of when it was made, where it was still open then. */
  readonly closedBeforeTsMs?: TsMs | undefined
  /** The instants that name its rows, ascending; nothing where the table cannot be read any more. */
  times(): Float64Array | undefined
  settlements(): Pick<TableOf<typeof fundingTable>['columns'], 'settledTsMs' | 'intervalHours'> | undefined
}

export type SpanState = {
  /** Rows there should be; as many as there are where nothing tells. */
  readonly expected: number
  readonly rows: number
  readonly gaps: readonly Gap[]
}

const fiveMinutesMs = 5 * MINUTE_MS
const settlementHours = [8, 4, 2, 1]

/** How complete a partition is. */
export function stateOf(
  planned: PlannedSpan,
  stored: StoredSpan | undefined,
  grid: RowGrid,
  failure: string | undefined,
): SpanState {
  const end = endOf(grid, planned)
  const reason = failure === undefined ? ({ why: 'notFetched' } as const) : ({ why: 'failed', note: failure } as const)
  if (stored === undefined) {
    if (end <= planned.fromTsMs) return { expected: 0, rows: 0, gaps: [] }
    const expected = rowsBetween(grid, planned.fromTsMs, end)
    const gap = { fromTsMs: planned.fromTsMs, toTsMs: end, rows: expected, ...reason }
    return { expected: expected ?? 0, rows: 0, gaps: expected === 0 ? [] : [gap] }
  }
  // A table of an earlier as-of ends where it was still open; what came since is not fetched yet.
  const madeTo = Math.min(end, endOf(grid, { ...planned, closedBeforeTsMs: stored.closedBeforeTsMs }))
  const { expected, gaps } = within(planned.fromTsMs, madeTo, stored, grid)
  const later = madeTo < end ? rowsBetween(grid, madeTo, end) : 0
  if (later === 0) return { expected, rows: stored.rows, gaps }
  return {
    expected: expected + (later ?? 0),
    rows: stored.rows,
    gaps: [...gaps, { fromTsMs: madeTo, toTsMs: end, rows: later, ...reason }],
  }
}

/** The first instant of which there is no row to be expected. */
function endOf(grid: RowGrid, { toTsMs, closedBeforeTsMs }: PlannedSpan): TsMs {
  if (grid.kind === 'bars') return lastOpenEnd(grid.interval, toTsMs, closedBeforeTsMs)
  const end = Math.min(toTsMs, closedBeforeTsMs ?? toTsMs)
  return grid.kind === 'fiveMinutes' && end < toTsMs ? floorTo(end, fiveMinutesMs) : end
}

function within(fromTsMs: TsMs, toTsMs: TsMs, stored: StoredSpan, grid: RowGrid): { expected: number; gaps: Gap[] } {
  const missing = (spans: readonly (Span & { rows: number })[]) => ({
    expected: stored.rows + spans.reduce((sum, { rows }) => sum + rows, 0),
    gaps: spans.map((span) => ({ ...span, why: 'venueGap' as const })),
  })
  switch (grid.kind) {
    case 'events':
      return {
        expected: stored.rows,
        gaps: stored.rows > 0 ? [] : [{ fromTsMs, toTsMs, rows: undefined, why: 'venueGap' }],
      }
    case 'settlements': {
      const spans = missingSettlements(grid.isFirst ? fromTsMs + 1 : fromTsMs, toTsMs, stored)
      return spans === undefined ? unreadable(fromTsMs, toTsMs, stored.rows, stored.rows) : missing(spans)
    }
    default: {
      // Rows are on the grid and each is there once, so that their count tells whether all of them are there.
      if (stored.rows === rowsBetween(grid, fromTsMs, toTsMs)) return { expected: stored.rows, gaps: [] }
      const times = stored.times()
      if (times === undefined) return unreadable(fromTsMs, toTsMs, stored.rows, rowsBetween(grid, fromTsMs, toTsMs)!)
      const spans =
        grid.kind === 'bars'
          ? missingBars(times, grid.interval, fromTsMs, toTsMs)
          : missingSteps(times, grid.atEnd, fromTsMs, toTsMs)
      return missing(spans.map((span) => ({ ...span, rows: rowsBetween(grid, span.fromTsMs, span.toTsMs)! })))
    }
  }
}

/** Rows are counted in the descriptor of a table; where they lie only the table tells. */
function unreadable(fromTsMs: TsMs, toTsMs: TsMs, rows: number, expected: number): { expected: number; gaps: Gap[] } {
  const note = 'its table cannot be read, so that nothing tells where'
  const missing = Math.max(0, expected - rows)
  return { expected: rows + missing, gaps: [{ fromTsMs, toTsMs, rows: missing || undefined, why: 'venueGap', note }] }
}

/** How many rows open or happen in a stretch of time, where a grid tells. */
function rowsBetween(grid: RowGrid, fromTsMs: TsMs, toTsMs: TsMs): number | undefined {
  if (grid.kind === 'events') return undefined
  if (grid.kind === 'settlements') return stepsBetween(8 * HOUR_MS, fromTsMs, toTsMs)
  if (grid.kind === 'fiveMinutes') return stepsBetween(fiveMinutesMs, fromTsMs, toTsMs)
  const { interval } = grid
  if (interval !== '1M') {
    const anchor = openOf(0, interval)
    return stepsBetween(nextOpen(anchor, interval) - anchor, fromTsMs - anchor, toTsMs - anchor)
  }
  let count = 0
  for (let open = openOf(fromTsMs, interval); open < toTsMs; open = nextOpen(open, interval))
    if (open >= fromTsMs) count++
  return count
}

const stepsBetween = (stepMs: number, fromTsMs: number, toTsMs: number): number =>
  Math.max(0, Math.ceil(toTsMs / stepMs) - Math.ceil(fromTsMs / stepMs))

function missingSteps(times: Float64Array, atEnd: boolean, fromTsMs: TsMs, toTsMs: TsMs): Span[] {
  const starts = atEnd ? times.map((tsMs) => tsMs - fiveMinutesMs) : times
  return missingBars(starts, '5m', fromTsMs, toTsMs)
}

/** Settlements further apart than their interval, and too far from either end. Where there are as many as one interval
 *  gives for the whole stretch they need not be looked at. */
function missingSettlements(fromTsMs: TsMs, toTsMs: TsMs, stored: StoredSpan): (Span & { rows: number })[] | undefined {
  const countIs = (startTsMs: TsMs) => (hours: number) =>
    stepsBetween(hours * HOUR_MS, startTsMs, toTsMs) === stored.rows
  if (settlementHours.some(countIs(fromTsMs)) || settlementHours.some(countIs(floorTo(fromTsMs, 1000)))) return []
  if (stored.rows === 0) return [{ fromTsMs, toTsMs, rows: stepsBetween(8 * HOUR_MS, fromTsMs, toTsMs) }]
  const columns = stored.settlements()
  if (columns === undefined) return undefined
  const { settledTsMs, intervalHours } = columns
  const stepOf = (row: number) => (intervalHours.valid[row] === 1 ? intervalHours.values[row]! : 8) * HOUR_MS
  const found: (Span & { rows: number })[] = []
  const look = (afterTsMs: TsMs, untilTsMs: TsMs, stepMs: number) => {
    const rows = stepsBetween(stepMs, afterTsMs, untilTsMs)
    if (rows > 0) found.push({ fromTsMs: afterTsMs, toTsMs: untilTsMs, rows })
  }
  look(fromTsMs, settledTsMs[0]!, stepOf(0))
  for (let row = 1; row < settledTsMs.length; row++) {
    // The settlement at which the interval shrinks still ends a long one.
    const stepMs = Math.max(stepOf(row - 1), stepOf(row))
    look(settledTsMs[row - 1]! + 1, settledTsMs[row]!, stepMs)
  }
  const last = settledTsMs.length - 1
  look(settledTsMs[last]! + 1, toTsMs, stepOf(last))
  return found
}

export type MonthState = {
  readonly month: string
  readonly expected: number
  readonly rows: number
  /** The gravest reason for what is missing; none where nothing is. */
  readonly worst: GapReason | undefined
}

const gravity: readonly GapReason[] = ['notListed', 'venueGap', 'notFetched', 'failed']

/** Partitions of one series, in order, by month. */
export function byMonth(parts: readonly (SpanState & { readonly fromTsMs: TsMs })[]): MonthState[] {
  const months = new Map<string, MonthState>()
  for (const { fromTsMs, expected, rows, gaps } of parts) {
    const month = monthOf(fromTsMs)
    const known = months.get(month) ?? { month, expected: 0, rows: 0, worst: undefined }
    const worst = gaps.reduce<GapReason | undefined>(
      (most, { why }) => (most === undefined || gravity.indexOf(why) > gravity.indexOf(most) ? why : most),
      known.worst,
    )
    months.set(month, { month, expected: known.expected + expected, rows: known.rows + rows, worst })
  }
  return [...months.values()]
}

/** One gap where one ends as the next begins, for the same reason. */
export function joinGaps(gaps: readonly Gap[]): Gap[] {
  const joined: Gap[] = []
  for (const gap of gaps) {
    const last = joined.at(-1)
    if (last?.toTsMs === gap.fromTsMs && last.why === gap.why && last.note === gap.note) {
      const rows = last.rows === undefined || gap.rows === undefined ? undefined : last.rows + gap.rows
      joined[joined.length - 1] = { ...last, toTsMs: gap.toTsMs, rows }
    } else joined.push(gap)
  }
  return joined
}
