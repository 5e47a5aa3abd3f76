import assert from 'node:assert/strict'
import { Fault } from '../fault.ts'
import { int64ToFloat64, int64Words, saturate } from '../tables/columnChecks.ts'
import { DAY_MS, floorTo, formatUtc } from '../time.ts'
import { type Bars, cutBars, emptyBars } from './bars.ts'

/** Trades in the order of their ids. A row may stand for several trades, as an aggregated one does. */
export interface TradeBatch {
  readonly tsMs: Float64Array
  readonly firstId: BigInt64Array
  readonly lastId: BigInt64Array
  readonly price: BigInt64Array
  readonly qty: BigInt64Array
  readonly quoteQty: BigInt64Array
  readonly isBuyerMaker: Uint8Array
}

/** A sum of 64-bit integers in two doubles: a minute's turnover in 10^-8 outgrows one. */
const sumsOf = (bars: number) => ({ high: new Float64Array(bars), low: new Float64Array(bars) })

/**
 * Bars of whole UTC days, a day when it is complete: no more than one day is held, whatever the range. A bar without a
 * trade is flat at the close before it, with count 0, as in the venue's own files; once nothing has traded for a day,
 * there is no such close and the bar is missing.
 */
export class TradeBars {
  readonly #intervalMs: number
  readonly #onDay: (bars: Bars) => void
  #dayTsMs = Number.NaN
  #open: Float64Array
  #high: Float64Array
  #low: Float64Array
  #close: Float64Array
  #count: Int32Array
  #lost: Int32Array
  #qty
  #quote
  #buyQty
  #buyQuote
  #lastId = -1
  /** The last close before this day, and when that trade was. */
  #priorPx = 0
  #priorTsMs = Number.NEGATIVE_INFINITY

  constructor(intervalMs: number, onDay: (bars: Bars) => void) {
    assert.ok(DAY_MS % intervalMs === 0, 'a day is a whole number of bars')
    const bars = DAY_MS / intervalMs
    this.#intervalMs = intervalMs
    this.#onDay = onDay
    this.#open = new Float64Array(bars)
    this.#high = new Float64Array(bars)
    this.#low = new Float64Array(bars)
    this.#close = new Float64Array(bars)
    this.#count = new Int32Array(bars)
    this.#lost = new Int32Array(bars)
    this.#qty = sumsOf(bars)
    this.#quote = sumsOf(bars)
    this.#buyQty = sumsOf(bars)
    this.#buyQuote = sumsOf(bars)
  }

  add(batch: TradeBatch): void {
    const { tsMs } = batch
    // Scaled integers of prices are exact doubles: 2^53 is ninety million in 10^-8.
    const px = int64ToFloat64(batch.price)
    const firstId = int64ToFloat64(batch.firstId)
    const lastId = int64ToFloat64(batch.lastId)
    for (let row = 0; row < tsMs.length; ) {
      const day = floorTo(tsMs[row]!, DAY_MS)
      if (!(day >= this.#dayTsMs)) this.#begin(day, tsMs[row]!)
      while (day > this.#dayTsMs) this.#flush()
      row = this.#addDay(batch, row, px, firstId, lastId)
    }
  }

  /** Ends the last day with trades, and flat days up to `toTsMs` behind it. */
  finish(toTsMs: number): void {
    while (this.#dayTsMs < toTsMs) this.#flush()
  }

  #begin(day: number, tsMs: number): void {
    if (Number.isNaN(this.#dayTsMs)) {
      this.#dayTsMs = day
      return
    }
    throw new Fault({
      code: 'failed',
      what: `a trade of ${formatUtc(tsMs)} comes behind trades of ${formatUtc(this.#dayTsMs).slice(0, 10)}`,
      todo: 'look at the trades around it: venue ids and times disagree by days',
    })
  }

  #addDay(batch: TradeBatch, from: number, px: Float64Array, firstId: Float64Array, lastId: Float64Array): number {
    const { tsMs, isBuyerMaker } = batch
    const qtyWords = int64Words(batch.qty)
    const quoteWords = int64Words(batch.quoteQty)
    const dayTsMs = this.#dayTsMs
    const interval = this.#intervalMs
    const [open, high, low, close, count, lost] = [
      this.#open,
      this.#high,
      this.#low,
      this.#close,
      this.#count,
      this.#lost,
    ]
    const [qty, quote, buyQty, buyQuote] = [this.#qty, this.#quote, this.#buyQty, this.#buyQuote]
    let row = from
    for (; row < tsMs.length; row++) {
      const offset = tsMs[row]! - dayTsMs
      if (offset >= DAY_MS || offset < 0) break
      const bar = (offset / interval) | 0
      const price = px[row]!
      if (count[bar] === 0) {
        open[bar] = high[bar] = low[bar] = price
      } else {
        if (price > high[bar]!) high[bar] = price
        if (price < low[bar]!) low[bar] = price
      }
      close[bar] = price
      const first = firstId[row]!
      if (first !== this.#lastId + 1 && this.#lastId >= 0) lost[bar]! += first - this.#lastId - 1
      this.#lastId = lastId[row]!
      count[bar]! += this.#lastId - first + 1
      const qtyLow = qtyWords[2 * row]! >>> 0
      const qtyHigh = qtyWords[2 * row + 1]!
      const quoteLow = quoteWords[2 * row]! >>> 0
      const quoteHigh = quoteWords[2 * row + 1]!
      qty.low[bar]! += qtyLow
      qty.high[bar]! += qtyHigh
      quote.low[bar]! += quoteLow
      quote.high[bar]! += quoteHigh
      if (isBuyerMaker[row] === 1) continue
      buyQty.low[bar]! += qtyLow
      buyQty.high[bar]! += qtyHigh
      buyQuote.low[bar]! += quoteLow
      buyQuote.high[bar]! += quoteHigh
    }
    return row
  }

  #flush(): void {
    const bars = emptyBars(this.#count.length)
    let rows = 0
    for (let bar = 0; bar < this.#count.length; bar++) {
      const openTsMs = this.#dayTsMs + bar * this.#intervalMs
      const traded = this.#count[bar]! > 0
      if (traded) {
        this.#priorPx = this.#close[bar]!
        this.#priorTsMs = openTsMs
      } else if (openTsMs - this.#priorTsMs > DAY_MS) continue
      bars.openTsMs[rows] = openTsMs
      bars.open[rows] = BigInt(traded ? this.#open[bar]! : this.#priorPx)
      bars.high[rows] = BigInt(traded ? this.#high[bar]! : this.#priorPx)
      bars.low[rows] = BigInt(traded ? this.#low[bar]! : this.#priorPx)
      bars.close[rows] = BigInt(this.#priorPx)
      bars.count[rows] = this.#count[bar]!
      bars.lostTrades![rows] = this.#lost[bar]!
      bars.volume[rows] = total(this.#qty, bar)
      bars.quoteVolume[rows] = total(this.#quote, bar)
      bars.takerBuyVolume[rows] = total(this.#buyQty, bar)
      bars.takerBuyQuoteVolume[rows] = total(this.#buyQuote, bar)
      rows++
    }
    this.#count.fill(0)
    this.#lost.fill(0)
    for (const sums of [this.#qty, this.#quote, this.#buyQty, this.#buyQuote]) {
      sums.high.fill(0)
      sums.low.fill(0)
    }
    this.#dayTsMs += DAY_MS
    if (rows > 0) this.#onDay(cutBars(bars, 0, rows))
  }
}

const total = ({ high, low }: { high: Float64Array; low: Float64Array }, bar: number): bigint =>
  saturate((BigInt(high[bar]!) << 32n) + BigInt(low[bar]!))
