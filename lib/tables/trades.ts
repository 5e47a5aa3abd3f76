import { tableArtifact } from '../artifact.ts'
import { defineCsv } from '../csv/layout.ts'
import { defineTable, tsMs, utf8 } from './schema.ts'
import { aggregateTrade, quoteQty, singleTrade } from './tradeColumns.ts'

const tradeColumns = singleTrade({ tsMs: tsMs() })
const aggTradeColumns = aggregateTrade({ tsMs: tsMs() })

/** Single trades. Venue ids order them: many share a millisecond. What the venue writes besides, the turnover, is price
 *  times quantity: it would take more room than all the rest, so the audit compares it and it is not kept. */
export const tradeTable = defineTable({
  name: 'trades',
  version: 2,
  columns: { symbol: utf8(), ...tradeColumns },
  sortKey: ['symbol', 'tradeId'],
  packing: 'tight',
})
export const trades = tableArtifact(tradeTable)

const tradeRows = defineTable({
  name: 'tradeRows',
  version: 1,
  columns: { ...tradeColumns, quoteQty },
  sortKey: ['tradeId'],
})

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

/** Trades of one taker order at one price, as one row. */
export const aggTradeTable = defineTable({
  name: 'aggTrades',
  version: 1,
  columns: { symbol: utf8(), ...aggTradeColumns },
  sortKey: ['symbol', 'aggTradeId'],
  packing: 'tight',
})
export const aggTrades = tableArtifact(aggTradeTable)

const aggTradeRows = defineTable({
  name: 'aggTradeRows',
  version: 1,
  columns: aggTradeColumns,
  sortKey: ['aggTradeId'],
})

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
