import { drawBits } from '../rng.ts'
import type { AssetDay } from './assetDay.ts'
import { activityCurve, MINUTES_A_DAY } from './factorDay.ts'
import type { Instrument } from './instrument.ts'
import { rounded } from './rounded.ts'

/** One day of an instrument by minutes. Prices in ticks, quantities in lots, turnover in ticks × lots, all integers. */
export type BarDay = {
  readonly open: Int32Array
  readonly high: Int32Array
  readonly low: Int32Array
  readonly close: Int32Array
  readonly count: Int32Array
  readonly lots: Float64Array
  readonly quote: Float64Array
  readonly buyLots: Float64Array
  readonly buyQuote: Float64Array
}

/** What a minute's bar leaves open for its trades to fill in, so that they add up to the bar exactly. Aggregates are
 *  taker orders: each is one or more trades at one price and side. Up to four are fixed by the bar (first, last, the
 *  one at the high, the one at the low); the bulk must have given counts, lots and turnover by side. */
export type Recipes = {
  readonly firstLots: Float64Array
  readonly lastLots: Float64Array
  /** 0 where open or close already is the extreme. */
  readonly highLots: Float64Array
  readonly lowLots: Float64Array
  /** Bit 0: the first is a taker buy; bit 1: the last is. */
  readonly sides: Uint8Array
  readonly bulkBuys: Int32Array
  readonly bulkSells: Int32Array
  readonly bulkBuyLots: Float64Array
  readonly bulkSellLots: Float64Array
  /** Turnover of the bulk above the minute's low: Σ lots × (price - low). */
  readonly bulkBuyRise: Float64Array
  readonly bulkSellRise: Float64Array
}

/** Taker orders behind `trades` trades: one in three or so is filled by more than one maker. */
export const aggregatesOf = (trades: number): number => trades - Math.floor((trades * 3) / 8)

const floats = () => new Float64Array(MINUTES_A_DAY)
const ints = () => new Int32Array(MINUTES_A_DAY)

export const emptyBars = (): BarDay => ({
  open: ints(),
  high: ints(),
  low: ints(),
  close: ints(),
  count: ints(),
  lots: floats(),
  quote: floats(),
  buyLots: floats(),
  buyQuote: floats(),
})

export const emptyRecipes = (): Recipes => ({
  firstLots: floats(),
  lastLots: floats(),
  highLots: floats(),
  lowLots: floats(),
  sides: new Uint8Array(MINUTES_A_DAY),
  bulkBuys: ints(),
  bulkSells: ints(),
  bulkBuyLots: floats(),
  bulkSellLots: floats(),
  bulkBuyRise: floats(),
  bulkSellRise: floats(),
})

/** Last traded price, in ticks, at the end of a day that trades in its last minute. */
function closeTicksAt(instrument: Instrument, d: number): number {
  const { indexAt, premiumAt } = instrument.path
  return ticksOf(instrument, indexAt[d]!, premiumAt[d]!, d)
}

function ticksOf(instrument: Instrument, index: number, premium: number, d: number): number {
  const { market, contractType } = instrument.spec
  // Coins carry no premium. A dated contract is dearer by a carry that runs out with its days.
  const ratio = market === 'spot' ? 0 : premium / 1e8
  const term = contractType === 'CURRENT_QUARTER' ? 0.00008 * Math.max(0, instrument.deliveryDay - d) : 0
  return Math.max(1, rounded((index * (1 + ratio + term)) / instrument.indexPerTick))
}

const cumulative = floats()
/** One draw for each minute's trades, or one for its lots and then two for its bar. */
const countBits = new Uint32Array(MINUTES_A_DAY)
const barBits = new Uint32Array(3 * MINUTES_A_DAY)

