import type { FileSet } from '../../artifact.ts'
import { type Finding, type Policy, severityOf } from '../../audit/finding.ts'
import type { CsvLayout } from '../../csv/layout.ts'
import { int64ToFloat64 } from '../../tables/columnChecks.ts'
import { klineCsv } from '../../tables/klines.ts'
import { priceCsv } from '../../tables/priceKlines.ts'
import type { Column, Columns } from '../../tables/schema.ts'
import { concatTables, type Table } from '../../tables/table.ts'
import { DAY_MS, formatUtc, HOUR_MS, type Interval, monthStart, nextOpen, type TsMs } from '../../time.ts'
import type { ArchiveMarket } from '../../venues/archiveKeys.ts'
import type { BarKind } from '../../venues/usdm.ts'
import { lastOpenEnd, missingBars } from '../coverage/barGrid.ts'
import { barDefects } from './barDefects.ts'
import { findingsAbout, isLeftOut } from './fileDoubts.ts'
import { mergePieces } from './mergePieces.ts'
import { type ReadPiece, readPieces } from './readPiece.ts'
import { warnWhereServed } from './servedElsewhere.ts'
import { clockShiftMs } from './shiftedBars.ts'

/** One partition of bars. */
export type BarPartition = {
  readonly market: ArchiveMarket
  readonly kind: BarKind
  readonly symbol: string
  readonly interval: Interval
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
  /** Only bars that end before it are bars; others may still change. */
  readonly closedBeforeTsMs?: TsMs | undefined
}

/** From here on spot archives count microseconds. */
const spotMicrosFrom = monthStart('2025-01')
/** From here on archives of contracts carry headers, with none left out. */
const headersFrom = monthStart('2022-09')
const headersNever = monthStart('2022-01')
const flatRunMs = 600_000

type PriceColumns = Readonly<Record<'open' | 'high' | 'low' | 'close', Column<'decimal', false>>> &
  Readonly<Record<'openTsMs' | 'closeTsMs', Column<'tsMs', false>>> &
  Columns

/** The reader for a kind of bars, where only their findings matter. */
export function barFindings(
  raw: readonly FileSet[],
  partition: BarPartition,
  policy: Policy,
): { rows: number; findings: Finding[] } {
  const read = partition.kind === 'klines' ? tradeBars : priceBars
  const { table, findings } = read(raw, partition, policy)
  return { rows: table.rowCount, findings }
}

/** The bars of a partition out of whatever files there are, and everything that was wrong with those. */
export const tradeBars = (raw: readonly FileSet[], partition: BarPartition, policy: Policy) =>
  barsOf(klineCsv, raw, partition, policy)
export const priceBars = (raw: readonly FileSet[], partition: BarPartition, policy: Policy) =>
  barsOf(priceCsv, raw, partition, policy)

function barsOf<C extends PriceColumns>(
  layout: CsvLayout<C>,
  raw: readonly FileSet[],
  partition: BarPartition,
  policy: Policy,
): { table: Table<C>; findings: Finding[] } {
  const { market, interval, fromTsMs, closedBeforeTsMs } = partition
  const toTsMs = lastOpenEnd(interval, partition.toTsMs, closedBeforeTsMs)
  const header =
    market === 'spot' ? false : fromTsMs >= headersFrom ? true : fromTsMs < headersNever ? false : undefined
  const read = readPieces(raw, {
    layout,
    policy,
    timeUnit: market === 'spot' && fromTsMs >= spotMicrosFrom ? 'us' : 'ms',
    ...(header === undefined ? {} : { header }),
  })
  const pieces = read.map((piece) => withRightClock(piece, partition, policy))
  const { table, findings } = mergePieces(pieces, {
    schema: layout.schema,
    key: 'openTsMs',
    time: 'openTsMs',
    fromTsMs,
    toTsMs,
    policy,
    defectOf: (table) => barDefects(table, interval, partition.kind),
  })
  const all = [...pieces.flatMap((piece) => piece.findings), ...findings]
  const open = table.columns.openTsMs as Float64Array
  for (const gap of missingBars(open, interval, fromTsMs, toTsMs)) {
    all.push({
      kind: 'missingRows',
      severity: severityOf('missingRows', policy),
      what: `no bars from ${formatUtc(gap.fromTsMs)}`,
      ...gap,
    })
  }
  all.push(...stillStretches(table, interval, policy))
  // A premium crosses zero all the time: a ratio of two of them says nothing.
  if (partition.kind !== 'premiumIndexKlines') all.push(...spikes(table, interval, policy))
  return { table, findings: warnWhereServed(all) }
}

