import { describe, expect, test } from 'vitest'
import { createRng } from '../../../lib/rng.ts'
import type { AssetSpec } from '../../../lib/sim/config.ts'
import { defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { defaultEffects, type Effects } from '../../../lib/sim/effects.ts'
import { MINUTES_A_DAY } from '../../../lib/sim/factorDay.ts'
import { settlements } from '../../../lib/sim/funding.ts'
import { rateOf } from '../../../lib/sim/fundingRule.ts'
import { createMarket } from '../../../lib/sim/market.ts'
import { type AssetPath, assetPath, dailyLogReturn, marketPath } from '../../../lib/sim/path.ts'

const SEEDS = 50
const DAYS = 365
const FEE = 0.0005

const assets: AssetSpec[] = defaultWorld.assets.slice(0, 16)

const mean = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length
const deviation = (xs: readonly number[]) => Math.sqrt(mean(xs.map((x) => (x - mean(xs)) ** 2)))
const sharpe = (daily: readonly number[]) => (mean(daily) / deviation(daily)) * Math.sqrt(365)
const median = (xs: readonly number[]) => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)]!
const tOf = (xs: readonly number[]) => (mean(xs) / deviation(xs)) * Math.sqrt(xs.length)

type World = { seed: number; paths: AssetPath[] }
const worldsWith = (effects: Effects): World[] =>
  Array.from({ length: SEEDS }, (_, seed) => {
    const market = marketPath(seed, effects, DAYS)
    return { seed, paths: assets.map((asset) => assetPath(seed, effects, asset, market)) }
  })

type Score = (world: World, asset: number, day: number) => number

/** Long the five highest scores, short the five lowest, in equal weights of one fifth; funding paid and received. */
function longShort({ seed, paths }: World, score: Score, everyDays: number) {
  const gross: number[] = []
  const net: number[] = []
  let weights = paths.map(() => 0)
  for (let day = 30; day < DAYS; day++) {
    let cost = 0
    if ((day - 30) % everyDays === 0) {
      const order = paths
        .map((_, i) => i)
        .sort((a, b) => score({ seed, paths }, b, day) - score({ seed, paths }, a, day))
      const next = paths.map(() => 0)
      for (let k = 0; k < 5; k++) {
        next[order[k]!] = 0.2
        next[order[order.length - 1 - k]!] = -0.2
      }
      cost = next.reduce((sum, weight, i) => sum + Math.abs(weight - weights[i]!), 0) * FEE
      weights = next
    }
    let earned = 0
    paths.forEach((path, i) => {
      const before = path.premiumAt[day]!
      const after = path.premiumAt[day + 1]!
      const price = path.indexAt[day + 1]! / path.indexAt[day]! - 1 + (after - before) / 1e8
      earned += weights[i]! * (price - (3 * rateOf((before + after) / 2, 8)) / 1e8)
    })
    gross.push(earned)
    net.push(earned - cost)
  }
  return { gross: mean(gross) * 365, sharpe: sharpe(net) }
}

const momentum =
  (days: number): Score =>
  ({ paths }, i, day) =>
    paths[i]!.indexAt[day]! / paths[i]!.indexAt[day - days]!
const carry: Score = ({ paths }, i, day) => -paths[i]!.premiumAt[day]!
const reversal: Score = ({ paths }, i, day) => -paths[i]!.indexAt[day]! / paths[i]!.indexAt[day - 1]!
const chance: Score = ({ seed }, i, day) => createRng(seed, 'chance', i, day).uniform()

