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
    const { columns } = concatTables(parts[0]!.schema, parts)
    return [
      { source: this.#symbol, class: 'barOpen', knownAtMs: columns.openTsMs, columns: { open: doubles(columns.open) } },
    ]
  }

  #closes(parts: readonly Minutes[]): ReplayStream[] {
    if (parts.length === 0) return []
    const { columns, rowCount } = concatTables(parts[0]!.schema, parts)
    if (rowCount === 0) return []
    const knownAtMs = columns.openTsMs.map((openTsMs) => openTsMs + this.#intervalMs)
    const values = Object.fromEntries([...barColumns, ...takerColumns].map((name) => [name, doubles(columns[name])]))
    const bars: ReplayStream = { source: this.#symbol, class: 'barClose', knownAtMs, columns: values }
    const marked = Array.from(columns.mark.valid.keys()).filter((row) => columns.mark.valid[row] === 1)
    if (marked.length === 0) return [bars]
    const pick = (all: Float64Array) =>
      marked.length === rowCount ? all : Float64Array.from(marked, (row) => all[row]!)
    const mark = (name: (typeof markColumns)[number]) => pick(doubles(columns[name].values))
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
    const pick = (all: Float64Array) => (order === undefined ? all : Float64Array.from(order, (row) => all[row]!))
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

/** As numbers: a decimal becomes the double that its text would, below sixteen digits. */
function doubles(values: BigInts | Int32Array | Uint8Array): Float64Array {
  if (!(values instanceof BigInt64Array || isWide(values))) return Float64Array.from(values)
  return bigsToFloat64(values).map((units) => units / 1e8)
}
