import {
  type BigInts,
  bigAt,
  copyBig,
  cutBigs,
  isWide,
  narrowest,
  setBig,
  type WideInts,
  wideInts,
} from '../tables/wideInts.ts'
import { formatUtc } from '../time.ts'

/** Bars of one symbol in rising order of their opens, as exact as the venue's: decimals are counts of 10^-8. */
export interface Bars {
  readonly openTsMs: Float64Array
  readonly open: BigInt64Array
  readonly high: BigInt64Array
  readonly low: BigInt64Array
  readonly close: BigInt64Array
  readonly volume: BigInts
  readonly quoteVolume: BigInts
  readonly count: Int32Array
  readonly takerBuyVolume: BigInts
  readonly takerBuyQuoteVolume: BigInts
  /** Trade ids that are missing before a trade of the bar. Only bars made of trades can tell. */
  readonly lostTrades?: Int32Array
}

const pxColumns = ['open', 'high', 'low', 'close'] as const
const sumColumns = ['volume', 'quoteVolume', 'takerBuyVolume', 'takerBuyQuoteVolume'] as const

/** Bars to be filled. Sums have room for anything; `cutBars` gives them the form that is fast to work with. */
export type BarsInMaking = Omit<Bars, (typeof sumColumns)[number]> & Record<(typeof sumColumns)[number], WideInts>

export function emptyBars(rows: number): BarsInMaking {
  const prices = Object.fromEntries(pxColumns.map((name) => [name, new BigInt64Array(rows)]))
  const sums = Object.fromEntries(sumColumns.map((name) => [name, wideInts(rows)]))
  return {
    openTsMs: new Float64Array(rows),
    ...(prices as Record<(typeof pxColumns)[number], BigInt64Array>),
    ...(sums as Record<(typeof sumColumns)[number], WideInts>),
    count: new Int32Array(rows),
    lostTrades: new Int32Array(rows),
  }
}

/** Rows `from` to `to` (not included), as views. */
export function cutBars(bars: Bars, from: number, to: number): Bars {
  const cut = Object.entries(bars).map(([name, values]) => [
    name,
    isWide(values) ? narrowest(cutBigs(values, from, to)) : (values as Float64Array).subarray(from, to),
  ])
  return Object.fromEntries(cut) as unknown as Bars
}

/** The first row whose value is not less than `limit`. */
export function lowerBound(values: Float64Array, limit: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}

/** What was left out of bars, in words for the log. */
export interface LeftOut {
  readonly rows: number
  readonly says: string
}

/**
 * Bars of the wanted length out of equal or finer ones. A bar is there if every finer one is: with one missing its high,
 * its low and its volume would be guesses. Rows whose open is off their grid belong to no bar and are left out, said to
 * `onLeftOut`.
 */
export function toInterval(
  bars: Bars,
  sourceMs: number,
  intervalMs: number,
  onLeftOut: (left: LeftOut) => void = () => {},
): Bars {
  // Minutes out of minutes are what nearly everybody asks for.
  if (sourceMs === intervalMs && bars.openTsMs.every((ts) => ts % sourceMs === 0)) return bars
  const offGrid: number[] = []
  const perBar = intervalMs / sourceMs
  const result = emptyBars(Math.floor(bars.openTsMs.length / perBar))
  let rows = 0
  let first = -1
  let expected = 0
  for (let row = 0; row < bars.openTsMs.length; row++) {
    const ts = bars.openTsMs[row]!
    if (ts % sourceMs !== 0) {
      offGrid.push(ts)
      first = -1
      continue
    }
    if (ts % intervalMs === 0) first = row
    else if (first < 0 || ts !== expected) {
      first = -1
      continue
    }
    expected = ts + sourceMs
    if (expected % intervalMs !== 0) continue
    mergeInto(result, rows++, bars, first, row)
    first = -1
  }
  if (offGrid.length > 0)
    onLeftOut({ rows: offGrid.length, says: `bars off their grid, the first at ${formatUtc(offGrid[0]!)}` })
  return cutBars(result, 0, rows)
}

function mergeInto(dst: BarsInMaking, at: number, src: Bars, first: number, last: number): void {
  dst.openTsMs[at] = src.openTsMs[first]!
  dst.open[at] = src.open[first]!
  dst.close[at] = src.close[last]!
  let high = src.high[first]!
  let low = src.low[first]!
  for (let row = first; row <= last; row++) {
    if (src.high[row]! > high) high = src.high[row]!
    if (src.low[row]! < low) low = src.low[row]!
    dst.count[at]! += src.count[row]!
    if (src.lostTrades !== undefined) dst.lostTrades![at]! += src.lostTrades[row]!
  }
  for (const name of sumColumns) {
    if (first === last) {
      copyBig(src[name], first, dst[name], at)
      continue
    }
    let sum = 0n
    for (let row = first; row <= last; row++) sum += bigAt(src[name], row)
    setBig(dst[name], at, sum)
  }
  dst.high[at] = high
  dst.low[at] = low
}

/** Whether two bars say the same. */
export function sameBar(a: Bars, i: number, b: Bars, j: number): boolean {
  if (a.count[i] !== b.count[j]) return false
  for (const name of pxColumns) if (a[name][i] !== b[name][j]) return false
  for (const name of sumColumns) if (bigAt(a[name], i) !== bigAt(b[name], j)) return false
  return true
}
