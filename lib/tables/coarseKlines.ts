import { tableArtifact } from '../artifact.ts'
import { defineCsv } from '../csv/layout.ts'
import { decimal, defineTable, f64, i32, tsMs, utf8 } from './schema.ts'
import { makeTable, type TableOf } from './table.ts'

const rowColumns = {
  openTsMs: tsMs({ doc: 'when the bar opens' }),
  open: decimal(8, 18, { unit: 'quote' }),
  high: decimal(8, 18, { unit: 'quote' }),
  low: decimal(8, 18, { unit: 'quote' }),
  close: decimal(8, 18, { unit: 'quote' }),
  volume: f64({ unit: 'base' }),
  quoteVolume: f64({ unit: 'quote' }),
  count: i32({ unit: 'trades', doc: '0: nothing traded, prices are the last ones' }),
  takerBuyVolume: f64({ unit: 'base' }),
  takerBuyQuoteVolume: f64({ unit: 'quote' }),
  closeTsMs: tsMs({ doc: 'last millisecond of the bar' }),
}

/** Bars of twelve hours and more. A busy day turns over more than a decimal of 18 digits holds with the venue's eight
 *  behind the point, so volumes are the doubles nearest to what the venue wrote; prices stay exact. */
export const coarseKlineTable = defineTable({
  name: 'coarseKlines',
  version: 1,
  doc: 'Bars of twelve hours and more, with volumes as doubles. A bar the venue does not have is a missing row.',
  columns: { symbol: utf8(), ...rowColumns },
  sortKey: ['symbol', 'openTsMs'],
})
export const coarseKlines = tableArtifact(coarseKlineTable)

const coarseRows = defineTable({ name: 'coarseKlineRows', version: 1, columns: rowColumns, sortKey: ['openTsMs'] })

export function coarseKlinesOf(
  symbol: string,
  { rowCount, columns }: TableOf<typeof coarseRows>,
): TableOf<typeof coarseKlineTable> {
  return makeTable(coarseKlineTable, { symbol: new Array<string>(rowCount).fill(symbol), ...columns })
}

export const coarseCsv = defineCsv({
  schema: coarseRows,
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
