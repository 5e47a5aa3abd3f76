import assert from 'node:assert/strict'

import type { MarketView } from './marketView.ts'
import { pow10 } from './scaled.ts'

/** Mean and deviation of one symbol's closes over one stretch of time up to now, as the features' `meanOver` and `stdOver`
 *  mean them: NaN until there are so many bars, and while any of them is missing.
 *
 *  Windows are cut into blocks as in stats/rolling.ts, on multiples of the window since 1970: the one that ends now is the
 *  tail of one block and the head of the next, which grows with the bars. Nothing is ever subtracted again, and each part is
 *  summed in an order of its own, so that a value depends on the bars of its window alone and not on when, how often or from
 *  where on it was asked for. Sums are over whole units of price, apart from the close that begins the head, which is in
 *  every window that is asked for: they are small, and mostly exact. */
export class CloseWindow {
  /** In the window. */
  readonly rows: number
  readonly #market: MarketView
  readonly #symbol: number
  readonly #spanMs: number
  readonly #openTsMs: Float64Array
  readonly #closePx: Float64Array
  readonly #scale: number
  /** Until when bars open that belong to the head's block, its first row, and the one up to which it is summed. */
  #blockEndMs = Number.NEGATIVE_INFINITY
  #head = -1
  #row = -1
  #reference = Number.NaN
  #headSum = Number.NaN
  #headSquares = Number.NaN
  /** Of the last so many rows before the head. */
  readonly #tailSums: Float64Array
  readonly #tailSquares: Float64Array

  constructor(market: MarketView, symbol: number, spanMs: number) {
    const { bars, instrument } = market.symbols[symbol]!
    this.rows = spanMs / market.input.intervalMs
    assert.ok(Number.isInteger(this.rows) && this.rows >= 1, 'a window is a whole number of bars')
    this.#market = market
    this.#symbol = symbol
    this.#spanMs = spanMs
    this.#openTsMs = bars.openTsMs
    this.#closePx = bars.closePx
    this.#scale = pow10(instrument.pxDecimals)
    this.#tailSums = new Float64Array(this.rows)
    this.#tailSquares = new Float64Array(this.rows)
  }

  mean(): number {
    if (!this.#reach()) return Number.NaN
    const tail = this.rows - (this.#row - this.#head + 1)
    const sum = this.#headSum + this.#tailSums[tail]!
    return (this.#reference + sum / this.rows) / this.#scale
  }

  /** With one degree of freedom taken off: of two bars at least. */
  deviation(): number {
    if (!this.#reach()) return Number.NaN
    const head = this.#row - this.#head + 1
    const tail = this.rows - head
    let squares = this.#headSquares + this.#tailSquares[tail]!
    if (tail > 0) {
      const apart = this.#headSum * tail - this.#tailSums[tail]! * head
      squares += (apart * apart) / (head * tail * this.rows)
    }
    return Math.sqrt(squares / (this.rows - 1)) / this.#scale
  }

  /** False where a bar is missing. Bars are an interval apart at least, so that the stretch holds no more than its number. */
  #reach(): boolean {
    const { nowMs, input } = this.#market
    const row = this.#market.closedRow[this.#symbol]!
    const first = row - this.rows + 1
    if (first < 0 || this.#openTsMs[first]! <= nowMs - this.#spanMs - input.intervalMs) return false

    if (this.#openTsMs[row]! >= this.#blockEndMs) this.#begin(row)
    else if (row === this.#row) return true

    const reference = this.#reference
    let sum = this.#headSum
    let squares = this.#headSquares
    for (let next = this.#row + 1; next <= row; next++) {
      const value = this.#closePx[next]! - reference
      const count = next - this.#head + 1
      sum += value
      squares += growth(value, sum, count)
    }
    this.#row = row
    this.#headSum = sum
    this.#headSquares = squares
    return true
  }

  #begin(row: number): void {
    const openTsMs = this.#openTsMs
    const closePx = this.#closePx
    const blockMs = Math.floor(openTsMs[row]! / this.#spanMs) * this.#spanMs
    let head = row
    while (head > 0 && openTsMs[head - 1]! >= blockMs) head--

    const reference = closePx[head]!
    const sums = this.#tailSums
    const squares = this.#tailSquares
    const longest = this.rows - (row - head + 1)
    for (let count = 1; count <= longest; count++) {
      const value = closePx[head - count]! - reference
      const sum = (sums[count] = sums[count - 1]! + value)
      squares[count] = squares[count - 1]! + growth(value, sum, count)
    }
    this.#blockEndMs = blockMs + this.#spanMs
    this.#head = head
    this.#row = head
    this.#reference = reference
    this.#headSum = 0
    this.#headSquares = 0
  }
}

/** By how much a value that is the last of `count` and makes their sum `sum` raises the sum of squares about their mean
 *  (Youngs and Cramer). It is never negative and, of whole numbers, mostly rounded once only. */
function growth(value: number, sum: number, count: number): number {
  if (count === 1) return 0
  const apart = count * value - sum
  return (apart * apart) / (count * (count - 1))
}
