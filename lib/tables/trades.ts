import { tableArtifact } from '../artifact.ts'
import { defineCsv } from '../csv/layout.ts'
import { bool, decimal, defineTable, i64, tsMs, utf8 } from './schema.ts'
import { makeTable, type TableOf } from './table.ts'

const tradeColumns = {
  tradeId: i64({ doc: "the venue's own, rising by one" }),
  price: decimal(8, 18, { unit: 'quote' }),
  qty: decimal(8, 18, { unit: 'base' }),
  tsMs: tsMs(),
  isBuyerMaker: bool({ doc: 'true: the taker sold' }),
}

/** Single trades. Venue ids order them: many share a millisecond. What the venue writes besides, the turnover, is price
 *  times quantity: it would take more room than all the rest, so the audit compares it and it is not kept. */
export const tradeTable = defineTable({
  name: 'trades',
  version: 2,
  columns: { symbol: utf8(), ...tradeColumns },
  sortKey: ['symbol', 'tradeId'],
})
export const trades = tableArtifact(tradeTable)

const tradeRows = defineTable({
  name: 'tradeRows',
  version: 1,
  columns: { ...tradeColumns, quoteQty: decimal(8, 18, { unit: 'quote' }) },
  sortKey: ['tradeId'],
})

export function tradesOf(symbol: string, rows: TableOf<typeof tradeRows>): TableOf<typeof tradeTable> {
  const { quoteQty: _, ...columns } = rows.columns
  return makeTable(tradeTable, { symbol: new Array<string>(rows.rowCount).fill(symbol), ...columns })
}

export const tradeCsv = defineCsv({
  schema: tradeRows,
  fields: [
    { header: 'id', column: 'tradeId' },
    { header: 'price', column: 'price' },
    { header: 'qty', column: 'qty' },
    { header: 'quote_qty', column: 'quoteQty' },
    { header: 'time', column: 'tsMs' },
    { header: 'is_buyer_maker', column: 'isBuyerMaker' },
  ],
})

const aggTradeColumns = {
  aggTradeId: i64(),
  price: decimal(8, 18, { unit: 'quote' }),
  qty: decimal(8, 18, { unit: 'base' }),
  firstTradeId: i64(),
  lastTradeId: i64(),
  tsMs: tsMs(),
  isBuyerMaker: bool({ doc: 'true: the taker sold' }),
}

/** Trades of one taker order at one price, as one row. */
export const aggTradeTable = defineTable({
  name: 'aggTrades',
  version: 1,
  columns: { symbol: utf8(), ...aggTradeColumns },
  sortKey: ['symbol', 'aggTradeId'],
})
export const aggTrades = tableArtifact(aggTradeTable)

const aggTradeRows = defineTable({
  name: 'aggTradeRows',
  version: 1,
  columns: aggTradeColumns,
  sortKey: ['aggTradeId'],
})

export function aggTradesOf(
  symbol: string,
  { rowCount, columns }: TableOf<typeof aggTradeRows>,
): TableOf<typeof aggTradeTable> {
  return makeTable(aggTradeTable, { symbol: new Array<string>(rowCount).fill(symbol), ...columns })
}

export const aggTradeCsv = defineCsv({
  schema: aggTradeRows,
  fields: [
    { header: 'agg_trade_id', column: 'aggTradeId' },
    { header: 'price', column: 'price' },
    { header: 'quantity', column: 'qty' },
    { header: 'first_trade_id', column: 'firstTradeId' },
    { header: 'last_trade_id', column: 'lastTradeId' },
    { header: 'transact_time', column: 'tsMs' },
    { header: 'is_buyer_maker', column: 'isBuyerMaker' },
  ],
})
