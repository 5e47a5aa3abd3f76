import { Fault } from '../fault.ts'
import type { VenueRequest } from './ask.ts'
import { msOf } from './spot.ts'
import type { AggTradesQuery, PageQuery } from './usdm.ts'

/**
 * What to ask after a page of aggregate trades: on by id, for many share a millisecond. The last page is the one that is
 * not full, or reaches beyond the slice. A page that was asked for from an id on begins there: else the next would be asked
 * for ever.
 */
export const nextAggTrades =
  (requestOf: (query: AggTradesQuery) => VenueRequest) =>
  (rows: readonly unknown[], { symbol, toTsMs, limit }: PageQuery, asked?: VenueRequest): VenueRequest | undefined => {
    const fromId = Number(new URLSearchParams(asked?.path.split('?')[1]).get('fromId') ?? 0)
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
      if ((id as number) < fromId) {
        throw new Fault({
          code: 'failed',
          what: `the pages do not move on: a trade of id ${id} came where trades from id ${fromId} on were asked for`,
          where: symbol,
          todo: 'check the base URL in the config',
        })
      }
      if ((id as number) > last.id) last = { id: id as number, tsMs: msOf(time as number) }
    }
    if (rows.length < limit) return undefined
    return last.tsMs > toTsMs ? undefined : requestOf({ symbol, limit, fromId: last.id + 1 })
  }
