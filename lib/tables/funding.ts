import { tableArtifact } from '../artifact.ts'
import { defineCsv } from '../csv/layout.ts'
import { decimal, defineTable, i32, tsMs, utf8 } from './schema.ts'
import { makeTable, type TableOf } from './table.ts'

const rowColumns = {
  tsMs: tsMs({ doc: 'as published' }),
  intervalHours: i32({ unit: 'h' }),
  rate: decimal(8, 18, { unit: 'share of notional' }),
}

/** Published funding settlements of perpetuals. */
export const fundingTable = defineTable({
  name: 'funding',
  version: 1,
  doc: 'One row a settlement, stamped as published: up to some 30 ms after the hour.',
  columns: { symbol: utf8(), ...rowColumns },
  sortKey: ['symbol', 'tsMs'],
})
export const funding = tableArtifact(fundingTable)

const fundingRows = defineTable({ name: 'fundingRows', version: 1, columns: rowColumns, sortKey: ['tsMs'] })

export function fundingOf(
  symbol: string,
  { rowCount, columns }: TableOf<typeof fundingRows>,
): TableOf<typeof fundingTable> {
  return makeTable(fundingTable, { symbol: new Array<string>(rowCount).fill(symbol), ...columns })
}

export const fundingCsv = defineCsv({
  schema: fundingRows,
  fields: [
    { header: 'calc_time', column: 'tsMs' },
    { header: 'funding_interval_hours', column: 'intervalHours' },
    { header: 'last_funding_rate', column: 'rate', signed: true },
  ],
})
