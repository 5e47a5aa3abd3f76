import { type Finding, type FindingKind, type Policy, severityOf } from '../../audit/finding.ts'
import type { CsvSeen } from '../../csv/layout.ts'
import { int64Words } from '../../tables/columnChecks.ts'
import type { Columns } from '../../tables/schema.ts'
import type { Table } from '../../tables/table.ts'
import type { TsMs } from '../../time.ts'
import type { TradeForm, TradePartition } from './tradeForms.ts'
import { wrongTurnovers } from './turnover.ts'

/** What is looked at while trades go by: findings of one kind are told as one. */
export type TradeChecks<R extends Columns> = {
  /** Looks at the rows behind those it has seen. False where they cannot stay as they stand: then nothing it found counts,
   *  for whoever sorts them looks at all of them again. */
  look(batch: Table<R>): boolean
  /** Looks at turnovers alone, of rows that were put in order. */
  lookAtTurnovers(rows: Table<R>): void
  /** Hears at the end what the file as a whole was. */
  lookAtForm(seen: CsvSeen): void
  findings(): Finding[]
}

export function tradeChecks<R extends Columns, C extends Columns>(
  form: TradeForm<R, C>,
  { fromTsMs, toTsMs }: TradePartition,
  policy: Policy,
): TradeChecks<R> {
  const tally = new Map<FindingKind, Finding>()
  const say = (kind: FindingKind, what: string, tsMs?: TsMs) => {
    const known = tally.get(kind)
    const first = { kind, severity: severityOf(kind, policy), what, ...(tsMs === undefined ? {} : { fromTsMs: tsMs }) }
    const span = tsMs === undefined ? {} : { toTsMs: tsMs + 1 }
    tally.set(kind, { ...(known ?? first), ...span, rows: (known?.rows ?? 0) + 1 })
  }
  const tsMsOf = (time: number): TsMs => Math.floor(time / form.perMs)
  const [from, to] = [fromTsMs * form.perMs, toTsMs * form.perMs]
  let before = Number.NaN

  const lookAtTurnovers = ({ columns }: Table<R>) => {
    const { [form.id]: ids, [form.time]: times, price, qty, quoteQty } = columns as Readonly<Record<string, unknown>>
    if (quoteQty === undefined) return
    for (const row of wrongTurnovers(price as BigInt64Array, qty as BigInt64Array, quoteQty as BigInt64Array)) {
      const what = `the turnover of trade ${(ids as BigInt64Array)[row]} is not its price times its quantity`
      say('wrongTurnover', what, tsMsOf((times as Float64Array)[row]!))
    }
  }

  return {
    look(batch) {
      const words = int64Words(batch.columns[form.id] as BigInt64Array)
      const times = batch.columns[form.time] as Float64Array
      const end = batch.rowCount
      for (let row = nextOdd(words, times, 0, before, from, to); row < end; ) {
        const id = idAt(words, row)
        if (row > 0) before = idAt(words, row - 1)
        if (id <= before || times[row]! < from || times[row]! >= to) return false
        if (form.hasEveryId && id > before + 1)
          say('missingIds', `no id between ${before} and ${id}`, tsMsOf(times[row]!))
        row = nextOdd(words, times, row + 1, id, from, to)
      }
      before = idAt(words, end - 1)
      lookAtTurnovers(batch)
      return true
    },
    lookAtTurnovers,
    lookAtForm(seen) {
      if (seen.byteOrderMark) say('byteOrderMark', 'it begins with a byte order mark')
      if (seen.carriageReturns) say('carriageReturns', 'its lines end with a carriage return')
      if (!seen.endsWithNewline) say('noFinalNewline', 'its last line does not end: it may be cut off')
      if (form.header === true && seen.header === undefined)
        say('missingHeader', 'it has no header, as files of its time do')
      if (form.header === false && seen.header !== undefined)
        say('unexpectedHeader', 'it has a header, which files of its kind lack')
      const units = seen.timeUnits[form.time]!
      if (units.ms > 0 && units.us > 0) say('mixedTimeUnits', 'it changes between milliseconds and microseconds')
      else if (form.timeUnit === 'ms' && units.us > 0) say('unexpectedTimeUnit', 'its times are in microseconds')
      else if (form.timeUnit === 'us' && units.ms > 0) say('unexpectedTimeUnit', 'its times are in milliseconds')
    },
    findings: () => [...tally.values()],
  }
}

/** Ids are read as two words each: a bigint for every row would cost more than all the rest. */
const idAt = (words: Int32Array, row: number): number => words[2 * row + 1]! * 4_294_967_296 + (words[2 * row]! >>> 0)

/** The next row whose id is not the one behind `before`, the id above it, or whose time is outside the period. */
function nextOdd(words: Int32Array, times: Float64Array, at: number, before: number, from: number, to: number): number {
  const end = words.length >>> 1
  let expected = before + 1
  for (let row = at; row < end; row++, expected++) {
    const id = words[2 * row + 1]! * 4_294_967_296 + (words[2 * row]! >>> 0)
    const time = times[row]!
    if (id !== expected || time < from || time >= to) return row
  }
  return end
}
