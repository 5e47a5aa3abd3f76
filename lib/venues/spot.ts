import type { Interval } from '../time.ts'
import type { VenueRequest } from './ask.ts'
import { spotWeight } from './budgets.ts'
import type { PageQuery } from './usdm.ts'

/** The weight is the same whatever the limit, so a request takes all it can. */
export const spotBarsPerRequest = 1000

export function spotBarsRequest(interval: Interval, { symbol, fromTsMs, toTsMs, limit }: PageQuery): VenueRequest {
  return {
    host: 'spot',
    path: `/api/v3/klines?symbol=${encodeURIComponent(symbol)}&interval=${interval}&startTime=${fromTsMs}&endTime=${toTsMs}&limit=${limit}`,
    expects: 'json',
    budget: { pool: spotWeight, weight: 2 },
  }
}
