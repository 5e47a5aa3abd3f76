import { tableArtifact } from '../artifact.ts'
import { defineCsv } from '../csv/layout.ts'
import { decimal, defineTable, i32, tsMs, utf8, wideDecimal } from './schema.ts'
import { makeTable, type TableOf } from './table.ts'

const rowColumns = {
  openTsMs: tsMs({ doc: 'when the bar opens' }),
  open: decimal(8, 18, { unit: 'quote' }),
  high: decimal(8, 18, { unit: 'quote' }),
  low: decimal(8, 18, { unit: 'quote' }),
  close: decimal(8, 18, { unit: 'quote' }),
  // Coins of a millionth of a cent trade by the trillion, and an hour of the largest turns over more than ten billion.
  volume: wideDecimal(8, { unit: 'base' }),
  quoteVolume: wideDecimal(8, { unit: 'quote' }),
  count: i32({ unit: 'trades', doc: '0: nothing traded, prices are the last ones' }),
  takerBuyVolume: wideDecimal(8, { unit: 'base' }),
  takerBuyQuoteVolume: wideDecimal(8, { unit: 'quote' }),
  closeTsMs: tsMs({ doc: 'last millisecond of the bar' }),
}

/** Bars as the venue publishes them, one row a bar, stamped by open time and usable from close time on. */
export const klineTable = defineTable({
  name: 'klines',
  version: 2,
  doc: 'Bars of one interval. A bar the venue does not have is a missing row.',
  columns: { symbol: utf8(), ...rowColumns },
  sortKey: ['symbol', 'openTsMs'],
})
export const klines = tableArtifact(klineTable)

/** The rows of a file, which does not say whose they are. */
export const klineRows = defineTable({ name: 'klineRows', version: 2, columns: rowColumns, sortKey: ['openTsMs'] })

export function klinesOf(symbol: string, { rowCount, columns }: TableOf<typeof klineRows>): TableOf<typeof klineTable> {
  return makeTable(klineTable, { symbol: new Array<string>(rowCount).fill(symbol), ...columns })
}

/** The twelve columns of an archive's file, with a header or without. */
export const klineCsv = defineCsv({
  schema: klineRows,
  fields: [
    { header: 'open_time', column: 'openTsMs' },
    { header: 'open', column: 'open' },
    { header: 'high', column: 'high' },
    { header: 'low', column: 'low' },
    { header: 'close', column: 'close' },
    { header: 'volume', column: 'volume' },
    { header: 'close_time', column: 'closeTsMs' },
    { header: ['quote_volume', 'quote_asset_volume'], column: 'quoteVolume' },
    { header: ['count', 'number_of_trades'], column: 'count' },
    { header: ['taker_buy_volume', 'taker_buy_base_asset_volume'], column: 'takerBuyVolume' },
    { header: ['taker_buy_quote_volume', 'taker_buy_quote_asset_volume'], column: 'takerBuyQuoteVolume' },
    { header: 'ignore', column: null },
  ],
})
