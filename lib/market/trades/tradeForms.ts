import type { CsvLayout } from '../../csv/layout.ts'
import type { Columns, TableSchema } from '../../tables/schema.ts'
import { spotAggTradeCsv, spotAggTradeTable, spotTradeCsv, spotTradeTable } from '../../tables/spotTrades.ts'
import { aggTradeCsv, aggTradeTable, tradeCsv, tradeTable } from '../../tables/trades.ts'
import { dayStart, monthStart, type TsMs } from '../../time.ts'

/** How files of one kind of trades are read, and into what. */
export type TradeForm<R extends Columns, C extends Columns> = {
  readonly layout: CsvLayout<R>
  readonly schema: TableSchema<C>
  readonly id: keyof R & string
  readonly time: keyof R & string
  /** Units of the time column in a millisecond. */
  readonly perMs: 1 | 1000
  readonly header: boolean | undefined
  readonly timeUnit: 'ms' | 'us' | undefined
  /** Fields of the API's rows, in the order of the layout; absent where it keeps no history of them. */
  readonly jsonFields?: readonly string[]
  /** Whether ids rise by exactly one, so that a hole in them is a hole in the data. */
  readonly hasEveryId: boolean
}

export type TradePartition = {
  readonly symbol: string
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
}

/** Files of contracts carry headers from about here on, and none were rebuilt. */
const headersFrom = dayStart('2022-09-01')
const headersNever = dayStart('2022-08-01')
const spotMicrosFrom = monthStart('2025-01')

const contractHeader = (fromTsMs: TsMs): boolean | undefined =>
  fromTsMs >= headersFrom ? true : fromTsMs < headersNever ? false : undefined

/** How the archive writes trades of a kind at a time. */
export const tradeForm = (fromTsMs: TsMs) =>
  ({
    layout: tradeCsv,
    schema: tradeTable,
    id: 'tradeId',
    time: 'tsMs',
    perMs: 1,
    header: contractHeader(fromTsMs),
    timeUnit: 'ms',
    // Trades of the insurance fund and of forced deleveraging take ids and are not published.
    hasEveryId: false,
  }) as const

export const aggTradeForm = (fromTsMs: TsMs) =>
  ({
    layout: aggTradeCsv,
    schema: aggTradeTable,
    id: 'aggTradeId',
    time: 'tsMs',
    perMs: 1,
    header: contractHeader(fromTsMs),
    timeUnit: 'ms',
    hasEveryId: true,
    jsonFields: ['a', 'p', 'q', 'f', 'l', 'T', 'm'],
  }) as const

const spot = (fromTsMs: TsMs) =>
  ({
    time: 'tsUs',
    perMs: 1000,
    header: false,
    timeUnit: fromTsMs >= spotMicrosFrom ? 'us' : 'ms',
    hasEveryId: true,
  }) as const

export const spotTradeForm = (fromTsMs: TsMs) =>
  ({ layout: spotTradeCsv, schema: spotTradeTable, id: 'tradeId', ...spot(fromTsMs) }) as const

export const spotAggTradeForm = (fromTsMs: TsMs) =>
  ({
    layout: spotAggTradeCsv,
    schema: spotAggTradeTable,
    id: 'aggTradeId',
    ...spot(fromTsMs),
    jsonFields: ['a', 'p', 'q', 'f', 'l', 'T', 'm', 'M'],
  }) as const
