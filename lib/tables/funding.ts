import { tableArtifact } from '../artifact.ts'
import { defineCsv } from '../csv/layout.ts'
import { decimal, defineTable, i32, nullable, tsMs, utf8 } from './schema.ts'
import { makeTable, type TableOf } from './table.ts'

const archiveColumns = {
  tsMs: tsMs({ doc: 'as published' }),
  intervalHours: i32({ unit: 'h' }),
  rate: decimal(18, 18, { unit: 'share of notional' }),
}
const pageColumns = {
  tsMs: tsMs({ doc: 'as published' }),
  rate: decimal(18, 18, { unit: 'share of notional' }),
  markPrice: nullable(decimal(8, 18, { unit: 'quote' })),
}

/** Published funding settlements of perpetuals. */
export const fundingTable = defineTable({
  name: 'funding',
  version: 3,
  doc: 'One row a settlement. Rates of different intervals are not comparable until they are scaled.',
  columns: {
    symbol: utf8(),
    tsMs: tsMs({ doc: 'as published: up to some 30 ms after the settlement' }),
    settledTsMs: tsMs({ doc: 'snapped to the second it was due' }),
    intervalHours: nullable(
      i32({ unit: 'h', doc: 'hours since the settlement before; absent where nothing tells them' }),
    ),
    rate: decimal(18, 18, { unit: 'share of notional' }),
    markPrice: nullable(
      decimal(8, 18, { unit: 'quote', doc: 'absent where it was not published: then the mark-price bar tells it' }),
    ),
  },
  sortKey: ['symbol', 'tsMs'],
})
export const funding = tableArtifact(fundingTable)

const fundingRows = defineTable({ name: 'fundingRows', version: 2, columns: archiveColumns, sortKey: ['tsMs'] })
export const fundingPageRows = defineTable({
  name: 'fundingPageRows',
  version: 2,
  columns: pageColumns,
  sortKey: ['tsMs'],
})

/** The rows of an archive, which knows intervals and no mark prices. */
export function fundingOf(
  symbol: string,
  { rowCount, columns }: TableOf<typeof fundingRows>,
): TableOf<typeof fundingTable> {
  return makeTable(fundingTable, {
    symbol: new Array<string>(rowCount).fill(symbol),
    tsMs: columns.tsMs,
    settledTsMs: columns.tsMs.map(snapSettlement),
    intervalHours: { values: columns.intervalHours, valid: new Uint8Array(rowCount).fill(1) },
    rate: columns.rate,
    markPrice: { values: new BigInt64Array(rowCount), valid: new Uint8Array(rowCount) },
  })
}

/** The rows of a page of the API, which knows mark prices and no intervals. */
export function fundingPageOf(
  symbol: string,
  { rowCount, columns }: TableOf<typeof fundingPageRows>,
): TableOf<typeof fundingTable> {
  return makeTable(fundingTable, {
    symbol: new Array<string>(rowCount).fill(symbol),
    tsMs: columns.tsMs,
    settledTsMs: columns.tsMs.map(snapSettlement),
    intervalHours: { values: new Int32Array(rowCount), valid: new Uint8Array(rowCount) },
    rate: columns.rate,
    markPrice: columns.markPrice,
  })
}

/** Stamps come up to some 30 ms late, and never early. */
const snapSettlement = (publishedTsMs: number): number => Math.floor(publishedTsMs / 1000) * 1000

export const fundingCsv = defineCsv({
  schema: fundingRows,
  fields: [
    { header: 'calc_time', column: 'tsMs' },
    { header: 'funding_interval_hours', column: 'intervalHours' },
    { header: 'last_funding_rate', column: 'rate', signed: true },
  ],
})

export const fundingPageFields = ['fundingTime', 'fundingRate', 'markPrice'] as const
export const fundingPageCsv = defineCsv({
  schema: fundingPageRows,
  fields: [
    { header: 'fundingTime', column: 'tsMs' },
    { header: 'fundingRate', column: 'rate', signed: true },
    { header: 'markPrice', column: 'markPrice' },
  ],
})
