import { tableArtifact } from '../artifact.ts'
import { defineCsv } from '../csv/layout.ts'
import { decimal, defineTable, tsMs, utf8 } from './schema.ts'
import { makeTable, type TableOf } from './table.ts'

const rowColumns = {
  openTsMs: tsMs({ doc: 'when the bar opens' }),
  open: decimal(8, 18),
  high: decimal(8, 18),
  low: decimal(8, 18),
  close: decimal(8, 18),
  closeTsMs: tsMs({ doc: 'last millisecond of the bar' }),
}
const columns = { symbol: utf8(), ...rowColumns }
const sortKey = ['symbol', 'openTsMs'] as const

/** Bars of what is computed and not traded: no volume, no trades. Each kind is a type of its own, so that none can be
 *  wired in another's place. */
export const markPriceTable = defineTable({ name: 'markPrice', version: 1, columns, sortKey })
export const markPrice = tableArtifact(markPriceTable)
export const indexPriceTable = defineTable({ name: 'indexPrice', version: 1, columns, sortKey })
export const indexPrice = tableArtifact(indexPriceTable)
/** The perpetual's premium over its index, as a share: it may be negative. */
export const premiumIndexTable = defineTable({ name: 'premiumIndex', version: 1, columns, sortKey })
export const premiumIndex = tableArtifact(premiumIndexTable)

export type PriceBarTable = typeof markPriceTable | typeof indexPriceTable | typeof premiumIndexTable

const priceBarRows = defineTable({ name: 'priceBarRows', version: 1, columns: rowColumns, sortKey: ['openTsMs'] })

export function priceBarsOf<S extends PriceBarTable>(
  schema: S,
  symbol: string,
  rows: TableOf<typeof priceBarRows>,
): TableOf<S> {
  const all = { symbol: new Array<string>(rows.rowCount).fill(symbol), ...rows.columns }
  return makeTable<typeof columns>(schema, all) as TableOf<S>
}

/** The same twelve columns as klines, of which the flow says nothing here. */
export const priceBarCsv = defineCsv({
  schema: priceBarRows,
  fields: [
    { header: 'open_time', column: 'openTsMs' },
    { header: 'open', column: 'open', signed: true },
    { header: 'high', column: 'high', signed: true },
    { header: 'low', column: 'low', signed: true },
    { header: 'close', column: 'close', signed: true },
    { header: 'volume', column: null },
    { header: 'close_time', column: 'closeTsMs' },
    { header: ['quote_volume', 'quote_asset_volume'], column: null },
    { header: ['count', 'number_of_trades'], column: null },
    { header: ['taker_buy_volume', 'taker_buy_base_asset_volume'], column: null },
    { header: ['taker_buy_quote_volume', 'taker_buy_quote_asset_volume'], column: null },
    { header: 'ignore', column: null },
  ],
})
