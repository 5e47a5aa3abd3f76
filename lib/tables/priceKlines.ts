import { type TableArtifact, tableArtifact } from '../artifact.ts'
import { defineCsv } from '../csv/layout.ts'
import { decimal, defineTable, i32, type TableSchema, tsMs, utf8 } from './schema.ts'
import { makeTable, type TableOf } from './table.ts'

const rowColumns = {
  openTsMs: tsMs({ doc: 'when the bar opens' }),
  open: decimal(8, 18),
  high: decimal(8, 18),
  low: decimal(8, 18),
  close: decimal(8, 18),
  samples: i32({ doc: 'readings of the price in the bar' }),
  closeTsMs: tsMs({ doc: 'last millisecond of the bar' }),
}
const columns = { symbol: utf8(), ...rowColumns }

/** Bars of a price nobody trades at: no volume. */
export type PriceKlineTable = TableOf<TableSchema<typeof columns>>

const priceKlines = (name: string, doc: string): TableArtifact<PriceKlineTable, string, TableSchema<typeof columns>> =>
  tableArtifact(defineTable({ name, version: 1, doc, columns, sortKey: ['symbol', 'openTsMs'] }))

export const markKlines = priceKlines('markKlines', 'Bars of the mark price, in quote currency.')
export const indexKlines = priceKlines('indexKlines', 'Bars of the index price, in quote currency.')
export const premiumKlines = priceKlines(
  'premiumKlines',
  'Bars of the premium over the index, a ratio that may be negative.',
)

export const priceRows = defineTable({ name: 'priceKlineRows', version: 1, columns: rowColumns, sortKey: ['openTsMs'] })

export function priceKlinesOf(
  { schema }: { readonly schema: TableSchema<typeof columns> },
  symbol: string,
  rows: TableOf<typeof priceRows>,
): PriceKlineTable {
  return makeTable(schema, { symbol: new Array<string>(rows.rowCount).fill(symbol), ...rows.columns })
}

/** The slots that carry volumes in a bar of trades hold fillers here. */
export const priceCsv = defineCsv({
  schema: priceRows,
  fields: [
    { header: 'open_time', column: 'openTsMs' },
    { header: 'open', column: 'open', signed: true },
    { header: 'high', column: 'high', signed: true },
    { header: 'low', column: 'low', signed: true },
    { header: 'close', column: 'close', signed: true },
    { header: 'volume', column: null },
    { header: 'close_time', column: 'closeTsMs' },
    { header: ['quote_volume', 'quote_asset_volume'], column: null },
    { header: ['count', 'number_of_trades'], column: 'samples' },
    { header: ['taker_buy_volume', 'taker_buy_base_asset_volume'], column: null },
    { header: ['taker_buy_quote_volume', 'taker_buy_quote_asset_volume'], column: null },
    { header: 'ignore', column: null },
  ],
})
