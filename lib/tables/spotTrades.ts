import { tableArtifact } from '../artifact.ts'
import { defineCsv } from '../csv/layout.ts'
import { defineTable, tsUs, utf8 } from './schema.ts'
import { aggregateTrade, quoteQty, singleTrade } from './tradeColumns.ts'

const time = { tsUs: tsUs({ doc: 'whole milliseconds before 2025' }) }
const tradeColumns = singleTrade(time)
const aggTradeColumns = aggregateTrade(time)

/** Single trades of coin pairs, which the venue stamps to the microsecond. The turnover is price times quantity. */
export const spotTradeTable = defineTable({
  name: 'spotTrades',
  version: 2,
  columns: { symbol: utf8(), ...tradeColumns },
  sortKey: ['symbol', 'tradeId'],
  packing: 'tight',
})
export const spotTrades = tableArtifact(spotTradeTable)

/** Trades of one taker order at one price, as one row. */
export const spotAggTradeTable = defineTable({
  name: 'spotAggTrades',
  version: 1,
  columns: { symbol: utf8(), ...aggTradeColumns },
  sortKey: ['symbol', 'aggTradeId'],
  packing: 'tight',
})
export const spotAggTrades = tableArtifact(spotAggTradeTable)

export const spotTradeCsv = defineCsv({
  schema: defineTable({
    name: 'spotTradeRows',
    version: 1,
    columns: { ...tradeColumns, quoteQty },
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
