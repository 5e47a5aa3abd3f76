import { exp } from '../math.ts'
import { drawBits } from '../rng.ts'
import { MINUTES_A_DAY, type ShockDay, shockDay, variancePassed } from './factorDay.ts'
import type { AssetPath } from './path.ts'
import { rounded } from './rounded.ts'

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
  readonly premiumClose: Float64Array
  /** Volatility multiplier by minute: volume follows it. */
  readonly vol: Float64Array
  /** Made when first asked for: what is traded does not need it. */
  mark(): MinuteSeries
}

const minutes = () => new Float64Array(MINUTES_A_DAY)
const series = (open: number): MinuteSeries => ({ open, high: minutes(), low: minutes(), close: minutes() })

/** Where a day is written. */
export type AssetRoom = {
  readonly index: Pick<MinuteSeries, 'high' | 'low' | 'close'>
  readonly premiumClose: Float64Array
  readonly vol: Float64Array
  readonly drawn: Uint32Array
}

export const emptyRoom = (): AssetRoom => ({
  index: { high: minutes(), low: minutes(), close: minutes() },
  premiumClose: minutes(),
  vol: minutes(),
  drawn: new Uint32Array(MINUTES_A_DAY),
})

// Both are summed up before the next day begins.
const ownShock = minutes()
const walk = minutes()

/** Spreads a day of the path over its minutes: a bridge that starts and ends exactly on the path's levels, so that
 *  a day needs no other day. `factor` is the market's day, shared by all assets: that is what correlates them. */
export function assetDay(
  seed: number | string,
  name: string,
  path: AssetPath,
  d: number,
  factor: ShockDay,
  room = emptyRoom(),
): AssetDay {
  const own = shockDay(seed, name, d, { shock: ownShock, vol: room.vol })
  const marketVol = path.marketVolOver[d]!
  const ownVol = path.ownVolOver[d]!

  const startIndex = path.indexAt[d]!
  const endIndex = path.indexAt[d + 1]!
  let sum = 0
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    sum += marketVol * factor.shock[i]! + ownVol * own.shock[i]!
    walk[i] = sum
  }

  const index = { open: startIndex, ...room.index }
  const { premiumClose, drawn } = room
  drawBits(drawn, seed, 'asset day', name, d)
  const startPremium = path.premiumAt[d]!
  closePremium(drawn, startPremium, path.premiumAt[d + 1]!, premiumClose)
  const minuteVol = (marketVol + ownVol) * 0.02
  const ratio = endIndex / startIndex
  let lastIndex = startIndex
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const passed = variancePassed[i]!
    const bridge = walk[i]! - passed * sum
    // exp(bridge) moves to the day's own ratio in proportion to the variance passed: exact at both ends.
    const level = startIndex * (1 + (ratio - 1) * passed) * exp(bridge)
    const close = i === MINUTES_A_DAY - 1 ? endIndex : Math.max(1, rounded(level))
    const bits = drawn[i]!
    const spread = lastIndex * minuteVol * factor.vol[i]!
    index.close[i] = close
    index.high[i] = Math.max(lastIndex, close) + rounded(upShare(bits) * spread)
    index.low[i] = Math.max(1, Math.min(lastIndex, close) - rounded(downShare(bits) * spread))
    lastIndex = close
  }

  let mark: MinuteSeries | undefined
  return {
    index,
    premiumClose,
    vol: own.vol,
    mark: () => (mark ??= markSeries(index, startPremium, premiumClose, drawn, minuteVol, factor)),
  }
}

/** The premium jitters by a bp or two around its bridge, and dies down to the path's level at midnight. */
function closePremium(drawn: Uint32Array, start: number, end: number, close: Float64Array): void {
  let noise = 0
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const bits = drawn[i]!
    noise = 0.97 * noise + (((bits >>> 16) & 0xff) + ((bits >>> 24) & 0xff) - 255) * 55
    const left = MINUTES_A_DAY - 1 - i
    const taper = left < 60 ? left / 60 : 1
    const near = start + ((end - start) * (i + 1)) / MINUTES_A_DAY
    close[i] = rounded(near + noise * taper)
  }
}

// Used up before the next day begins.
const premiumDrawn = new Uint32Array(MINUTES_A_DAY)

/** The premium of the same day, with its extremes. It needs no price, and settlements need nothing else. */
export function premiumDay(seed: number | string, name: string, path: AssetPath, d: number): MinuteSeries {
  const drawn = drawBits(premiumDrawn, seed, 'asset day', name, d)
  const open = path.premiumAt[d]!
  const premium = series(open)
  const { close } = premium
  closePremium(drawn, open, path.premiumAt[d + 1]!, close)
  let last = open
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const bits = drawn[i]!
    const next = close[i]!
    const wick = ((bits >>> 4) & 0xff) * 40
    const tail = ((bits >>> 12) & 0xff) * 40
    premium.high[i] = Math.max(last, next) + wick
    premium.low[i] = Math.min(last, next) - tail
    last = next
  }
  return premium
}

function markSeries(
  index: MinuteSeries,
  startPremium: number,
  premiumClose: Float64Array,
  drawn: Uint32Array,
  minuteVol: number,
  factor: ShockDay,
): MinuteSeries {
  const mark = series(markOf(index.open, startPremium, startPremium))
  let lastIndex = index.open
  let lastPremium = startPremium
  let lastMark = mark.open
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const bits = drawn[i]!
    const spread = lastIndex * minuteVol * factor.vol[i]!
    const nextPremium = premiumClose[i]!
    // At midnight only the path's level counts: the next day must be able to open here without this one.
    const isLast = i === MINUTES_A_DAY - 1
    const nextMark = markOf(index.close[i]!, isLast ? nextPremium : lastPremium, nextPremium)
    mark.close[i] = nextMark
    mark.high[i] = Math.max(lastMark, nextMark) + rounded(upShare(bits) * spread * 0.9)
    mark.low[i] = Math.max(1, Math.min(lastMark, nextMark) - rounded(downShare(bits) * spread * 0.9))
    lastIndex = index.close[i]!
    lastPremium = nextPremium
    lastMark = nextMark
  }
  return mark
}

/** How far beyond its ends a minute reaches, as a share of its spread. */
const upShare = (bits: number): number => square((bits & 0xff) / 256)
const downShare = (bits: number): number => square(((bits >>> 8) & 0xff) / 256)

const square = (x: number): number => x * x

/** Mark price: the index lifted by the mean of the last two premium samples. */
function markOf(index: number, premiumBefore: number, premium: number): number {
  return rounded(index * (1 + (premiumBefore + premium) / 2e8))
}
