import assert from 'node:assert/strict'
import { Fault } from '../fault.ts'
import { int64Words } from '../tables/columnChecks.ts'
import { setBig } from '../tables/wideInts.ts'
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

const two32 = 4_294_967_296

/** The same columns with 64-bit integers as little-endian halves. */
type Words = {
  readonly [K in keyof TradeBatch]: TradeBatch[K] extends BigInt64Array ? Int32Array : TradeBatch[K]
}

/** A sum of 64-bit integers in two doubles: a minute's turnover in 10^-8 outgrows one. */
type Sums = { readonly high: Float64Array; readonly low: Float64Array }
const sumsOf = (bars: number): Sums => ({ high: new Float64Array(bars), low: new Float64Array(bars) })

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
    for (let row = 0; row < tsMs.length; ) {
      const day = floorTo(tsMs[row]!, DAY_MS)
      if (!(day >= this.#dayTsMs)) this.#begin(day, tsMs[row]!)
      while (day > this.#dayTsMs) this.#flush()
      row = this.#addDay(batch, row)
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

  /** Rows from `from` on that lie in the day. Returns the first that does not. */
  #addDay(batch: TradeBatch, from: number): number {
    const { tsMs } = batch
    const columns: Words = {
      tsMs,
      firstId: int64Words(batch.firstId),
      lastId: int64Words(batch.lastId),
      price: int64Words(batch.price),
      qty: int64Words(batch.qty),
      quoteQty: int64Words(batch.quoteQty),
      isBuyerMaker: batch.isBuyerMaker,
    }
    let row = from
    while (row < tsMs.length) {
      const offset = tsMs[row]! - this.#dayTsMs
      if (offset >= DAY_MS || offset < 0) break
      row = this.#addRun(columns, row, (offset / this.#intervalMs) | 0)
    }
    return row
  }

  /** Rows that follow each other in one bar, nearly always all of it: its sums stay in registers. Returns the next row. */
  #addRun({ tsMs, firstId, lastId, price, qty, quoteQty, isBuyerMaker }: Words, from: number, bar: number): number {
    const startMs = this.#dayTsMs + bar * this.#intervalMs
    const endMs = startMs + this.#intervalMs
    const isFirst = this.#count[bar] === 0
    let high = isFirst ? Number.NEGATIVE_INFINITY : this.#high[bar]!
    let low = isFirst ? Number.POSITIVE_INFINITY : this.#low[bar]!
    let px = 0
    let count = 0
    let lost = 0
    let before = this.#lastId
    let [qtyHigh, qtyLow, quoteHigh, quoteLow] = [0, 0, 0, 0]
    let [buyQtyHigh, buyQtyLow, buyQuoteHigh, buyQuoteLow] = [0, 0, 0, 0]
    let row = from
    for (; row < tsMs.length; row++) {
      const stamp = tsMs[row]!
      if (stamp >= endMs || stamp < startMs) break
      const at = 2 * row
      // Scaled integers of prices are exact doubles: 2^53 is ninety million in 10^-8.
      px = price[at + 1]! * two32 + (price[at]! >>> 0)
      if (px > high) high = px
      if (px < low) low = px
      const first = firstId[at + 1]! * two32 + (firstId[at]! >>> 0)
      if (first !== before + 1 && before >= 0) lost += first - before - 1
      before = lastId[at + 1]! * two32 + (lastId[at]! >>> 0)
      count += before - first + 1
      // Multiplied instead of asked: which side takes is what no processor foresees.
      const isBuy = 1 - isBuyerMaker[row]!
      qtyHigh += qty[at + 1]!
      qtyLow += qty[at]! >>> 0
      quoteHigh += quoteQty[at + 1]!
      quoteLow += quoteQty[at]! >>> 0
      buyQtyHigh += isBuy * qty[at + 1]!
      buyQtyLow += isBuy * (qty[at]! >>> 0)
      buyQuoteHigh += isBuy * quoteQty[at + 1]!
      buyQuoteLow += isBuy * (quoteQty[at]! >>> 0)
    }
    if (isFirst) this.#open[bar] = price[2 * from + 1]! * two32 + (price[2 * from]! >>> 0)
    this.#high[bar] = high
    this.#low[bar] = low
    this.#close[bar] = px
    this.#count[bar]! += count
    this.#lost[bar]! += lost
    this.#lastId = before
    addTo(this.#qty, bar, qtyHigh, qtyLow)
    addTo(this.#quote, bar, quoteHigh, quoteLow)
    addTo(this.#buyQty, bar, buyQtyHigh, buyQtyLow)
    addTo(this.#buyQuote, bar, buyQuoteHigh, buyQuoteLow)
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
      setBig(bars.volume, rows, total(this.#qty, bar))
      setBig(bars.quoteVolume, rows, total(this.#quote, bar))
      setBig(bars.takerBuyVolume, rows, total(this.#buyQty, bar))
      setBig(bars.takerBuyQuoteVolume, rows, total(this.#buyQuote, bar))
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

function addTo(sums: Sums, bar: number, high: number, low: number): void {
  sums.high[bar]! += high
  sums.low[bar]! += low
}

const total = ({ high, low }: Sums, bar: number): bigint => (BigInt(high[bar]!) << 32n) + BigInt(low[bar]!)
