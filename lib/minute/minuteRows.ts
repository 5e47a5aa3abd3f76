import { int64ToFloat64 } from '../tables/columnChecks.ts'
import { minuteTable } from '../tables/minute.ts'
import { makeTable, type TableOf } from '../tables/table.ts'
import { type BigInts, bigsToFloat64, differenceOf, isWide, pickBigs } from '../tables/wideInts.ts'
import { DAY_MS } from '../time.ts'
import { type Bars, emptyBars, sameBar } from './bars.ts'
import type { MinuteOptions, Samples } from './buildMinute.ts'
import { FundingEstimate } from './fundingEstimate.ts'
import type { Settlements } from './settlements.ts'
import { soundBars } from './soundBars.ts'

export interface StateLimits {
  /** Bars without a trade that last so long are an outage. */
  readonly outageMs: number
  readonly stalenessMaxMs: number
  readonly indexDeviationMax: number
}

/** What is there of one day. */
export interface DaySources {
  readonly bars: Bars | undefined
  /** Other sources of the same bars, to compare. */
  readonly compared: readonly Bars[]
  /** The venue's own bars: one without a trade exists only where it is among them and has none there either. */
  readonly existing: Bars | undefined
  readonly mark: Bars | undefined
  readonly index: Bars | undefined
  /** Samples for the funding estimate, as fine as they are given. */
  readonly premium: Bars | undefined
  readonly spot: Bars | undefined
}

/** Makes rows day by day. It remembers what later rows need of earlier ones and no more: all of it is at most a day old. */
export class MinuteRows {
  readonly #options: MinuteOptions
  readonly #settlements: Settlements
  readonly #samples: Samples
  readonly #estimate: FundingEstimate
  #nextSettled = 0
  #nextFunding = 0
  #nextSample = 0
  #lastTradedMs = Number.NEGATIVE_INFINITY
  #lastOpenMs = Number.NEGATIVE_INFINITY
  #flatSinceMs = Number.NaN

  constructor(options: MinuteOptions, settlements: Settlements, samples: Samples) {
    this.#options = options
    this.#settlements = settlements
    this.#samples = samples
    this.#estimate = new FundingEstimate(options.fundingRule, options.priceMs)
  }

