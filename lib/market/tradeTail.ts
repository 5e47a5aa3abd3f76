import { z } from 'zod'
import { jsonArtifact } from '../artifact.ts'
import { HOUR_MS, type TsMs } from '../time.ts'
import { aggTradesPerRequest } from '../venues/usdm.ts'
import { type PlannedSlice, sliceShape } from './partitions.ts'
import { hoursOf, type SliceGrid } from './slices.ts'

/** The API of contracts keeps a day of them, and asking for all of it takes a while. */
const reachMs = 23 * HOUR_MS
const aggTradeGrid: SliceGrid = { endpoint: '/fapi/v1/aggTrades', version: 1, limit: aggTradesPerRequest }

/** Hours of a stretch that the API still has. The one that holds the present is keyed by it. */
export function tailHours(
  symbol: string,
  { fromTsMs, toTsMs }: { readonly fromTsMs: TsMs; readonly toTsMs: TsMs },
  nowTsMs: TsMs,
): PlannedSlice[] {
  const from = Math.max(fromTsMs, Math.ceil((nowTsMs - reachMs) / HOUR_MS) * HOUR_MS)
  return hoursOf(aggTradeGrid, symbol, from, Math.min(toTsMs, nowTsMs)).map((slice) => ({
    ...slice,
    ...(slice.toTsMs >= nowTsMs ? { asOfTsMs: nowTsMs } : {}),
  }))
}

/** Hours that are asked of the API, for the archive does not have their day yet. */
export const tradeTail = jsonArtifact('tradeTail', z.object({ slices: z.array(sliceShape) }))