describe('over 50 seeds and a year', () => {
  const worlds = worldsWith(defaultEffects)
  const over = (score: Score, everyDays: number) => {
    const results = worlds.map((world) => longShort(world, score, everyDays))
    return { t: tOf(results.map(({ gross }) => gross)), sharpe: median(results.map((one) => one.sharpe)) }
  }

  test('a random strategy earns nothing: gross within two standard errors of zero', () => {
    expect(Math.abs(over(chance, 7).t)).toBeLessThan(2)
  })

  const planted = [
    { name: 'momentum over two weeks', score: momentum(14), everyDays: 7 },
    { name: 'momentum over four weeks', score: momentum(28), everyDays: 7 },
    { name: 'carry', score: carry, everyDays: 1 },
    { name: 'carry, held a week', score: carry, everyDays: 7 },
  ]
  for (const { name, score, everyDays } of planted) {
    test(`${name} is found, and is modest: median net Sharpe below 2`, () => {
      const { t, sharpe } = over(score, everyDays)
      expect(t).toBeGreaterThan(3)
      expect(sharpe).toBeGreaterThan(0.3)
      expect(sharpe).toBeLessThan(2)
    })
  }

  test('what was not planted is not there: reversal and buying BTC stay below 2 as well', () => {
    expect(over(reversal, 1).sharpe).toBeLessThan(0.5)
    const held = worlds.map(({ paths }) => sharpe(Array.from({ length: DAYS }, (_, d) => dailyLogReturn(paths[0]!, d))))
    expect(median(held)).toBeLessThan(1)
  })

  test('with nothing planted neither earns anything', () => {
    const none = { ...defaultEffects, trendShare: 0, carryOffsetShare: 1 }
    const empty = worldsWith(none)
    for (const score of [momentum(14), carry]) {
      expect(Math.abs(tOf(empty.map((world) => longShort(world, score, 7).gross)))).toBeLessThan(2.6)
    }
  })

  test('daily returns have heavy tails, clustered volatility and common movement', () => {
    const kurtosis: number[] = []
    const clustering: number[] = []
    const correlation: number[] = []
    for (const { paths } of worlds) {
      const returns = paths.map((path) => Array.from({ length: DAYS }, (_, d) => dailyLogReturn(path, d)))
      const [btc, eth] = returns as [number[], number[]]
      const centre = btc.map((x) => x - mean(btc))
      kurtosis.push(mean(centre.map((x) => x ** 4)) / mean(centre.map((x) => x * x)) ** 2)
      const sizes = btc.map(Math.abs)
      clustering.push(
        mean(sizes.slice(1).map((x, i) => (x - mean(sizes)) * (sizes[i]! - mean(sizes)))) / deviation(sizes) ** 2,
      )
      const other = eth.map((x) => x - mean(eth))
      correlation.push(mean(centre.map((x, i) => x * other[i]!)) / deviation(btc) / deviation(eth))
    }
    expect(median(kurtosis)).toBeGreaterThan(3.8)
    expect(tOf(clustering)).toBeGreaterThan(3)
    expect(median(correlation)).toBeGreaterThan(0.4)
    expect(median(correlation)).toBeLessThan(0.9)
  })
})

describe('inside the day', () => {
  const market = createMarket(defaultWorld)
  const btc = market.find('usdm', 'BTCUSDT')!
  const days = [20, 60, 100, 140, 180]

  test('activity is U-shaped: the ends of the day trade more than its middle', () => {
    let ends = 0
    let middle = 0
    for (const d of days) {
      const { count } = market.bars(btc, d)
      for (let i = 0; i < 180; i++) {
        ends += count[i]! + count[MINUTES_A_DAY - 1 - i]!
        middle += count[630 + i]! * 2
      }
    }
    expect(ends / middle).toBeGreaterThan(1.4)
  })

  test('minute returns have heavy tails, and big moves come with volume', () => {
    let [squares, fourths, n, product, sizes, volumes, sizeSquares, volumeSquares] = [0, 0, 0, 0, 0, 0, 0, 0]
    for (const d of days) {
      const { close, lots } = market.bars(btc, d)
      for (let i = 1; i < MINUTES_A_DAY; i++) {
        const move = Math.log(close[i]! / close[i - 1]!)
        const size = Math.abs(move)
        n++
        squares += move ** 2
        fourths += move ** 4
        sizes += size
        volumes += lots[i]!
        product += size * lots[i]!
        sizeSquares += size * size
        volumeSquares += lots[i]! ** 2
      }
    }
    expect(fourths / n / (squares / n) ** 2).toBeGreaterThan(4)
    const covariance = product / n - (sizes / n) * (volumes / n)
    const spread = Math.sqrt((sizeSquares / n - (sizes / n) ** 2) * (volumeSquares / n - (volumes / n) ** 2))
    expect(covariance / spread).toBeGreaterThan(0.1)
  })

  test('published funding follows the basis of its day', () => {
    const sol = market.find('usdm', 'SOLUSDT')!
    let product = 0
    let left = 0
    let right = 0
    for (let d = 30; d < 200; d++) {
      const from = market.dayStartTsMs(d)
      const paid = settlements(market, sol, from + 1, from + 86_400_000 + 100).reduce((sum, { rate }) => sum + rate, 0)
      const estimate = 3 * rateOf((sol.path.premiumAt[d]! + sol.path.premiumAt[d + 1]!) / 2, 8)
      product += paid * estimate
      left += paid * paid
      right += estimate * estimate
    }
    expect(product / Math.sqrt(left * right)).toBeGreaterThan(0.9)
  })
})
