import type { Interval, TsMs } from '../../time.ts'
import { dayStart, monthStart, nextMonth } from '../../time.ts'
import type { ArchiveMarket } from '../../venues/archiveKeys.ts'
import type { ListedPage } from '../../venues/listing.ts'
import { spotBarsPerRequest } from '../../venues/spot.ts'
import { type BarKind, barsPerRequest, type StatisticsKind, statisticsPerRequest } from '../../venues/usdm.ts'
import { fundingSlices } from './fundingGaps.ts'
import {
  barGrid,
  hasDailyFiles,
  type Lifetime,
  type Partition,
  type PlannedBars,
  periodsOf,
  plannedSlices,
} from './partitions.ts'
import type { SliceGrid } from './slices.ts'
import { onSpot } from './spotPair.ts'
import { tailHours } from './tradeTail.ts'

export type SeriesWish = { readonly market: ArchiveMarket; readonly kind: BarKind; readonly interval: Interval }

export type DatasetWish = {
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
  readonly bars: readonly SeriesWish[]
  readonly funding: boolean
  readonly metrics: boolean
  readonly trades: boolean
  readonly aggTrades: boolean
  readonly openInterest: boolean
  readonly takerVolume: boolean
  /** False where there are archives only. */
  readonly hasApi: boolean
}

export type DatasetPlan = {
  nowTsMs: TsMs
  bars: PlannedBars[]
  funding: Partition[]
  metrics: Partition[]
  trades: Partition[]
  aggTrades: Partition[]
  openInterest: Partition[]
  takerVolume: Partition[]
}

/** Statistics of the API reach back so far. */
export const statisticsReachMs = 29 * 86_400_000
export const statisticsPeriod = '5m'
const statisticsGrid = (kind: StatisticsKind): SliceGrid => ({
  endpoint: `/futures/data/${kind}`,
  version: 1,
  limit: statisticsPerRequest,
})

/** Every partition of a data set, each served by whoever costs least and can be kept longest. */
export function planDataset(symbols: readonly Lifetime[], wish: DatasetWish, nowTsMs: TsMs): DatasetPlan {
  const { fromTsMs, toTsMs, hasApi } = wish
  const rules = { fromTsMs, toTsMs, nowTsMs, hasApi, hasMonths: true, hasDays: true }
  const each = (isWanted: boolean, plan: (life: Lifetime) => Partition[]): Partition[] =>
    isWanted ? symbols.flatMap(plan) : []
  const archived = (isWanted: boolean, hasMonths: boolean): Partition[] =>
    each(isWanted, (life) => periodsOf(life, { ...rules, hasMonths, hasApi: false }))

  const bars = wish.bars.flatMap((series) => {
    const limit = series.market === 'spot' ? spotBarsPerRequest : barsPerRequest
    const grid = barGrid(series.market, series.kind, limit)
    const found = symbols.flatMap((life) => periodsOf(life, { ...rules, hasDays: hasDailyFiles(series.interval) }))
    return (series.market === 'spot' ? onSpot(found) : found).map(
      (partition): PlannedBars => ({
        ...partition,
        ...series,
        slices: partition.isArchived
          ? []
          : plannedSlices(grid, partition.symbol, series.interval, partition, tailEnd(partition)),
      }),
    )
  })
  const statistics = (isWanted: boolean, kind: StatisticsKind): Partition[] => {
    // Stocks are named by the instant they were measured at: the last of a day is that of the next midnight.
    const beyondMs = kind === 'openInterestHist' ? 1 : 0
    const grid = statisticsGrid(kind)
    return each(isWanted && hasApi, (life) =>
      periodsOf(life, { ...rules, fromTsMs: Math.max(fromTsMs, nowTsMs - statisticsReachMs), hasMonths: false })
        .filter((day) => day.fromTsMs >= nowTsMs - statisticsReachMs)
        .map((day) => {
          const span = { ...day, toTsMs: day.toTsMs + beyondMs }
          const slices = plannedSlices(grid, life.symbol, statisticsPeriod, span, tailEnd(day) + beyondMs)
          return { ...day, isArchived: false, slices }
        }),
    )
  }
  return {
    nowTsMs,
    bars,
    funding: each(wish.funding, (life) =>
      periodsOf(life, { ...rules, hasDays: false }).map((partition) => ({
        ...partition,
        slices: partition.isArchived ? [] : fundingSlices(life.symbol, partition, tailEnd(partition)),
      })),
    ),
    metrics: archived(wish.metrics, false),
    trades: archived(wish.trades, false),
    // Where the archive is not sure to have a day yet both are planned for, and it is asked first.
    aggTrades: each(wish.aggTrades, (life) =>
      periodsOf(life, { ...rules, hasMonths: false }).map((day) => ({
        ...day,
        slices: day.isArchived ? [] : tailHours(life.symbol, day, nowTsMs),
      })),
    ),
    openInterest: statistics(wish.openInterest, 'openInterestHist'),
    takerVolume: statistics(wish.takerVolume, 'takerlongshortRatio'),
  }

  /** Slices are asked for as of the partition's end, or as of now where that comes first. */
  function tailEnd(partition: Partition): TsMs {
    return Math.min(partition.toTsMs, nowTsMs)
  }
}

/** The last instant a dead symbol may have rows at, as its folder in the archive tells; undefined for an empty one. */
export function lastListedTsMs(pages: readonly ListedPage[]): TsMs | undefined {
  let last: TsMs | undefined
  for (const { key } of pages.flatMap(({ keys }) => keys)) {
    const period = /-(\d{4}-\d{2}(?:-\d{2})?)\.zip$/.exec(key)?.[1]
    if (period === undefined) continue
    const end = period.length === 7 ? monthStart(nextMonth(period)) : dayStart(period) + 86_400_000
    if (last === undefined || end > last) last = end
  }
  return last
}
