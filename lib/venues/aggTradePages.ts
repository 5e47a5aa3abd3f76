import { Fault } from '../fault.ts'
import type { VenueRequest } from './ask.ts'
import { msOf } from './spot.ts'
import type { AggTradesQuery, PageQuery } from './usdm.ts'

/**
 * What to ask after a page of aggregate trades: on by id, for many share a millisecond. The last page is the one that is
 * not full, or reaches beyond the slice.
 */
export const nextAggTrades =
  (requestOf: (query: AggTradesQuery) => VenueRequest) =>
  (rows: readonly unknown[], { symbol, toTsMs, limit }: PageQuery): VenueRequest | undefined => {
    if (rows.length < limit) return undefined
    let last = { id: -1, tsMs: 0 }
    for (const row of rows) {
      const { a: id, T: time } = row as { a?: unknown; T?: unknown }
      if (!Number.isSafeInteger(id) || !Number.isSafeInteger(time)) {
        throw new Fault({
          code: 'failed',
          what: 'a row of aggregate trades has no id or no time: the venue changed their form',
          where: symbol,
        })
      }
      if ((id as number) > last.id) last = { id: id as number, tsMs: msOf(time as number) }
    }
    return last.tsMs > toTsMs ? undefined : requestOf({ symbol, limit, fromId: last.id + 1 })
  }
