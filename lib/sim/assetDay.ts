import { exp } from '../math.ts'
import { createRng } from '../rng.ts'
import { MINUTES_A_DAY, type ShockDay, shockDay, variancePassed } from './factorDay.ts'
import type { AssetPath } from './path.ts'

/** High, low and close of each minute; the open is the close before, `open` for the first minute. */
export type MinuteSeries = {
  readonly open: number
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
}

/** One day of an asset by minutes. Everything in 10^-8: USD for index and mark, a ratio for the premium. */
export type AssetDay = {
  readonly index: MinuteSeries
  readonly premium: MinuteSeries
  readonly mark: MinuteSeries
  /** Volatility multiplier by minute: volume follows it. */
  readonly vol: Float64Array
}

const series = (open: number): MinuteSeries => ({
  open,
  high: new Float64Array(MINUTES_A_DAY),
  low: new Float64Array(MINUTES_A_DAY),
  close: new Float64Array(MINUTES_A_DAY),
})

/** Spreads a day of the path over its minutes: a bridge that starts and ends exactly on the path's levels, so that
 *  a day needs no other day. `factor` is the market's day, shared by all assets: that is what correlates them. */
export function assetDay(seed: number | string, name: string, path: AssetPath, d: number, factor: ShockDay): AssetDay {
  const own = shockDay(seed, name, d)
  const rng = createRng(seed, 'asset day', name, d)
  const marketVol = path.marketVolOver[d]!
  const ownVol = path.ownVolOver[d]!

  const startIndex = path.indexAt[d]!
  const endIndex = path.indexAt[d + 1]!
  const walk = new Float64Array(MINUTES_A_DAY)
  let sum = 0
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    sum += marketVol * factor.shock[i]! + ownVol * own.shock[i]!
    walk[i] = sum
  }
  const startPremium = path.premiumAt[d]!
  const endPremium = path.premiumAt[d + 1]!

  const index = series(startIndex)
  const premium = series(startPremium)
  const mark = series(markOf(startIndex, startPremium, startPremium))
  const minuteVol = (marketVol + ownVol) * 0.02
  const ratio = endIndex / startIndex
  let lastIndex = startIndex
  let lastPremium = startPremium
  let lastMark = mark.open
  let noise = 0
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const passed = variancePassed[i]!
    const bridge = walk[i]! - passed * sum
    // exp(bridge) moves to the day's own ratio in proportion to the variance passed: exact at both ends.
    const level = startIndex * (1 + (ratio - 1) * passed) * exp(bridge)
    const close = i === MINUTES_A_DAY - 1 ? endIndex : Math.max(1, Math.round(level))
    const bits = rng.bits()
    const spread = lastIndex * minuteVol * factor.vol[i]!
    const up = square((bits & 0xff) / 256) * spread
    const down = square(((bits >>> 8) & 0xff) / 256) * spread
    index.close[i] = close
    index.high[i] = Math.max(lastIndex, close) + Math.round(up)
    index.low[i] = Math.max(1, Math.min(lastIndex, close) - Math.round(down))

    // The premium jitters by a bp or two around its bridge, and dies down to the path's level at midnight.
    noise = 0.97 * noise + (((bits >>> 16) & 0xff) + ((bits >>> 24) & 0xff) - 255) * 55
    const left = MINUTES_A_DAY - 1 - i
    const taper = left < 60 ? left / 60 : 1
    const near = startPremium + ((endPremium - startPremium) * (i + 1)) / MINUTES_A_DAY
    const nextPremium = Math.round(near + noise * taper)
    const wick = ((bits >>> 4) & 0xff) * 40
    const tail = ((bits >>> 12) & 0xff) * 40
    premium.close[i] = nextPremium
    premium.high[i] = Math.max(lastPremium, nextPremium) + wick
    premium.low[i] = Math.min(lastPremium, nextPremium) - tail

    // At midnight only the path's level counts: the next day must be able to open here without this one.
    const nextMark = markOf(close, left === 0 ? nextPremium : lastPremium, nextPremium)
    mark.close[i] = nextMark
    mark.high[i] = Math.max(lastMark, nextMark) + Math.round(up * 0.9)
    mark.low[i] = Math.max(1, Math.min(lastMark, nextMark) - Math.round(down * 0.9))
    lastIndex = close
    lastPremium = nextPremium
    lastMark = nextMark
  }
  return { index, premium, mark, vol: own.vol }
}

const square = (x: number): number => x * x

/** Mark price: the index lifted by the mean of the last two premium samples. */
function markOf(index: number, premiumBefore: number, premium: number): number {
  return Math.round(index * (1 + (premiumBefore + premium) / 2e8))
}
