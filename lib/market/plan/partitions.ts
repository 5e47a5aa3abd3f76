import { z } from 'zod'
import { jsonArtifact } from '../../artifact.ts'
import {
  DAY_MS,
  dayOf,
  dayStart,
  type Interval,
  intervals,
  monthStart,
  monthsBetween,
  nextDay,
  nextMonth,
  type TsMs,
} from '../../time.ts'
import type { ArchiveMarket } from '../../venues/archiveKeys.ts'
import { barKinds } from '../../venues/usdm.ts'
import { type SliceGrid, slicesOf } from './slices.ts'

export const sliceShape = z.object({
  key: z.string(),
  id: z.string(),
  fromTsMs: z.number(),
  toTsMs: z.number(),
  limit: z.number(),
  /** Of a slice that is still filling up: as of when it is asked for. It is then part of the key. */
  asOfTsMs: z.number().optional(),
})
export type PlannedSlice = z.output<typeof sliceShape>

const partitionShape = z.object({
  symbol: z.string(),
  /** `2026-03`, or `2026-03-05` while the month is not published yet. */
  period: z.string(),
  fromTsMs: z.number(),
  /** Not included. */
  toTsMs: z.number(),
  closedBeforeTsMs: z.number().optional(),
  /** The archive has it, or will be asked. */
  isArchived: z.boolean(),
  /** Where the archive cannot have it yet. */
  slices: z.array(sliceShape),
})
export type Partition = z.output<typeof partitionShape>

const barPartitionShape = partitionShape.extend({
  market: z.enum(['usdm', 'spot']),
  kind: z.enum(barKinds),
  interval: z.enum(intervals),
})
export type PlannedBars = z.output<typeof barPartitionShape>

/** Everything a data set consists of, partition by partition. */
export const partitions = jsonArtifact(
  'partitions',
  z.object({
    nowTsMs: z.number(),
    bars: z.array(barPartitionShape),
    funding: z.array(partitionShape),
    metrics: z.array(partitionShape),
    trades: z.array(partitionShape),
    aggTrades: z.array(partitionShape),
    openInterest: z.array(partitionShape),
    takerVolume: z.array(partitionShape),
  }),
)

/** When an archive of a period is surely there: a day's in the course of the next day, a month's after its first Monday. */
export const dayPublishedAfterMs = 1.5 * DAY_MS
export const monthPublishedAfterMs = 8.5 * DAY_MS

export type Lifetime = {
  readonly symbol: string
  readonly onboardTsMs: TsMs
  readonly deliveryTsMs?: TsMs | undefined
}

export type PeriodRules = {
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
  readonly nowTsMs: TsMs
  readonly hasMonths: boolean
  readonly hasDays: boolean
  /** Without an API what is not archived is not there yet. */
  readonly hasApi: boolean
}

/** Cuts a symbol's life into the partitions that the archive serves best: whole months, then days, then what only the
 *  API has so far. A closed partition is the same whenever it is planned. */
export function periodsOf({ symbol, onboardTsMs, deliveryTsMs }: Lifetime, rules: PeriodRules): Partition[] {
  const { nowTsMs, hasMonths, hasDays, hasApi } = rules
  const from = Math.max(rules.fromTsMs, onboardTsMs)
  const to = Math.min(rules.toTsMs, deliveryTsMs ?? Number.POSITIVE_INFINITY, nowTsMs)
  const found: Partition[] = []
  const add = (period: string, start: TsMs, end: TsMs, isArchived: boolean) => {
    const fromTsMs = Math.max(start, onboardTsMs)
    const toTsMs = Math.min(end, deliveryTsMs ?? end)
    if (fromTsMs >= toTsMs || (!isArchived && !hasApi)) return
    const isOpen = toTsMs > nowTsMs
    found.push({
      symbol,
      period,
      fromTsMs,
      toTsMs,
      isArchived,
      slices: [],
      ...(isOpen ? { closedBeforeTsMs: nowTsMs } : {}),
    })
  }
  for (const month of monthsBetween(from, to)) {
    const start = monthStart(month)
    const end = monthStart(nextMonth(month))
    if (hasMonths && (end + monthPublishedAfterMs <= nowTsMs || !hasDays)) {
      const isArchived = end + monthPublishedAfterMs <= nowTsMs
      add(month, start, end, isArchived)
      continue
    }
    if (!hasDays) {
      add(month, start, end, false)
      continue
    }
    for (let day = dayOf(Math.max(from, start)); dayStart(day) < Math.min(to, end); day = nextDay(day)) {
      const next = dayStart(day) + DAY_MS
      add(day, dayStart(day), next, next + dayPublishedAfterMs <= nowTsMs)
    }
  }
  return found
}

/** Slices of the API over a stretch of time. The one that holds the present is keyed by it. */
export function plannedSlices(
  grid: SliceGrid,
  symbol: string,
  interval: Interval,
  span: { readonly fromTsMs: TsMs; readonly toTsMs: TsMs },
  nowTsMs: TsMs,
): PlannedSlice[] {
  return slicesOf(grid, symbol, interval, span.fromTsMs, Math.min(span.toTsMs, nowTsMs)).map((slice) => ({
    ...slice,
    ...(slice.toTsMs >= nowTsMs ? { asOfTsMs: nowTsMs } : {}),
  }))
}

/** Whether the archive has files by day for an interval; longer bars exist by month only. */
export const hasDailyFiles = (interval: Interval): boolean => !['3d', '1w', '1M'].includes(interval)

/** The grid of a bar endpoint. */
export function barGrid(market: ArchiveMarket, kind: string, limit: number): SliceGrid {
  return { endpoint: market === 'spot' ? '/api/v3/klines' : `/fapi/v1/${kind}`, version: 1, limit }
}
