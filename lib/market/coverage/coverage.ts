import { DAY_MS, type Interval, type TsMs } from '../../time.ts'
import { byMonth, type Gap, joinGaps, type MonthState, type RowGrid, type StoredSpan, stateOf } from './completeness.ts'
import { dayPublishedAfterMs, monthPublishedAfterMs, type Partition } from '../plan/partitions.ts'
import type { DatasetPlan } from '../plan/planDataset.ts'

/** A line of the picture: one symbol's rows of one kind. */
export type SeriesName = {
  /** A kind of bars, `funding`, `metrics`, `openInterest`, `takerVolume`, `trades` or `aggTrades`. */
  readonly dataSet: string
  readonly market: 'usdm' | 'spot'
  readonly symbol: string
  readonly interval?: Interval
}

export type Coverage = SeriesName & {
  readonly expected: number
  readonly rows: number
  readonly months: readonly MonthState[]
  readonly gaps: readonly Gap[]
}

/** What is stored, and what the last run could not do. */
export type Holdings = {
  stored(series: SeriesName, partition: Partition): StoredSpan | undefined
  failureOf(series: SeriesName, partition: Partition): string | undefined
  /** Markets that days of trades are kept of. */
  tradeMarkets(dataSet: 'trades' | 'aggTrades'): readonly ('usdm' | 'spot')[]
}

/** What was asked for, before it was cut into partitions. */
export type Wished = { readonly fromTsMs: TsMs; readonly toTsMs: TsMs; readonly hasApi: boolean }

/** Every series of a plan with what is there of it and what is not. */
export function coverageOf(plan: DatasetPlan, wished: Wished, holdings: Holdings): Coverage[] {
  const found: Coverage[] = []
  const add = (
    name: Omit<SeriesName, 'symbol'>,
    grid: RowGrid,
    partitions: readonly Partition[],
    rules: { readonly isSlow: boolean; readonly reachesBack: boolean },
  ) => {
    for (const [symbol, parts] of bySymbol(partitions)) {
      const series = { ...name, symbol }
      const states = parts.map((part, i) => {
        const own = grid.kind === 'settlements' ? { ...grid, isFirst: i === 0 } : grid
        const state = stateOf(part, holdings.stored(series, part), own, holdings.failureOf(series, part))
        return { fromTsMs: part.fromTsMs, ...state }
      })
      const outside = rules.reachesBack ? around(parts, plan.nowTsMs, wished, rules.isSlow) : []
      const inside = states.flatMap(({ gaps }) => gaps)
      const gaps = [...outside, ...inside].sort((a, b) => a.fromTsMs - b.fromTsMs)
      found.push({
        ...series,
        expected: states.reduce((sum, { expected }) => sum + expected, 0),
        rows: states.reduce((sum, { rows }) => sum + rows, 0),
        months: byMonth(states),
        gaps: joinGaps(gaps),
      })
    }
  }
  const bars = new Map<string, typeof plan.bars>()
  for (const bar of plan.bars) {
    const id = `${bar.market},${bar.kind},${bar.interval}`
    const known = bars.get(id)
    if (known === undefined) bars.set(id, [bar])
    else known.push(bar)
  }
  const far = { isSlow: !wished.hasApi, reachesBack: true }
  for (const parts of bars.values()) {
    const { kind, market, interval } = parts[0]!
    add({ dataSet: kind, market, interval }, { kind: 'bars', interval }, parts, far)
  }
  add({ dataSet: 'funding', market: 'usdm' }, { kind: 'settlements', isFirst: false }, plan.funding, far)
  const archive = { isSlow: true, reachesBack: true }
  add({ dataSet: 'metrics', market: 'usdm' }, { kind: 'fiveMinutes', atEnd: false }, plan.metrics, archive)
  // The API tells of the last weeks only: what lies before is no gap.
  const near = { isSlow: false, reachesBack: false }
  add({ dataSet: 'openInterest', market: 'usdm' }, { kind: 'fiveMinutes', atEnd: true }, plan.openInterest, near)
  add({ dataSet: 'takerVolume', market: 'usdm' }, { kind: 'fiveMinutes', atEnd: false }, plan.takerVolume, near)
  for (const dataSet of ['trades', 'aggTrades'] as const) {
    for (const market of holdings.tradeMarkets(dataSet))
      add({ dataSet, market }, { kind: 'events' }, plan[dataSet], archive)
  }
  return found
}

function bySymbol(partitions: readonly Partition[]): Map<string, Partition[]> {
  const found = new Map<string, Partition[]>()
  for (const partition of partitions) {
    const known = found.get(partition.symbol)
    if (known === undefined) found.set(partition.symbol, [partition])
    else known.push(partition)
  }
  for (const parts of found.values()) parts.sort((a, b) => a.fromTsMs - b.fromTsMs)
  return found
}

/** What was wished for before a symbol's first partition and behind its last. */
function around(parts: readonly Partition[], nowTsMs: TsMs, wished: Wished, isSlow: boolean): Gap[] {
  const gaps: Gap[] = []
  const first = parts[0]!.fromTsMs
  const last = parts.at(-1)!.toTsMs
  const end = Math.min(wished.toTsMs, nowTsMs)
  if (wished.fromTsMs < first)
    gaps.push({ fromTsMs: wished.fromTsMs, toTsMs: first, rows: undefined, why: 'notListed' })
  if (last >= end) return gaps
  // Where only archives are asked, what they do not have yet is not in the plan yet either.
  const delayMs = parts.at(-1)!.period.length === 7 ? monthPublishedAfterMs + 31 * DAY_MS : dayPublishedAfterMs + DAY_MS
  const isUnpublished = isSlow && last + delayMs > nowTsMs
  gaps.push({
    fromTsMs: last,
    toTsMs: end,
    rows: undefined,
    why: isUnpublished ? 'notFetched' : 'notListed',
    ...(isUnpublished ? { note: 'the archive does not have it yet' } : {}),
  })
  return gaps
}
