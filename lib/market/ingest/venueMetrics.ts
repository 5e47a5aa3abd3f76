import type { FileSet } from '../../artifact.ts'
import { type Finding, type FindingKind, type Policy, severityOf } from '../../audit/finding.ts'
import { defineCsv } from '../../csv/layout.ts'
import { decimal, defineTable, f64, nullable, utf8, wideDecimal } from '../../tables/schema.ts'
import { makeTable, type TableOf } from '../../tables/table.ts'
import { venueMetricsTable } from '../../tables/venueMetrics.ts'
import { pickBigs } from '../../tables/wideInts.ts'
import { DAY_MS, dayStart, formatUtc, MINUTE_MS, parseUtc, type TsMs } from '../../time.ts'
import { gridGaps } from '../coverage/gridGaps.ts'
import { mergePieces, type Piece } from './mergePieces.ts'
import { type ReadPiece, readPieces } from './readPiece.ts'

type Metrics = TableOf<typeof venueMetricsTable>

export type MetricsPartition = { readonly symbol: string; readonly fromTsMs: TsMs; readonly toTsMs: TsMs }

const stepMs = 5 * MINUTE_MS
/** Until then a row was named by the end of its five minutes, from then on by their start. */
const startLabelsFrom = dayStart('2026-06-25')

const textRows = defineTable({
  name: 'venueMetricsText',
  version: 1,
  columns: {
    createTime: utf8(),
    symbol: utf8(),
    openInterest: nullable(wideDecimal(8)),
    openInterestValue: f64(),
    topAccountsRatio: nullable(decimal(8)),
    topPositionsRatio: nullable(decimal(8)),
    allAccountsRatio: nullable(decimal(8)),
    takerVolumeRatio: nullable(decimal(8)),
  },
  sortKey: ['createTime'],
})
type TextColumns = (typeof textRows)['columns']

const metricsCsv = defineCsv({
  schema: textRows,
  header: 'always',
  fields: [
    { header: 'create_time', column: 'createTime' },
    { header: 'symbol', column: 'symbol' },
    { header: 'sum_open_interest', column: 'openInterest' },
    { header: 'sum_open_interest_value', column: 'openInterestValue' },
    { header: 'count_toptrader_long_short_ratio', column: 'topAccountsRatio' },
    { header: 'sum_toptrader_long_short_ratio', column: 'topPositionsRatio' },
    { header: 'count_long_short_ratio', column: 'allAccountsRatio' },
    { header: 'sum_taker_long_short_vol_ratio', column: 'takerVolumeRatio' },
  ],
})

/** The statistics of a partition, with labels brought to one convention: a row is named by the start of its period. */
export function venueMetricsOf(
  raw: readonly FileSet[],
  partition: MetricsPartition,
  policy: Policy,
): { table: Metrics; findings: Finding[] } {
  const { symbol, fromTsMs, toTsMs } = partition
  const read = readPieces(raw, { layout: metricsCsv, policy, only: 'archives', emptyQuotes: true })
  const findings: Finding[] = []
  const pieces = read.map((piece) => labelled(piece, symbol, policy, findings))
  const merged = mergePieces(pieces, {
    schema: venueMetricsTable,
    key: 'fromTsMs',
    time: 'fromTsMs',
    fromTsMs,
    toTsMs,
    policy,
    // The venue writes them in no order; that is how they are, and no finding.
    isUnordered: true,
    defectOf:
      ({ columns }) =>
      (row) => {
        const at = (columns['fromTsMs'] as Float64Array)[row]!
        return at % stepMs === 0
          ? undefined
          : ({ kind: 'offGrid', what: `a row is named ${formatUtc(at)}, off the five minutes` } as const)
      },
  })
  const all = [...read.flatMap((piece) => piece.findings), ...findings, ...merged.findings]
  all.push(...gridGaps(merged.table.columns.fromTsMs, stepMs, partition, policy))
  return { table: merged.table, findings: all }
}

function labelled(
  piece: ReadPiece<TextColumns>,
  symbol: string,
  policy: Policy,
  findings: Finding[],
): Piece<(typeof venueMetricsTable)['columns']> {
  const { file, table } = piece
  const say = (kind: FindingKind, what: string, rows?: number) =>
    findings.push({ kind, severity: severityOf(kind, policy), what, file, ...(rows === undefined ? {} : { rows }) })
  const day = /(\d{4}-\d{2}-\d{2})\.zip$/.exec(file)?.[1]
  const dayTsMs = day === undefined ? undefined : dayStart(day)
  const stamps = table.columns.createTime.map((text) => parseUtc(text))
  const unreadable = stamps.filter((stamp) => stamp === undefined).length
  if (unreadable > 0) say('badCell', 'its create_time is no time in UTC', unreadable)
  const foreign = table.columns.symbol.filter((name) => name !== symbol).length
  if (foreign > 0)
    say('wrongSymbol', `it holds rows of ${table.columns.symbol.find((name) => name !== symbol)}`, foreign)

  const isByEnd = labelsAreEnds(stamps, dayTsMs)
  const expected = dayTsMs === undefined ? isByEnd : dayTsMs < startLabelsFrom
  if (isByEnd !== expected) {
    say(
      'movedLabels',
      `its rows are named by the ${isByEnd ? 'end' : 'start'} of their five minutes, unlike other files of its time`,
    )
  }
  const kept = stamps.flatMap((stamp, row) =>
    stamp === undefined || table.columns.symbol[row] !== symbol ? [] : [row],
  )
  const pick = <T extends BigInt64Array | Float64Array | Uint8Array>(values: T, target: T): T => {
    kept.forEach((row, i) => {
      target[i] = values[row]!
    })
    return target
  }
  const decimals = (column: { values: BigInt64Array; valid: Uint8Array }) => ({
    values: pick(column.values, new BigInt64Array(kept.length)),
    valid: pick(column.valid, new Uint8Array(kept.length)),
  })
  const { columns } = table
  return {
    file,
    mayReachBeyond: false,
    table: makeTable(venueMetricsTable, {
      symbol: kept.map(() => symbol),
      fromTsMs: Float64Array.from(kept, (row) => stamps[row]! - (isByEnd ? stepMs : 0)),
      openInterest: {
        values: pickBigs(columns.openInterest.values, kept),
        valid: pick(columns.openInterest.valid, new Uint8Array(kept.length)),
      },
      openInterestValue: pick(columns.openInterestValue, new Float64Array(kept.length)),
      topAccountsRatio: decimals(columns.topAccountsRatio),
      topPositionsRatio: decimals(columns.topPositionsRatio),
      allAccountsRatio: decimals(columns.allAccountsRatio),
      takerVolumeRatio: decimals(columns.takerVolumeRatio),
    }),
  }
}

/** A day named by ends has a row of the next midnight, one named by starts a row of its own; its date decides for the
 *  rest. */
function labelsAreEnds(stamps: readonly (number | undefined)[], dayTsMs: TsMs | undefined): boolean {
  if (dayTsMs === undefined) return false
  const hasNext = stamps.includes(dayTsMs + DAY_MS)
  const hasOwn = stamps.includes(dayTsMs)
  if (hasNext !== hasOwn) return hasNext
  return dayTsMs < startLabelsFrom
}
