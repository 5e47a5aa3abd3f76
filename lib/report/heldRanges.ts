import { orderKinds } from '../backtest/orders.ts'
import type { BacktestRun } from '../market/runs/backtestFiles.ts'
import { lowerBound } from '../minute/bars.ts'
import { int64Words } from '../tables/columnChecks.ts'
import type { TableOf } from '../tables/table.ts'
import type { priceTable } from './prices.ts'

/** What prices did from a fill to the next one of its symbol; NaN until a bar of that time is seen. */
export interface HeldRange {
  readonly fromMs: number
  untilMs: number
  low: number
  high: number
}

/** The lows and highs that positions went through. Bars count that they were held through from open to close: in one that
 *  an order within it opened or closed them, nobody knows what came first. Bars are seen a table at a time, for together they
 *  are large, and only where something was held. */
export class HeldRanges {
  readonly #barMs: number
  readonly #bySymbol = new Map<string, HeldRange[]>()

  constructor({ request, result }: BacktestRun, barMs: number) {
    const { fills, symbols } = result
    this.#barMs = barMs
    for (let row = 0; row < fills.rows; row++) {
      if (fills.qty[row] === 0) continue
      const symbol = symbols[fills.symbol[row]!]!
      const ranges = this.#bySymbol.get(symbol) ?? []
      this.#bySymbol.set(symbol, ranges)
      const before = ranges.at(-1)
      const tsMs = fills.tsMs[row]!
      if (before !== undefined) {
        // A liquidation comes out of the marks of the bar that ends with it; other fills know their bar.
        const isLiquidation = orderKinds[fills.kind[row]!] === 'liquidation'
        const barOpenTsMs = fills.barOpenTsMs[row]!
        const lastMs = isLiquidation ? tsMs - 1 : Number.isNaN(barOpenTsMs) ? tsMs : barOpenTsMs
        before.untilMs = Math.min(before.untilMs, lastMs)
      }
      const isHeld = fills.positionQty[row] !== 0
      ranges.push({ fromMs: tsMs, untilMs: isHeld ? request.toMs : tsMs, low: Number.NaN, high: Number.NaN })
    }
  }

  /** One for each fill of the symbol, in their order. */
  of(symbol: string): readonly HeldRange[] {
    return this.#bySymbol.get(symbol) ?? []
  }

  /** Bars in rising order of symbol and time. */
  see({ columns, rowCount }: TableOf<typeof priceTable>): void {
    const low = int64Words(columns.low)
    const high = int64Words(columns.high)
    const { symbol, openTsMs } = columns
    for (let from = 0, to = 0; from < rowCount; from = to) {
      while (to < rowCount && symbol[to] === symbol[from]) to++
      const own = openTsMs.subarray(from, to)
      for (const range of this.of(symbol[from]!)) {
        for (let i = lowerBound(own, range.fromMs); i < own.length; i++) {
          if (own[i]! + this.#barMs > range.untilMs) break
          const [lowPx, highPx] = [priceAt(low, from + i), priceAt(high, from + i)]
          if (!(lowPx >= range.low)) range.low = lowPx
          if (!(highPx <= range.high)) range.high = highPx
        }
      }
    }
  }
}

/** Millions of them are looked at: a number out of both halves takes a quarter of what one out of a bigint takes. */
const priceAt = (words: Int32Array, row: number): number =>
  (words[2 * row + 1]! * 4294967296 + (words[2 * row]! >>> 0)) / 1e8
