import { z } from 'zod'
import { jsonArtifact } from '../../artifact.ts'
import { HOUR_MS, type TsMs } from '../../time.ts'
import { spotAggTradesPerRequest } from '../../venues/spot.ts'
import { aggTradesPerRequest } from '../../venues/usdm.ts'
import { type Partition, type PlannedSlice, sliceShape } from './partitions.ts'
import type { DatasetPlan } from './planDataset.ts'
import { hoursOf, type SliceGrid } from './slices.ts'
import { onSpot } from './spotPair.ts'

/** The API of contracts keeps a day of them, and asking for all of it takes a while. */
const reachMs = 23 * HOUR_MS
const aggTradeGrid: SliceGrid = { endpoint: '/fapi/v1/aggTrades', version: 1, limit: aggTradesPerRequest }
const spotAggTradeGrid: SliceGrid = { endpoint: '/api/v3/aggTrades', version: 1, limit: spotAggTradesPerRequest }

type Stretch = { readonly fromTsMs: TsMs; readonly toTsMs: TsMs }

/** Hours of a stretch that the API still has. The one that holds the present is keyed by it. */
export const tailHours = (symbol: string, { fromTsMs, toTsMs }: Stretch, nowTsMs: TsMs): PlannedSlice[] =>
  hoursUpTo(
    nowTsMs,
    aggTradeGrid,
    symbol,
    Math.max(fromTsMs, Math.ceil((nowTsMs - reachMs) / HOUR_MS) * HOUR_MS),
    toTsMs,
  )

/** The same days of the coins' pairs, of which the API keeps all trades: whatever the archive does not have yet is asked. */
export function spotTailDays({ aggTrades, nowTsMs }: Pick<DatasetPlan, 'aggTrades' | 'nowTsMs'>): Partition[] {
  return onSpot(aggTrades).map((day) => ({
    ...day,
    slices: day.isArchived ? [] : hoursUpTo(nowTsMs, spotAggTradeGrid, day.symbol, day.fromTsMs, day.toTsMs),
  }))
}

function hoursUpTo(nowTsMs: TsMs, grid: SliceGrid, symbol: string, fromTsMs: TsMs, toTsMs: TsMs): PlannedSlice[] {
  return hoursOf(grid, symbol, fromTsMs, Math.min(toTsMs, nowTsMs)).map((slice) => ({
    ...slice,
    ...(slice.toTsMs >= nowTsMs ? { asOfTsMs: nowTsMs } : {}),
  }))
}

/** Hours that are asked of the API, for the archive does not have their day yet. */
export const tradeTail = jsonArtifact('tradeTail', z.object({ slices: z.array(sliceShape) }))