/** Trades of each minute of the day: the day's total, spread by activity. */
export function tradeCounts(
  seed: number | string,
  instrument: Instrument,
  d: number,
  vol: Float64Array,
  counts: Int32Array = ints(),
): Int32Array {
  const total = instrument.tradesOver[d]!
  if (total === 0) return counts.fill(0)
  drawBits(countBits, seed, 'counts', instrument.spec.market, instrument.spec.symbol, d)
  const open = instrument.partDays.get(d)
  let sum = 0
  let first = -1
  let last = -1
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const noise = 0.4 + countBits[i]! / 3579139413
    const trades = open === undefined || open[i] === 1
    if (trades) {
      sum += activityCurve[i]! * vol[i]! * noise
      if (first < 0) first = i
      last = i
    }
    cumulative[i] = sum
  }
  // One trade each is set aside for the first and the last minute; floors of a running total spread the rest exactly.
  const spread = total - 2
  let given = 0
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const due = i >= last ? spread : Math.floor((spread * cumulative[i]!) / sum)
    counts[i] = due - given
    given = due
  }
  counts[first]!++
  counts[last]!++
  return counts
}

/** Ticks between a close and the next open. Looked up and not decided: what is drawn at random no processor can foretell,
 *  and a wrong guess costs more than all the arithmetic. For the same reason the loop below multiplies by 0 and 1. */
const jumps = Int8Array.of(1, -1, 0, 0, 0, 0, 0, 0)

