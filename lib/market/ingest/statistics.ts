import type { FileSet } from '../../artifact.ts'
import type { Finding, FindingKind, Policy } from '../../audit/finding.ts'
import { defineCsv } from '../../csv/layout.ts'
import { openInterestTable } from '../../tables/openInterest.ts'
import { decimal, defineTable, f64, tsMs, utf8, wideDecimal } from '../../tables/schema.ts'
import { makeTable, type TableOf } from '../../tables/table.ts'
import { takerVolumeTable } from '../../tables/takerVolume.ts'
import { bigAt, pickBigs } from '../../tables/wideInts.ts'
import { formatUtc, MINUTE_MS, type TsMs } from '../../time.ts'
import { gridGaps } from '../coverage/gridGaps.ts'
import { gatherRows } from './gatherRows.ts'
import { mergePieces, type Piece } from './mergePieces.ts'
import { readPieces } from './readPiece.ts'
import { venueMetricsOf } from './venueMetrics.ts'

export type StatisticsPartition = {
  readonly symbol: string
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
  readonly closedBeforeTsMs?: TsMs | undefined
}

const stepMs = 5 * MINUTE_MS

/** The API is some minutes late with the newest rows: that they are not there yet is no gap. */
const lateMs = 3 * stepMs

const openInterestFields = ['timestamp', 'symbol', 'sumOpenInterest', 'sumOpenInterestValue'] as const
const openInterestCsv = defineCsv({
  schema: defineTable({
    name: 'openInterestRows',
    version: 1,
    columns: { tsMs: tsMs(), symbol: utf8(), openInterest: wideDecimal(8), openInterestValue: f64() },
    sortKey: ['tsMs'],
  }),
  fields: [
    { header: 'timestamp', column: 'tsMs' },
    { header: 'symbol', column: 'symbol' },
    { header: 'sumOpenInterest', column: 'openInterest' },
    { header: 'sumOpenInterestValue', column: 'openInterestValue' },
  ],
})

const takerFields = ['timestamp', 'buyVol', 'sellVol', 'buySellRatio'] as const
const takerCsv = defineCsv({
  schema: defineTable({
    name: 'takerVolumeRows',
    version: 1,
    columns: { tsMs: tsMs(), buyVolume: wideDecimal(8), sellVolume: wideDecimal(8), buySellRatio: decimal(8) },
    sortKey: ['tsMs'],
  }),
  fields: [
    { header: 'timestamp', column: 'tsMs' },
    { header: 'buyVol', column: 'buyVolume' },
    { header: 'sellVol', column: 'sellVolume' },
    { header: 'buySellRatio', column: 'buySellRatio' },
  ],
})

type Defect = { kind: FindingKind; what: string } | undefined

const offGrid = (at: TsMs): Defect =>
  at % stepMs === 0 ? undefined : { kind: 'offGrid', what: `a row of ${formatUtc(at)} lies off the five minutes` }

