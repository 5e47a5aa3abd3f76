import { turnoverOf } from '../market/trades/turnover.ts'
import { klineTable } from '../tables/klines.ts'
import type { PriceKlineTable } from '../tables/priceKlines.ts'
import type { Columns } from '../tables/schema.ts'
import { concatTables, type Table } from '../tables/table.ts'
import { aggTradeTable, tradeTable } from '../tables/trades.ts'
import { DAY_MS, floorTo } from '../time.ts'
import { type Bars, emptyBars, type LeftOut, toInterval } from './bars.ts'
import { cutAtMidnight, DayQueue, openAll, rowsFrom, type StoredTable } from './pieces.ts'
import { TradeBars, type TradeBatch } from './tradeBars.ts'

/** Bars of one UTC day; undefined where the source has nothing of that day. */
export type BarsOfDay = (dayTsMs: number) => Bars | undefined

interface Range {
  readonly fromMs: number
  readonly toMs: number
  readonly intervalMs: number
}

const klineColumns = ['openTsMs', 'open', 'high', 'low', 'close', 'volume', 'quoteVolume', 'count'] as const
const takerColumns = ['takerBuyVolume', 'takerBuyQuoteVolume'] as const

export function barsFromKlines(
  tables: readonly StoredTable[],
  sourceMs: number,
  { fromMs, intervalMs }: Range,
  onLeftOut?: (left: LeftOut) => void,
): BarsOfDay {
  const columns = [...klineColumns, ...takerColumns]
  const queue = new DayQueue(
    cutAtMidnight(rowsFrom(openAll(klineTable, tables), 'openTsMs', columns, fromMs), 'openTsMs'),
  )
  return (dayTsMs) => {
    const rows = joined(queue.take(dayTsMs))
    return rows && toInterval(rows.columns, sourceMs, intervalMs, onLeftOut)
  }
}

/** Mark, index or premium bars, in the form of bars that nobody traded. */
export function barsFromPrices(
  { schema }: { readonly schema: PriceKlineTable['schema'] },
  tables: readonly StoredTable[],
  sourceMs: number,
  { fromMs, intervalMs }: Range,
): BarsOfDay {
  const columns = ['openTsMs', 'open', 'high', 'low', 'close'] as const
  const queue = new DayQueue(cutAtMidnight(rowsFrom(openAll(schema, tables), 'openTsMs', columns, fromMs), 'openTsMs'))
  return (dayTsMs) => {
    const rows = joined(queue.take(dayTsMs))
    return rows && toInterval({ ...emptyBars(rows.rowCount), ...rows.columns }, sourceMs, intervalMs)
  }
}

export function barsFromTrades(tables: readonly StoredTable[], range: Range): BarsOfDay {
  const columns = ['tradeId', 'tsMs', 'price', 'qty', 'isBuyerMaker'] as const
  return barsOf(range, function* () {
    for (const { columns: rows } of rowsFrom(openAll(tradeTable, tables), 'tsMs', columns, range.fromMs)) {
      const quoteQty = turnoverOf(rows.price, rows.qty)
      yield { ...rows, quoteQty, firstId: rows.tradeId, lastId: rows.tradeId }
    }
  })
}

export function barsFromAggTrades(tables: readonly StoredTable[], range: Range): BarsOfDay {
  const columns = ['tsMs', 'price', 'qty', 'firstTradeId', 'lastTradeId', 'isBuyerMaker'] as const
  return barsOf(range, function* () {
    for (const { columns: rows } of rowsFrom(openAll(aggTradeTable, tables), 'tsMs', columns, range.fromMs)) {
      const quoteQty = turnoverOf(rows.price, rows.qty)
      yield { ...rows, quoteQty, firstId: rows.firstTradeId, lastId: rows.lastTradeId }
    }
  })
}

function barsOf({ toMs, intervalMs }: Range, batches: () => Iterable<TradeBatch>): BarsOfDay {
  const days = function* () {
    let ready: Bars[] = []
    const bars = new TradeBars(intervalMs, (day) => ready.push(day))
    const drain = function* () {
      for (const day of ready) yield { dayTsMs: floorTo(day.openTsMs[0]!, DAY_MS), rows: day }
      ready = []
    }
    for (const batch of batches()) {
      bars.add(batch)
      yield* drain()
    }
    bars.finish(toMs)
    yield* drain()
  }
  const queue = new DayQueue(days())
  return (dayTsMs) => queue.take(dayTsMs)[0]
}

function joined<C extends Columns>(parts: readonly Table<C>[]): Table<C> | undefined {
  return parts.length < 2 ? parts[0] : concatTables(parts[0]!.schema, parts)
}
