import type { FileSet } from '../../artifact.ts'
import { type Finding, type Policy, severityOf } from '../../audit/finding.ts'
import { formatScaledShort } from '../../decimal.ts'
import {
  fundingCsv,
  fundingOf,
  fundingPageCsv,
  fundingPageFields,
  fundingPageOf,
  fundingTable,
} from '../../tables/funding.ts'
import { concatTables, makeTable, type TableOf } from '../../tables/table.ts'
import { formatUtc, HOUR_MS, MINUTE_MS, type TsMs } from '../../time.ts'
import { isLeftOut } from './fileDoubts.ts'
import { mergePieces, type Piece } from './mergePieces.ts'
import { readPieces } from './readPiece.ts'
import { warnWhereServed } from './servedElsewhere.ts'

type Funding = TableOf<typeof fundingTable>

export type FundingPartition = {
  readonly symbol: string
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
  readonly closedBeforeTsMs?: TsMs | undefined
}

/** Hours between settlements that the venue uses. */
const knownHours = [1, 2, 4, 8]
/** The latest a stamp was ever seen after its settlement, with room. */
const jitterMsMax = 100
/** A settlement that was due so lately may not be told yet. */
const lateMsMax = 15 * MINUTE_MS

/** The settlements of a partition out of whatever files there are: archives serve, pages of the API add mark prices. */
export function settlementsOf(
  raw: readonly FileSet[],
  { symbol, fromTsMs, toTsMs, closedBeforeTsMs }: FundingPartition,
  policy: Policy,
): { table: Funding; findings: Finding[] } {
  const archives = readPieces(raw, { only: 'archives', layout: fundingCsv, policy, header: true, timeUnit: 'ms' })
  const pages = readPieces(raw, { only: 'pages', layout: fundingPageCsv, policy, jsonFields: fundingPageFields })
  const shifted: Finding[] = []
  const pieces: Piece<(typeof fundingTable)['columns']>[] = [
    ...archives.map((archive) => {
      const settled = fundingOf(symbol, archive.table)
      const clock = shifts(archive.file, settled, policy)
      shifted.push(...clock)
      const table = isLeftOut(clock, policy) ? concatTables(fundingTable, []) : settled
      return { file: archive.file, table, mayReachBeyond: false }
    }),
    ...pages.map(({ file, table }) => ({ file, table: fundingPageOf(symbol, table), mayReachBeyond: true })),
  ]
  const marks = marksOf(pieces.filter(({ mayReachBeyond }) => mayReachBeyond))
  const { table, findings } = mergePieces(pieces.map(withMarks), {
    schema: fundingTable,
    key: 'settledTsMs',
    time: 'settledTsMs',
    fromTsMs,
    toTsMs: Math.min(toTsMs, closedBeforeTsMs ?? toTsMs),
    policy,
    compare: ['rate'],
    defectOf:
      ({ columns }) =>
      (row) => {
        const lateMs = (columns['tsMs'] as Float64Array)[row]! % 60_000
        return lateMs <= jitterMsMax
          ? undefined
          : ({
              kind: 'offGrid',
              what: `a settlement is stamped ${formatUtc((columns['tsMs'] as Float64Array)[row]!)}, off the minute`,
            } as const)
      },
  })
  const whole = withIntervals(table)
  return {
    table: whole,
    findings: warnWhereServed([
      ...[...archives, ...pages].flatMap((piece) => piece.findings),
      ...findings,
      ...gaps(
        whole,
        { fromTsMs, toTsMs: Math.min(toTsMs, (closedBeforeTsMs ?? Number.POSITIVE_INFINITY) - lateMsMax) },
        policy,
      ),
      ...shifted,
      // Nobody else is left to be asked: what the API tells is kept, and marked.
      ...(shifted.length > 0
        ? []
        : shifts(undefined, whole, policy).map((found) => ({
            ...found,
            severity: policy === 'reject' ? ('FAIL' as const) : ('WARN' as const),
          }))),
      ...beyondCap(whole, policy),
    ]),
  }

  /** An archive has no mark price; where the API told one for the same settlement and rate it is the row's too. */
  function withMarks(piece: (typeof pieces)[number]): (typeof pieces)[number] {
    if (piece.mayReachBeyond || marks.size === 0) return piece
    const { columns, rowCount } = piece.table
    const values = new BigInt64Array(rowCount)
    const valid = new Uint8Array(rowCount)
    for (let row = 0; row < rowCount; row++) {
      const mark = marks.get(columns.settledTsMs[row]!)
      if (mark === undefined || mark.rate !== columns.rate[row]) continue
      values[row] = mark.price
      valid[row] = 1
    }
    return { ...piece, table: makeTable(fundingTable, { ...columns, markPrice: { values, valid } }) }
  }
}

function marksOf(pages: readonly { readonly table: Funding }[]): Map<number, { rate: bigint; price: bigint }> {
  const marks = new Map<number, { rate: bigint; price: bigint }>()
  for (const { table } of pages) {
    const { settledTsMs, rate, markPrice } = table.columns
    for (let row = 0; row < table.rowCount; row++) {
      // Zero is no price: nothing is ever settled at it.
      if (markPrice.valid[row] === 0 || markPrice.values[row] === 0n) continue
      marks.set(settledTsMs[row]!, { rate: rate[row]!, price: markPrice.values[row]! })
    }
  }
  return marks
}

