import { tableArtifact } from '../artifact.ts'
import { defineCsv } from '../csv/layout.ts'
import { bool, decimal, defineTable, i64, tsUs, utf8 } from './schema.ts'

const tradeColumns = {
  tradeId: i64({ doc: "the venue's own, rising by one" }),
  price: decimal(8, 18, { unit: 'quote' }),
  qty: decimal(8, 18, { unit: 'base' }),
  tsUs: tsUs({ doc: 'whole milliseconds before 2025' }),
  isBuyerMaker: bool({ doc: 'true: the taker sold' }),
}

/** Single trades of coin pairs, which the venue stamps to the microsecond. The turnover is price times quantity. */
export const spotTradeTable = defineTable({
  name: 'spotTrades',
  version: 2,
  columns: { symbol: utf8(), ...tradeColumns },
  sortKey: ['symbol', 'tradeId'],
})
export const spotTrades = tableArtifact(spotTradeTable)

const aggTradeColumns = {
  aggTradeId: i64(),
  price: decimal(8, 18, { unit: 'quote' }),
  qty: decimal(8, 18, { unit: 'base' }),
  firstTradeId: i64(),
  lastTradeId: i64(),
  tsUs: tsUs({ doc: 'whole milliseconds before 2025' }),
  isBuyerMaker: bool({ doc: 'true: the taker sold' }),
}

/** Trades of one taker order at one price, as one row. */
export const spotAggTradeTable = defineTable({
  name: 'spotAggTrades',
  version: 1,
  columns: { symbol: utf8(), ...aggTradeColumns },
  sortKey: ['symbol', 'aggTradeId'],
})
export const spotAggTrades = tableArtifact(spotAggTradeTable)

export const spotTradeCsv = defineCsv({
  schema: defineTable({
    name: 'spotTradeRows',
    version: 1,
    columns: { ...tradeColumns, quoteQty: decimal(8, 18, { unit: 'quote' }) },
    sortKey: ['tradeId'],
  }),
  fields: [
    { header: 'id', column: 'tradeId' },
    { header: 'price', column: 'price' },
    { header: 'qty', column: 'qty' },
    { header: 'quote_qty', column: 'quoteQty' },
    { header: 'time', column: 'tsUs' },
    { header: 'is_buyer_maker', column: 'isBuyerMaker' },
    { header: 'is_best_match', column: null },
  ],
})

export const spotAggTradeCsv = defineCsv({
  schema: defineTable({ name: 'spotAggTradeRows', version: 1, columns: aggTradeColumns, sortKey: ['aggTradeId'] }),
  fields: [
    { header: 'agg_trade_id', column: 'aggTradeId' },
    { header: 'price', column: 'price' },
    { header: 'quantity', column: 'qty' },
    { header: 'first_trade_id', column: 'firstTradeId' },
    { header: 'last_trade_id', column: 'lastTradeId' },
    { header: 'transact_time', column: 'tsUs' },
    { header: 'is_buyer_maker', column: 'isBuyerMaker' },
    { header: 'is_best_match', column: null },
  ],
})
