import assert from 'node:assert/strict'
import { exp, log } from '../math.ts'
import { createRng, type Rng } from '../rng.ts'
import type { AssetSpec } from './config.ts'
import type { Effects } from './effects.ts'
import { rateOf } from './fundingRule.ts'

/** The coarsest level: one number a day for every asset. Entry d of a level (`...At`) holds at the first instant of
 *  day d, entry d of a flow (`...Over`) covers day d. Days are made in order, so a longer path begins with the
 *  shorter one. */
export type AssetPath = {
  /** Index price in 10^-8 USD. */
  readonly indexAt: Float64Array
  /** Premium of the contract over the index, in 10^-8. */
  readonly premiumAt: Float64Array
  /** Expected standard deviations of the day's return: from the market, and of its own. */
  readonly marketVolOver: Float64Array
  readonly ownVolOver: Float64Array
  readonly volumeUsdOver: Float64Array
  /** Open interest in USD at the day's first instant. */
  readonly openInterestUsdAt: Float64Array
  /** The planted expected own return: for tests of what was planted, never served. */
  readonly trendOver: Float64Array
}

export type MarketPath = {
  /** Log return of the market without its crashes, its expected deviation, and the size of the day's crash (0: none). */
  readonly returnOver: Float64Array
  readonly volOver: Float64Array
  readonly crashOver: Float64Array
}

const BPS = 10_000 // one basis point in units of 10^-8
/** No premium goes further: arbitrage would have to be dead. */
const PREMIUM_BOUND = 60 * BPS

/** A shock of variance 1 with heavy tails. */
function shock(rng: Rng, effects: Effects): number {
  const wide = rng.uniform() < effects.tailShare
  const norm = Math.sqrt(1 - effects.tailShare + effects.tailShare * effects.tailScale * effects.tailScale)
  return (rng.normal() * (wide ? effects.tailScale : 1)) / norm
}

/** The next value of a first-order autoregression with the given stationary deviation. */
function step(value: number, persistence: number, spread: number, rng: Rng): number {
  return persistence * value + spread * Math.sqrt(1 - persistence * persistence) * rng.normal()
}

export function marketPath(seed: number | string, effects: Effects, days: number): MarketPath {
  const rng = createRng(seed, 'market path')
  const returnOver = new Float64Array(days)
  const volOver = new Float64Array(days)
  const crashOver = new Float64Array(days)
  const expectedCrash = (effects.crashPerDay * (effects.crashMin + effects.crashMax)) / 2
  let logVol = effects.volSpread * rng.normal()
  for (let d = 0; d < days; d++) {
    logVol = step(logVol, effects.volPersistence, effects.volSpread, rng)
    const vol = effects.marketVolDaily * exp(logVol)
    const hit = rng.uniform() < effects.crashPerDay
    const size = effects.crashMin + (effects.crashMax - effects.crashMin) * rng.uniform()
    volOver[d] = vol
    crashOver[d] = hit ? size : 0
    returnOver[d] = vol * shock(rng, effects) + effects.marketDriftDaily + expectedCrash
  }
  return { returnOver, volOver, crashOver }
}

export function assetPath(seed: number | string, effects: Effects, asset: AssetSpec, market: MarketPath): AssetPath {
  const days = market.returnOver.length
  const rng = createRng(seed, 'asset path', asset.name)
  const path: AssetPath = {
    indexAt: new Float64Array(days + 1),
    premiumAt: new Float64Array(days + 1),
    marketVolOver: new Float64Array(days),
    ownVolOver: new Float64Array(days),
    volumeUsdOver: new Float64Array(days),
    openInterestUsdAt: new Float64Array(days + 1),
    trendOver: new Float64Array(days),
  }
  const mean = asset.premiumMeanBps * BPS
  const premiumSd = effects.premiumSdBps * BPS
  const trendSd = effects.trendShare * asset.ownVolDaily
  let logVol = effects.volSpread * rng.normal()
  let logVolume = 0.3 * rng.normal()
  let logInterest = 0.3 * rng.normal()
  let trend = trendSd * rng.normal()
  let premium = Math.round(mean + premiumSd * rng.normal())
  let index = Math.round(asset.startPriceUsd * 1e8)
  path.indexAt[0] = index
  path.premiumAt[0] = premium
  path.openInterestUsdAt[0] = Math.round(asset.volumeUsdDaily * 0.4 * exp(logInterest))
  for (let d = 0; d < days; d++) {
    logVol = step(logVol, effects.volPersistence, effects.volSpread, rng)
    trend = step(trend, effects.trendPersistence, trendSd, rng)
    const ownVol = asset.ownVolDaily * exp(logVol)
    const marketVol = asset.beta * market.volOver[d]!
    const crash = market.crashOver[d]!

    // Squeezes come where the premium is high, and are paid for in advance by a lower drift.
    const crowding = Math.min(3, Math.max(0, 1 + (premium - mean) / premiumSd))
    const squeezeChance = effects.squeezePerDay * crowding
    const squeezed = rng.uniform() < squeezeChance
    const squeezeSize = effects.squeezeMin + (effects.squeezeMax - effects.squeezeMin) * rng.uniform()
    const squeeze = (squeezed ? squeezeSize : 0) - (squeezeChance * (effects.squeezeMin + effects.squeezeMax)) / 2

    const offset = (effects.carryOffsetShare * 3 * rateOf(premium, 8)) / 1e8
    const winner = trendSd === 0 ? 0 : Math.max(-1, Math.min(1, trend / trendSd))
    const own = ownVol * shock(rng, effects) + trend + offset + squeeze - crash * effects.trendCrashLoading * winner
    const simple = asset.beta * (market.returnOver[d]! - crash) + own
    // The convexity of exp would lift the mean simple return by half the variance.
    const logReturn = Math.max(-0.6, Math.min(0.6, simple)) - (marketVol * marketVol + ownVol * ownVol) / 2

    index = Math.max(1, Math.round(index * exp(logReturn)))
    const chase = effects.premiumChaseBps * BPS * 100 * own
    premium = mean + step(premium - mean, effects.premiumPersistence, premiumSd, rng) + chase
    premium = Math.round(Math.max(-PREMIUM_BOUND, Math.min(PREMIUM_BOUND, premium)))

    const surprise = Math.abs(simple) / (marketVol + ownVol)
    logVolume = step(logVolume, 0.9, 0.3, rng)
    logInterest = step(logInterest, 0.97, 0.3, rng)
    path.indexAt[d + 1] = index
    path.premiumAt[d + 1] = premium
    path.marketVolOver[d] = marketVol
    path.ownVolOver[d] = ownVol
    path.trendOver[d] = trend
    path.volumeUsdOver[d] = asset.volumeUsdDaily * exp(logVolume + 0.5 * logVol) * (0.7 + 0.4 * surprise)
    path.openInterestUsdAt[d + 1] = Math.round(asset.volumeUsdDaily * 0.4 * exp(logInterest))
  }
  assert.ok(index < Number.MAX_SAFE_INTEGER, `the index of ${asset.name} left the exact integers`)
  return path
}

/** Log return of day d, from the published levels. */
export function dailyLogReturn(path: AssetPath, d: number): number {
  return log(path.indexAt[d + 1]! / path.indexAt[d]!)
}