/** Builds the day's bars. `recipes`, where given, receives what the trades need; `bars` is where everything goes. */
export function barDay(
  seed: number | string,
  instrument: Instrument,
  d: number,
  day: AssetDay,
  recipes?: Recipes,
  bars: BarDay = emptyBars(),
): BarDay {
  const count = tradeCounts(seed, instrument, d, day.vol, bars.count)
  drawBits(barBits, seed, 'bars', instrument.spec.market, instrument.spec.symbol, d)
  spreadLots(count, instrument.lotsOver[d]! - instrument.tradesOver[d]!, bars.lots)

  const { index, premiumClose } = day
  const lastMinute = MINUTES_A_DAY - 1
  let last = closeTicksAt(instrument, d)
  let lastIndex = index.open
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const trades = count[i]!
    const r1 = barBits[MINUTES_A_DAY + 2 * i]!
    const r2 = barBits[MINUTES_A_DAY + 2 * i + 1]!
    const indexClose = index.close[i]!
    const indexRange = index.high[i]! - index.low[i]!
    const indexMove = indexClose - lastIndex
    lastIndex = indexClose
    if (trades === 0) {
      bars.open[i] = bars.high[i] = bars.low[i] = bars.close[i] = last
      bars.quote[i] = bars.buyLots[i] = bars.buyQuote[i] = 0
      continue
    }
    const close =
      i === lastMinute ? closeTicksAt(instrument, d + 1) : ticksOf(instrument, indexClose, premiumClose[i]!, d)
    const aggregates = aggregatesOf(trades)
    if (i === instrument.onboardMinute && d === instrument.onboardDay) last = close // there is no trade to follow yet
    const open = aggregates === 1 ? close : Math.max(1, last + jumps[r1 & 7]!)
    last = close
    const body = Math.abs(open - close)
    let high = (open + close + body) / 2
    let low = high - body
    if (aggregates >= 4) {
      const reach = (indexRange / instrument.indexPerTick) * 0.5
      high += Math.floor(reach * ((r1 >>> 3) & 0xff) * 0.00390625)
      low = Math.max(1, low - Math.floor(reach * ((r1 >>> 11) & 0xff) * 0.00390625))
    }
    bars.open[i] = open
    bars.high[i] = high
    bars.low[i] = low
    bars.close[i] = close

    const lots = bars.lots[i]!
    const spare = Math.floor((lots - trades) / aggregates)
    const firstIsBuy = (r1 >>> 19) & 1
    const lastIsBuy = (r1 >>> 20) & 1
    let firstLots = 0
    let lastLots = 0
    let highLots = 0
    let lowLots = 0
    let bulk = 0
    if (aggregates === 1) {
      lastLots = lots
    } else {
      bulk = aggregates - 2
      firstLots = 1 + Math.floor(spare * (r2 & 0xff) * 0.00390625)
      lastLots = 1 + Math.floor(spare * ((r2 >>> 8) & 0xff) * 0.00390625)
      if (aggregates >= 4 && high > open && high > close) {
        highLots = 1 + Math.floor(spare * ((r2 >>> 16) & 0xff) * 0.00390625)
        bulk--
      }
      if (aggregates >= 4 && low < open && low < close) {
        lowLots = 1 + Math.floor(spare * ((r2 >>> 24) & 0xff) * 0.00390625)
        bulk--
      }
      if (bulk === 0) lastLots = lots - firstLots - highLots - lowLots
    }

    // Buyers press when the price rises: the share of taker buys leans with the minute's move.
    const lean = indexRange === 0 ? 0 : indexMove / indexRange
    const share = 0.5 + 0.22 * lean + (((r1 >>> 21) & 0x7ff) - 1023.5) * 0.00015
    const bulkLots = bulk === 0 ? 0 : lots - firstLots - lastLots - highLots - lowLots
    const buys = Math.floor(bulk * share + 0.5)
    const sells = bulk - buys
    const buyLots = buys === 0 ? 0 : sells === 0 ? bulkLots : buys + Math.floor((bulkLots - bulk) * share)
    const sellLots = bulkLots - buyLots
    const span = high - low
    const middle = span === 0 ? 0 : ((open + close) * 0.5 - low) / span
    const buyRise = riseOf(buys, buyLots, span, middle * 0.7 + 0.17 + ((r2 >>> 6) & 0x3f) * 0.0015)
    const sellRise = riseOf(sells, sellLots, span, middle * 0.7 + 0.08 + ((r2 >>> 14) & 0x3f) * 0.0015)

    const highBuyQuote = highLots * high
    const edgeBuyLots = firstIsBuy * firstLots + lastIsBuy * lastLots
    const edgeBuyQuote = firstIsBuy * firstLots * open + lastIsBuy * lastLots * close
    bars.buyLots[i] = edgeBuyLots + highLots + buyLots
    bars.buyQuote[i] = edgeBuyQuote + highBuyQuote + buyLots * low + buyRise
    bars.quote[i] =
      firstLots * open + lastLots * close + highBuyQuote + lowLots * low + bulkLots * low + buyRise + sellRise

    if (recipes !== undefined) {
      recipes.firstLots[i] = firstLots
      recipes.lastLots[i] = lastLots
      recipes.highLots[i] = highLots
      recipes.lowLots[i] = lowLots
      recipes.sides[i] = firstIsBuy | (lastIsBuy << 1)
      recipes.bulkBuys[i] = buys
      recipes.bulkSells[i] = sells
      recipes.bulkBuyLots[i] = buyLots
      recipes.bulkSellLots[i] = sellLots
      recipes.bulkBuyRise[i] = buyRise
      recipes.bulkSellRise[i] = sellRise
    }
  }
  return bars
}

/** Turnover above the low that `orders` orders of `lots` lots can have: any whole number for two or more, a multiple
 *  of the lots for one. */
function riseOf(orders: number, lots: number, span: number, fraction: number): number {
  if (orders === 0 || span === 0) return 0
  const bounded = Math.max(0, Math.min(1, fraction))
  return orders === 1 ? lots * Math.floor(span * bounded + 0.5) : Math.floor(lots * span * bounded)
}

/** Every trade has one lot; the rest of the day's lots go where the trades are, unevenly. */
function spreadLots(count: Int32Array, extra: number, lots: Float64Array): void {
  let sum = 0
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const u = barBits[i]! / 4294967296
    sum += count[i]! * (0.35 + 1.6 * u * u)
    lots[i] = sum
  }
  let given = 0
  let lastTraded = MINUTES_A_DAY - 1
  while (lastTraded >= 0 && count[lastTraded] === 0) lastTraded--
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const due = i >= lastTraded ? extra : Math.floor((extra * lots[i]!) / sum)
    lots[i] = count[i] === 0 ? 0 : count[i]! + due - given
    if (count[i] !== 0) given = due
  }
}
