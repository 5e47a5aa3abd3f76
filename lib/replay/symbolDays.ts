import type { ReplayStream } from '../backtest/replayStream.ts'
import { cutAtMidnight, DayQueue, rowsFrom } from '../minute/pieces.ts'
import { int64ToFloat64 } from '../tables/columnChecks.ts'
import type { minuteTable } from '../tables/minute.ts'
import type { TableReader } from '../tables/parquet.ts'
import { concatTables, sliceTable, type Table } from '../tables/table.ts'
import type { tradeTable } from '../tables/trades.ts'
import { type BigInts, bigsToFloat64, isWide } from '../tables/wideInts.ts'
import { DAY_MS } from '../time.ts'

const barColumns = ['open', 'high', 'low', 'close', 'volume', 'quoteVolume', 'count'] as const
const takerColumns = ['takerBuyVolume', 'takerBuyQuoteVolume', 'dataOk'] as const
const markColumns = ['markOpen', 'markHigh', 'markLow', 'mark'] as const
const minuteColumns = ['openTsMs', ...barColumns, ...takerColumns, ...markColumns] as const
type MinuteColumn = (typeof minuteColumns)[number]
export type MinuteReader = TableReader<(typeof minuteTable)['columns']>
export type TradeReader = TableReader<(typeof tradeTable)['columns']>
type Minutes = Table<Pick<(typeof minuteTable)['columns'], MinuteColumn>>

/** One symbol's bars as events, a UTC day at a time. No more than two days are held. */
export class BarDays {
  readonly #symbol: string
  readonly #intervalMs: number
  readonly #queue: DayQueue<Minutes>
  /** The bar that opened on the day before and closes at midnight. */
  #carried: Minutes | undefined

  constructor(symbol: string, tables: readonly MinuteReader[], intervalMs: number, fromMs: number) {
    this.#symbol = symbol
    this.#intervalMs = intervalMs
    const rows = rowsFrom(tables, 'openTsMs', minuteColumns, fromMs - intervalMs)
    this.#queue = new DayQueue(cutAtMidnight(rows, 'openTsMs'))
    this.#carried = lastOf(this.#queue.take(fromMs - DAY_MS), fromMs - intervalMs)
  }

  /** What becomes known in [dayTsMs, dayTsMs + one day). */
  streams(dayTsMs: number): ReplayStream[] {
    const opened = this.#queue.take(dayTsMs)
    const next = lastOf(opened, dayTsMs + DAY_MS - this.#intervalMs)
    const closed = [...(this.#carried === undefined ? [] : [this.#carried]), ...opened].map((rows) =>
      rows.columns.openTsMs.at(-1) === dayTsMs + DAY_MS - this.#intervalMs
        ? sliceTable(rows, 0, rows.rowCount - 1)
        : rows,
    )
    this.#carried = next
    return [...this.#opens(opened), ...this.#closes(closed)]
  }

  #opens(parts: readonly Minutes[]): ReplayStream[] {
    if (parts.length === 0) return []
    const open = joined(parts, (rows) => rows.columns.open)
    return [{ source: this.#symbol, class: 'barOpen', knownAtMs: stampsOf(parts), columns: { open } }]
  }

  #closes(parts: readonly Minutes[]): ReplayStream[] {
    const knownAtMs = stampsOf(parts)
    if (knownAtMs.length === 0) return []
    for (let row = 0; row < knownAtMs.length; row++) knownAtMs[row]! += this.#intervalMs
    const values = [...barColumns, ...takerColumns].map((name) => [name, joined(parts, (rows) => rows.columns[name])])
    const bars: ReplayStream = {
      source: this.#symbol,
      class: 'barClose',
      knownAtMs,
      columns: Object.fromEntries(values),
    }
    const isMarked = joined(parts, (rows) => rows.columns.mark.valid)
    const marked = rowsWith(isMarked)
    if (marked.length === 0) return [bars]
    const pick = (all: Float64Array) => (marked.length === all.length ? all : picked(all, marked))
    const mark = (name: (typeof markColumns)[number]) => pick(joined(parts, (rows) => rows.columns[name].values))
    return [
      bars,
      {
        source: this.#symbol,
        class: 'mark',
        knownAtMs: pick(knownAtMs),
        columns: { open: mark('markOpen'), high: mark('markHigh'), low: mark('markLow'), close: mark('mark') },
      },
    ]
  }
}

const stampsOf = (parts: readonly Minutes[]): Float64Array => joined(parts, (rows) => rows.columns.openTsMs)

/** A column of parts that follow each other, as numbers, in memory of its own. */
function joined(parts: readonly Minutes[], columnOf: (rows: Minutes) => Numbers): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { rowCount }) => sum + rowCount, 0))
  let at = 0
  for (const rows of parts) {
    fillDoubles(columnOf(rows), all, at)
    at += rows.rowCount
  }
  return all
}

