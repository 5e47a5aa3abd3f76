import type { Interval, TsMs } from '../time.ts'
import type { VenueRequest } from './ask.ts'
import { spotWeight } from './budgets.ts'
import { type AggTradesQuery, aggTradesQuery, type PageQuery } from './usdm.ts'

/** The weight is the same whatever the limit, so a request takes all it can. */
export const spotBarsPerRequest = 1000

export const spotAggTradesPerRequest = 1000

export function spotBarsRequest(interval: Interval, { symbol, fromTsMs, toTsMs, limit }: PageQuery): VenueRequest {
  return {
    host: 'spot',
    path: `/api/v3/klines?symbol=${encodeURIComponent(symbol)}&interval=${interval}&startTime=${fromTsMs}&endTime=${toTsMs}&limit=${limit}`,
    expects: 'json',
    budget: { pool: spotWeight, weight: 2 },
  }
}

/** Times in microseconds, as the archive has them since 2025: without the header the API cuts them to milliseconds. */
export const spotAggTradesRequest = (query: AggTradesQuery): VenueRequest => ({
  host: 'spot',
  path: `/api/v3/aggTrades?${aggTradesQuery(query)}`,
  expects: 'json',
  headers: { 'x-mbx-time-unit': 'MICROSECOND' },
  budget: { pool: spotWeight, weight: 4 },
})

/** Either unit as milliseconds: a mirror may know nothing of the header. No trade is as old as 1973. */
export const msOf = (time: number): TsMs => (time >= 1e14 ? Math.floor(time / 1000) : time)