/** Open interest at the instants it was measured: from the archive's metrics, and from the API where those are not yet. */
export function openInterestOf(
  metrics: readonly FileSet[],
  pages: readonly FileSet[],
  partition: StatisticsPartition,
  policy: Policy,
): { table: TableOf<typeof openInterestTable>; findings: Finding[] } {
  const { symbol, fromTsMs, toTsMs, closedBeforeTsMs } = partition
  const archived = venueMetricsOf(metrics, partition, policy)
  const read = readPieces(pages, { layout: openInterestCsv, policy, only: 'pages', jsonFields: openInterestFields })
  const pieces: Piece<(typeof openInterestTable)['columns']>[] = [
    ...(metrics.length === 0 ? [] : [{ file: 'metrics', mayReachBeyond: true, table: stocksOf(archived.table) }]),
    ...read.map(({ file, table: { columns, rowCount } }) => {
      const known = Array.from({ length: rowCount }, (_, row) => row).filter(
        (row) => bigAt(columns.openInterest, row) > 0n,
      )
      return { file, mayReachBeyond: true, table: rowsOf(makeTable(openInterestTable, columns), known) }
    }),
  ]
  const { table, findings } = mergePieces(pieces, {
    schema: openInterestTable,
    key: 'tsMs',
    time: 'tsMs',
    // Measured at the end of its five minutes: the last of a day belongs to that day's partition.
    fromTsMs: fromTsMs + 1,
    toTsMs: Math.min(toTsMs, closedBeforeTsMs ?? toTsMs) + 1,
    policy,
    compare: ['openInterest'],
    defectOf:
      ({ columns }) =>
      (row) => {
        const name = columns['symbol'] as readonly string[]
        if (name[row] !== symbol) return { kind: 'wrongSymbol', what: `it holds rows of ${name[row]}` }
        return offGrid((columns['tsMs'] as Float64Array)[row]!)
      },
  })
  // What the metrics lack the pages may have: gaps are those of the table.
  const fromMetrics = metrics.length === 0 ? [] : archived.findings.filter(({ kind }) => kind !== 'missingRows')
  const gaps = gridGaps(
    table.columns.tsMs,
    stepMs,
    { fromTsMs: fromTsMs + 1, toTsMs: expectedTo(partition) + 1 },
    policy,
  )
  return { table, findings: [...fromMetrics, ...read.flatMap((piece) => piece.findings), ...findings, ...gaps] }
}

const expectedTo = ({ toTsMs, closedBeforeTsMs }: StatisticsPartition): TsMs =>
  closedBeforeTsMs === undefined ? toTsMs : Math.min(toTsMs, closedBeforeTsMs - lateMs)

const rowsOf = (table: TableOf<typeof openInterestTable>, rows: readonly number[]) =>
  rows.length === table.rowCount
    ? table
    : gatherRows(openInterestTable, [table], new Int32Array(rows.length), Int32Array.from(rows))

/** Zero was written for "not known" more than once: open interest of nothing is no measurement. */
function stocksOf({
  columns,
  rowCount,
}: ReturnType<typeof venueMetricsOf>['table']): TableOf<typeof openInterestTable> {
  const kept: number[] = []
  for (let row = 0; row < rowCount; row++) {
    if (columns.openInterest.valid[row] === 1 && bigAt(columns.openInterest.values, row) > 0n) kept.push(row)
  }
  return makeTable(openInterestTable, {
    symbol: kept.map((row) => columns.symbol[row]!),
    tsMs: Float64Array.from(kept, (row) => columns.fromTsMs[row]! + stepMs),
    openInterest: pickBigs(columns.openInterest.values, kept),
    openInterestValue: Float64Array.from(kept, (row) => columns.openInterestValue[row]!),
  })
}

/** What takers bought and sold, as the API's statistics tell. */
export function takerVolumeOf(
  pages: readonly FileSet[],
  partition: StatisticsPartition,
  policy: Policy,
): { table: TableOf<typeof takerVolumeTable>; findings: Finding[] } {
  const { symbol, fromTsMs, toTsMs, closedBeforeTsMs } = partition
  const read = readPieces(pages, { layout: takerCsv, policy, only: 'pages', jsonFields: takerFields })
  const pieces = read.map(({ file, table: { rowCount, columns } }) => ({
    file,
    mayReachBeyond: true,
    table: makeTable(takerVolumeTable, { symbol: new Array<string>(rowCount).fill(symbol), ...columns }),
  }))
  const { table, findings } = mergePieces(pieces, {
    schema: takerVolumeTable,
    key: 'tsMs',
    time: 'tsMs',
    fromTsMs,
    toTsMs: Math.min(toTsMs, closedBeforeTsMs ?? toTsMs),
    policy,
    defectOf:
      ({ columns }) =>
      (row) =>
        offGrid((columns['tsMs'] as Float64Array)[row]!),
  })
  const gaps = gridGaps(table.columns.tsMs, stepMs, { fromTsMs, toTsMs: expectedTo(partition) }, policy)
  return { table, findings: [...read.flatMap((piece) => piece.findings), ...findings, ...gaps] }
}