function rowsWith(flags: Float64Array): Int32Array {
  const rows = new Int32Array(flags.length)
  let count = 0
  for (let row = 0; row < flags.length; row++) if (flags[row] === 1) rows[count++] = row
  return rows.subarray(0, count)
}

function picked(all: Float64Array, rows: Int32Array): Float64Array {
  const some = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) some[i] = all[rows[i]!]!
  return some
}

function lastOf(parts: readonly Minutes[], openTsMs: number): Minutes | undefined {
  const last = parts.at(-1)
  if (last?.columns.openTsMs.at(-1) !== openTsMs) return undefined
  // A copy: a view would keep the whole row group alive for a day.
  return concatTables(last.schema, [sliceTable(last, last.rowCount - 1, last.rowCount)])
}

/** One symbol's trades as events, ordered by time and then by the venue's id. */
export class TradeDays {
  readonly #symbol: string
  readonly #queue

  constructor(symbol: string, tables: readonly TradeReader[], fromMs: number) {
    this.#symbol = symbol
    const columns = ['tradeId', 'tsMs', 'price', 'qty', 'isBuyerMaker'] as const
    this.#queue = new DayQueue(cutAtMidnight(rowsFrom(tables, 'tsMs', columns, fromMs), 'tsMs'))
  }

  streams(dayTsMs: number): ReplayStream[] {
    const parts = this.#queue.take(dayTsMs)
    if (parts.length === 0) return []
    const { columns } = concatTables(parts[0]!.schema, parts)
    const { tsMs } = columns
    const sequence = int64ToFloat64(columns.tradeId)
    const values = {
      price: doubles(columns.price),
      qty: doubles(columns.qty),
      isBuyerMaker: doubles(columns.isBuyerMaker),
    }
    const order = timeOrder(tsMs, sequence)
    const pick = (all: Float64Array) => (order === undefined ? all : picked(all, order))
    return [
      {
        source: this.#symbol,
        class: 'trade',
        knownAtMs: pick(tsMs),
        sequence: pick(sequence),
        columns: { price: pick(values.price), qty: pick(values.qty), isBuyerMaker: pick(values.isBuyerMaker) },
      },
    ]
  }
}

/** Ids rise, and times nearly always with them. Undefined where nothing has to move. */
function timeOrder(tsMs: Float64Array, sequence: Float64Array): Int32Array | undefined {
  let row = 1
  while (row < tsMs.length && tsMs[row]! >= tsMs[row - 1]!) row++
  if (row >= tsMs.length) return undefined
  return Int32Array.from(tsMs.keys()).sort((a, b) => tsMs[a]! - tsMs[b]! || sequence[a]! - sequence[b]!)
}

type Numbers = BigInts | Float64Array | Int32Array | Uint8Array

function doubles(values: Numbers): Float64Array {
  const all = new Float64Array(isWide(values) ? values.high.length : values.length)
  fillDoubles(values, all, 0)
  return all
}

/** As numbers: a decimal becomes the double that its text would, below sixteen digits. */
function fillDoubles(values: Numbers, target: Float64Array, at: number): void {
  if (!(values instanceof BigInt64Array || isWide(values))) {
    target.set(values, at)
    return
  }
  const units = bigsToFloat64(values)
  for (let row = 0; row < units.length; row++) target[at + row] = units[row]! / 1e8
}