  day(sources: DaySources): TableOf<typeof minuteTable> {
    const bars = sources.bars && existingOf(sources.bars, sources.existing)
    const { symbol, intervalMs } = this.#options
    const src = bars ?? emptyBars(0)
    const n = src.openTsMs.length
    const mark = aligned(src, sources.mark)
    const index = aligned(src, sources.index)
    const spot = aligned(src, sources.spot)
    const premium = aligned(src, premiumCloses(sources.premium, intervalMs, this.#options.priceMs))
    const markPx = pick(sources.mark?.close, mark)
    const indexPx = pick(sources.index?.close, index)
    const lostTrades = lostOf(src, this.#options.barsFrom === 'trades' ? sources.existing : undefined)
    const state = this.#states(src)
    const deviation = numbers(markPx, indexPx, (m, i) => Math.abs(m - i) / i)
    return makeTable(minuteTable, {
      symbol: new Array<string>(n).fill(symbol),
      openTsMs: src.openTsMs,
      open: src.open,
      high: src.high,
      low: src.low,
      close: src.close,
      volume: src.volume,
      quoteVolume: src.quoteVolume,
      count: src.count,
      takerBuyVolume: src.takerBuyVolume,
      takerSellVolume: differenceOf(src.volume, src.takerBuyVolume),
      takerBuyQuoteVolume: src.takerBuyQuoteVolume,
      takerSellQuoteVolume: differenceOf(src.quoteVolume, src.takerBuyQuoteVolume),
      vwap: vwapOf(src),
      markOpen: pick(sources.mark?.open, mark),
      markHigh: pick(sources.mark?.high, mark),
      markLow: pick(sources.mark?.low, mark),
      mark: markPx,
      index: indexPx,
      premium: pick(premiumCloses(sources.premium, intervalMs, this.#options.priceMs)?.close, premium),
      basis: numbers(markPx, indexPx, (m, i) => m / i - 1),
      ...this.#funding(src, sources.premium),
      ...this.#openInterest(src),
      spotQuoteVolume: pickSums(sources.spot?.quoteVolume, spot),
      spotTakerBuyQuoteVolume: pickSums(sources.spot?.takerBuyQuoteVolume, spot),
      ...state,
      indexDeviation: deviation,
      lostTrades,
      differs: differences(src, sources.compared),
      dataOk: this.#verdicts(src, state.stalenessMs, deviation, lostTrades),
    })
  }

  #states(src: Bars): { state: string[]; stalenessMs: Float64Array } {
    const { intervalMs, outageMs } = this.#options
    const stalenessMs = new Float64Array(src.openTsMs.length)
    const state = Array.from(src.openTsMs, (openMs, i) => {
      const closeMs = openMs + intervalMs
      const traded = src.count[i]! > 0
      if (traded) this.#lastTradedMs = closeMs
      // A gap ends a run: nobody knows whether anything was traded in it.
      if (traded || Number.isNaN(this.#flatSinceMs) || this.#lastOpenMs + intervalMs !== openMs) {
        this.#flatSinceMs = traded ? Number.NaN : openMs
      }
      this.#lastOpenMs = openMs
      stalenessMs[i] = Math.min(DAY_MS, closeMs - this.#lastTradedMs)
      if (traded) return 'traded'
      return closeMs - this.#flatSinceMs >= outageMs ? 'outage' : 'quiet'
    })
    return { state, stalenessMs }
  }

  #verdicts(src: Bars, stalenessMs: Float64Array, deviation: Float64Array, lostTrades: Int32Array): Uint8Array {
    const { stalenessMaxMs, indexDeviationMax } = this.#options
    const verdicts = soundBars(src)
    for (let i = 0; i < verdicts.length; i++) {
      const ok = stalenessMs[i]! <= stalenessMaxMs && !(deviation[i]! > indexDeviationMax) && lostTrades[i] === 0
      if (!ok) verdicts[i] = 0
    }
    return verdicts
  }

  #funding(src: Bars, premium: Bars | undefined) {
    const { intervalMs, priceMs } = this.#options
    const { tsMs, rate, intervalHours } = this.#settlements
    const n = src.openTsMs.length
    const fundingEstimate = new Float64Array(n)
    const settled = new Int32Array(n).fill(-1)
    const closes = premium === undefined ? new Float64Array(0) : int64ToFloat64(premium.close)
    let sample = 0
    const settleBefore = (limitMs: number) => {
      for (; this.#nextSettled < tsMs.length && tsMs[this.#nextSettled]! < limitMs; this.#nextSettled++) {
        this.#estimate.settle(tsMs[this.#nextSettled]!, intervalHours[this.#nextSettled]!)
      }
    }
    const sampleUpTo = (limitMs: number) => {
      for (; sample < closes.length && premium!.openTsMs[sample]! + priceMs <= limitMs; sample++) {
        const closeMs = premium!.openTsMs[sample]! + priceMs
        // The sample that closes at a settlement is the last one of the period it ends.
        settleBefore(closeMs)
        this.#estimate.sample(closeMs, closes[sample]! / 1e8)
      }
    }
    for (let i = 0; i < n; i++) {
      const closeMs = src.openTsMs[i]! + intervalMs
      sampleUpTo(closeMs)
      settleBefore(closeMs)
      fundingEstimate[i] = this.#estimate.rate(closeMs)
      while (this.#nextFunding < tsMs.length && tsMs[this.#nextFunding]! <= closeMs) this.#nextFunding++
      if (this.#nextFunding > 0 && closeMs - tsMs[this.#nextFunding - 1]! <= DAY_MS) settled[i] = this.#nextFunding - 1
    }
    // Samples behind the day's last row count for the rows of the next day.
    sampleUpTo(Number.POSITIVE_INFINITY)
    // Hours that nobody knows are absent, like those of no settlement.
    const timed = settled.map((row) => (row >= 0 && Number.isNaN(intervalHours[row]!) ? -1 : row))
    const hours = pickPlain(new Int32Array(n), Int32Array.from(intervalHours), timed)
    return {
      fundingTsMs: pickPlain(new Float64Array(n), tsMs, settled),
      fundingRate: pick(rate, settled),
      fundingIntervalHours: hours,
      fundingEstimate,
    }
  }

  #openInterest(src: Bars) {
    const { intervalMs, openInterestMaxAgeMs } = this.#options
    const { tsMs, openInterest } = this.#samples
    const n = src.openTsMs.length
    const sampled = new Int32Array(n).fill(-1)
    const openInterestAgeMs = new Float64Array(n).fill(Number.NaN)
    for (let i = 0; i < n; i++) {
      const closeMs = src.openTsMs[i]! + intervalMs
      while (this.#nextSample < tsMs.length && tsMs[this.#nextSample]! <= closeMs) this.#nextSample++
      const ageMs = this.#nextSample === 0 ? Number.NaN : closeMs - tsMs[this.#nextSample - 1]!
      if (!(ageMs <= openInterestMaxAgeMs)) continue
      sampled[i] = this.#nextSample - 1
      openInterestAgeMs[i] = ageMs
    }
    return { openInterest: pickSums(openInterest, sampled), openInterestAgeMs }
  }
}

type Maybe = { values: BigInt64Array; valid: Uint8Array }

/** For each bar the row of another table that opens with it, or -1. */
function aligned(src: Bars, other: Bars | undefined): Int32Array {
  const rows = new Int32Array(src.openTsMs.length).fill(-1)
  if (other === undefined) return rows
  let next = 0
  for (let i = 0; i < rows.length; i++) {
    while (next < other.openTsMs.length && other.openTsMs[next]! < src.openTsMs[i]!) next++
    if (other.openTsMs[next] === src.openTsMs[i]) rows[i] = next
  }
  return rows
}

function pick(values: BigInt64Array | undefined, rows: Int32Array): Maybe {
  return pickPlain(new BigInt64Array(rows.length), values, rows)
}

function pickSums(values: BigInts | undefined, rows: Int32Array): { values: BigInts; valid: Uint8Array } {
  if (values === undefined || !isWide(values)) return pick(values, rows)
  const valid = new Uint8Array(rows.length)
  for (let i = 0; i < rows.length; i++) if (rows[i]! >= 0) valid[i] = 1
  return { values: pickBigs(values, rows), valid }
}

function pickPlain<T extends BigInt64Array | Float64Array | Int32Array>(
  into: T,
  values: T | undefined,
  rows: Int32Array,
): { values: T; valid: Uint8Array } {
  const valid = new Uint8Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    if (rows[i]! < 0) continue
    into[i] = values![rows[i]!]!
    valid[i] = 1
  }
  return { values: into, valid }
}

/** The last premium within each bar, as bars that open with it. */
function premiumCloses(premium: Bars | undefined, intervalMs: number, priceMs: number): Bars | undefined {
  if (premium === undefined || priceMs === intervalMs) return premium
  const rows = Array.from(premium.openTsMs.keys()).filter((i) => (premium.openTsMs[i]! + priceMs) % intervalMs === 0)
  const picked = emptyBars(rows.length)
  rows.forEach((row, i) => {
    picked.openTsMs[i] = premium.openTsMs[row]! + priceMs - intervalMs
    picked.close[i] = premium.close[row]!
  })
  return picked
}

function numbers(a: Maybe, b: Maybe, of: (a: number, b: number) => number): Float64Array {
  const x = int64ToFloat64(a.values)
  const y = int64ToFloat64(b.values)
  // Both are in 10^-8, and only ratios of them are taken.
  return x.map((value, i) => (a.valid[i] === 1 && b.valid[i] === 1 && y[i] !== 0 ? of(value, y[i]!) : Number.NaN))
}

function vwapOf({ volume, quoteVolume }: Bars): Float64Array {
  const base = bigsToFloat64(volume)
  return bigsToFloat64(quoteVolume).map((quote, i) => (base[i] === 0 ? Number.NaN : quote / base[i]!))
}

/** Without the bars nobody traded in that the venue does not have, or has trades in: those are lost, and nobody knows the
 *  minute from them. */
function existingOf(bars: Bars, existing: Bars | undefined): Bars {
  if (existing === undefined) return bars
  const at = aligned(bars, existing)
  const rows = Array.from(at.keys()).filter((i) => bars.count[i]! > 0 || (at[i]! >= 0 && existing.count[at[i]!] === 0))
  if (rows.length === at.length) return bars
  const kept = Object.entries(bars).map(([name, values]) => {
    if (isWide(values)) return [name, pickBigs(values, rows)]
    const all = values as Float64Array
    const some = all.subarray(0, rows.length).slice()
    rows.forEach((row, i) => {
      some[i] = all[row]!
    })
    return [name, some]
  })
  return Object.fromEntries(kept) as Bars
}

/** Trades that are missing from a bar: those that the venue's own bar counts and we do not have. Where it is not known, ids
 *  that were jumped over before a trade of the bar, be they of this bar or of one before it. */
function lostOf(src: Bars, existing: Bars | undefined): Int32Array {
  const lost = src.lostTrades?.slice() ?? new Int32Array(src.openTsMs.length)
  if (existing === undefined) return lost
  const rows = aligned(src, existing)
  return lost.map((jumped, i) => (rows[i]! < 0 ? jumped : Math.max(0, existing.count[rows[i]!]! - src.count[i]!)))
}

/** Null where there is nothing to compare with, true where any source lacks the bar or says something else of it. */
function differences(src: Bars, compared: readonly Bars[]): { values: Uint8Array; valid: Uint8Array } {
  const n = src.openTsMs.length
  const values = new Uint8Array(n)
  for (const other of compared) {
    const rows = aligned(src, other)
    for (let i = 0; i < n; i++) if (rows[i]! < 0 || !sameBar(src, i, other, rows[i]!)) values[i] = 1
  }
  return { values, valid: new Uint8Array(n).fill(compared.length > 0 ? 1 : 0) }
}