/** Where only the API told of a settlement its interval is the distance to the one before. */
function withIntervals(table: Funding): Funding {
  const { columns, rowCount } = table
  const { settledTsMs, intervalHours } = columns
  if (intervalHours.valid.every((flag) => flag === 1)) return table
  const values = Int32Array.from(intervalHours.values)
  const valid = Uint8Array.from(intervalHours.valid)
  for (let row = 0; row < rowCount; row++) {
    if (valid[row] === 1) continue
    const other = row === 0 ? 1 : row - 1
    const hours = Math.abs(settledTsMs[row]! - (settledTsMs[other] ?? Number.NaN)) / HOUR_MS
    if (!knownHours.includes(hours)) continue
    values[row] = hours
    valid[row] = 1
  }
  return makeTable(fundingTable, { ...columns, intervalHours: { values, valid } })
}

/** Settlements further apart than their interval, or than that from an end of the partition: some are not here. */
function gaps(
  { columns, rowCount }: Funding,
  { fromTsMs, toTsMs }: { readonly fromTsMs: TsMs; readonly toTsMs: TsMs },
  policy: Policy,
): Finding[] {
  const { settledTsMs, intervalHours } = columns
  const spacingMs = (row: number) => (intervalHours.valid[row] === 1 ? intervalHours.values[row]! : 8) * HOUR_MS
  const found: Finding[] = []
  const say = (from: TsMs, to: TsMs) =>
    found.push({
      kind: 'missingRows',
      severity: severityOf('missingRows', policy),
      what: `no settlement in ${Math.round((to - from) / HOUR_MS)} hours`,
      fromTsMs: from,
      toTsMs: to,
    })
  if (rowCount === 0) {
    if (toTsMs - fromTsMs > 8 * HOUR_MS) say(fromTsMs, toTsMs)
    return found
  }
  if (settledTsMs[0]! - fromTsMs > spacingMs(0)) say(fromTsMs, settledTsMs[0]!)
  for (let row = 1; row < rowCount; row++) {
    const apartMs = settledTsMs[row]! - settledTsMs[row - 1]!
    // The settlement at which the interval shrinks still ends a long one.
    if (apartMs > spacingMs(row) && apartMs > spacingMs(row - 1)) say(settledTsMs[row - 1]! + 1, settledTsMs[row]!)
  }
  const last = rowCount - 1
  if (toTsMs - settledTsMs[last]! > spacingMs(last)) say(settledTsMs[last]! + 1, toTsMs)
  return found
}

/** Settlements fall on whole multiples of their interval in UTC. Where all of them lie beside those by one and the same
 *  distance, the file was written in another time zone and does not say so. */
function shifts(file: string | undefined, { columns, rowCount }: Funding, policy: Policy): Finding[] {
  const { settledTsMs, intervalHours } = columns
  let offsetMs: number | undefined
  let rows = 0
  for (let row = 0; row < rowCount; row++) {
    if (intervalHours.valid[row] === 0) continue
    const here = settledTsMs[row]! % (intervalHours.values[row]! * HOUR_MS)
    if (here === 0 || here % (HOUR_MS / 4) !== 0 || (offsetMs !== undefined && here !== offsetMs)) return []
    offsetMs = here
    rows++
  }
  if (offsetMs === undefined || rows < 3) return []
  const what = `every settlement lies ${offsetMs / HOUR_MS} h beside the venue's hours: its times may be of another zone`
  const where = file === undefined ? {} : { file }
  return [{ kind: 'shiftedClock', severity: severityOf('shiftedClock', policy), what, rows, ...where }]
}

/** The widest cap the venue sets on any contract's rate: three hundredths. */
const rateCap = 30_000_000_000_000_000n

/** Rates above any cap look like percents in place of shares. Caps were raised before: it only tags. */
function beyondCap({ columns, rowCount }: Funding, policy: Policy): Finding[] {
  const { rate, settledTsMs } = columns
  const rows: number[] = []
  for (let row = 0; row < rowCount; row++) if (rate[row]! > rateCap || rate[row]! < -rateCap) rows.push(row)
  if (rows.length === 0) return []
  const first = settledTsMs[rows[0]!]!
  return [
    {
      kind: 'rateBeyondCap',
      severity: severityOf('rateBeyondCap', policy),
      what: `a rate of ${formatScaledShort(rate[rows[0]!]!, 18)} at ${formatUtc(first)} is beyond the venue's cap of 3 %${rows.length === 1 ? '' : `, the first of ${rows.length}`}`,
      fromTsMs: first,
      toTsMs: settledTsMs[rows.at(-1)!]! + 1,
      rows: rows.length,
    },
  ]
}

/** From when on settlements came at which interval. */
export function intervalHistory({ columns, rowCount }: Funding): { fromTsMs: TsMs; hours: number }[] {
  const history: { fromTsMs: TsMs; hours: number }[] = []
  for (let row = 0; row < rowCount; row++) {
    if (columns.intervalHours.valid[row] === 0) continue
    const hours = columns.intervalHours.values[row]!
    if (history.at(-1)?.hours !== hours) history.push({ fromTsMs: columns.settledTsMs[row]!, hours })
  }
  return history
}