/** A file whose clock is shifted has every row at a wrong instant: under quarantine nothing of it is taken. */
function withRightClock<C extends PriceColumns>(
  piece: ReadPiece<C>,
  partition: BarPartition,
  policy: Policy,
): ReadPiece<C> {
  const { file, table } = piece
  const shiftMs = clockShiftMs(file, table.columns.openTsMs as Float64Array, partition.interval, partition)
  if (shiftMs === 0) return piece
  const { findings, say } = findingsAbout(file, policy)
  const hours = Math.abs(shiftMs) / HOUR_MS
  say(
    'shiftedClock',
    `all its bars are ${hours} h ${shiftMs > 0 ? 'late' : 'early'}: its times may be of another zone`,
    {
      rows: table.rowCount,
    },
  )
  return {
    ...piece,
    findings: [...piece.findings, ...findings],
    table: isLeftOut(findings, policy) ? concatTables(table.schema, []) : table,
  }
}

/** An outage may show as bars without a trade instead of a gap; after a delisting the last price may stand for days. */
function stillStretches<C extends PriceColumns>(table: Table<C>, interval: Interval, policy: Policy): Finding[] {
  const columns = table.columns as Readonly<Record<string, unknown>>
  const openTsMs = columns['openTsMs'] as Float64Array
  const close = columns['close'] as BigInt64Array
  const count = columns['count'] as Int32Array | undefined
  const [high, low] = [columns['high'] as BigInt64Array, columns['low'] as BigInt64Array]
  const isStill = (row: number) =>
    high[row] === low[row] && (count === undefined ? row > 0 && close[row] === close[row - 1] : count[row] === 0)
  const found: Finding[] = []
  for (let row = 0; row < table.rowCount; ) {
    if (!isStill(row)) {
      row++
      continue
    }
    let end = row + 1
    while (end < table.rowCount && isStill(end)) end++
    const fromTsMs = openTsMs[row]!
    const toTsMs = nextOpen(openTsMs[end - 1]!, interval)
    const spanMs = toTsMs - fromTsMs
    const isEnd = end === table.rowCount && spanMs >= DAY_MS
    // Prices nobody trades at may well stand still for some minutes; that is no outage.
    if (isEnd || (count !== undefined && spanMs >= flatRunMs)) {
      const kind = isEnd ? 'frozenPrice' : 'flatRun'
      const what = isEnd ? 'the price stands still to the end' : `${end - row} bars without a trade`
      found.push({ kind, severity: severityOf(kind, policy), what, fromTsMs, toTsMs, rows: end - row })
    }
    row = end
  }
  return found
}

/** A bar that leaps to more than twice or less than half of both its neighbours. Markets do such things: it only tags. */
function spikes<C extends PriceColumns>(table: Table<C>, interval: Interval, policy: Policy): Finding[] {
  const columns = table.columns as Readonly<Record<string, unknown>>
  const openTsMs = columns['openTsMs'] as Float64Array
  const close = int64ToFloat64(columns['close'] as BigInt64Array)
  const found: Finding[] = []
  for (let row = 1; row + 1 < table.rowCount; row++) {
    const before = close[row - 1]!
    const here = close[row]!
    const after = close[row + 1]!
    if (before <= 0 || here <= 0 || after <= 0) continue
    const isSpike = (here > 2 * before && here > 2 * after) || (2 * here < before && 2 * here < after)
    if (!isSpike) continue
    const fromTsMs = openTsMs[row]!
    found.push({
      kind: 'priceSpike',
      severity: severityOf('priceSpike', policy),
      what: 'one bar leaps away from both its neighbours',
      fromTsMs,
      toTsMs: nextOpen(fromTsMs, interval),
      rows: 1,
    })
  }
  return found
}
