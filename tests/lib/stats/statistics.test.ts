import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createRng } from '../../../lib/rng.ts'
import { bootstrapIntervals, stationaryResample } from '../../../lib/stats/bootstrap.ts'
import { deflatedSharpe, expectedMaxSharpe } from '../../../lib/stats/deflatedSharpe.ts'
import { autocorrelation, kurtosis, mean, skewness, standardDeviation, sum } from '../../../lib/stats/moments.ts'
import { normalCdf } from '../../../lib/stats/normal.ts'
import { probabilityOfOverfitting } from '../../../lib/stats/overfitting.ts'
import {
  annualReturn,
  annualVolatility,
  calmarRatio,
  conditionalValueAtRisk,
  drawdowns,
  hitRate,
  maxDrawdown,
  omegaRatio,
  sharpeRatio,
  sortinoRatio,
} from '../../../lib/stats/returns.ts'
import { estimateSharpe } from '../../../lib/stats/sharpeError.ts'

describe('return statistics', () => {
  const returns = Float64Array.of(Number.NaN, 1, 10, -4, 2, 3, 2, 1, -10).map((percent) => percent / 100)

  test('agree with the public reference for 252 periods', () => {
    expect(sharpeRatio(returns, 252)).toBeCloseTo(1.7238613961706866, 12)
    expect(sortinoRatio(returns, 252)).toBeCloseTo(2.605531251673693, 12)
    expect(annualReturn(returns, 252)).toBeCloseTo(1.9135925373194231, 12)
    expect(annualVolatility(returns, 252)).toBeCloseTo(0.9136465399704637, 12)
    expect(calmarRatio(returns, 252)).toBeCloseTo(19.135925373194233, 11)
    expect(maxDrawdown(returns).depth).toBeCloseTo(-0.1, 14)
  })

  test('a drawdown begins at the start if the first period loses, and says when it was over', () => {
    const down = Float64Array.of(-0.5, 0.5, 1, -0.1, 0.05)
    expect(maxDrawdown(down)).toEqual({ depth: -0.5, peak: 0, trough: 1, recovery: 3, longestPeriods: 2 })
    expect(maxDrawdown(Float64Array.of(0.1, -0.1)).recovery).toBe(-1)
    expect(drawdowns(down)[1]).toBe(-0.25)
  })

  test('omega, hit rate and the mean of the worst', () => {
    const simple = Float64Array.of(0.02, -0.01, 0, 0.02, -0.03)
    expect(omegaRatio(simple)).toBeCloseTo(1, 12)
    expect(hitRate(simple)).toBe(0.5)
    expect(conditionalValueAtRisk(simple, 0.4)).toBeCloseTo(-0.02, 12)
    expect(conditionalValueAtRisk(simple, 0.01)).toBe(-0.03)
  })

  test('nothing risked is nothing measured: NaN, never an infinite ratio', () => {
    const flat = new Float64Array(10)
    for (const value of [sharpeRatio(flat), sortinoRatio(flat), calmarRatio(flat), omegaRatio(flat), hitRate(flat)]) {
      expect(value).toBeNaN()
    }
  })
})

test('equal returns have no spread, so no ratio, also where their mean is a rounding away from them', () => {
  for (let size = 2; size < 60; size++) expect(sharpeRatio(new Float64Array(size).fill(0.1))).toBeNaN()
})

describe('moments', () => {
  test('the numeric trap: mean, deviation and autocorrelation of 10000000.2, then .1 and .3 in turn', () => {
    const trap = Float64Array.from({ length: 1001 }, (_, i) => (i === 0 ? 10000000.2 : i % 2 ? 10000000.1 : 10000000.3))
    expect(mean(trap)).toBeCloseTo(10000000.2, 8)
    expect(standardDeviation(trap)).toBeCloseTo(0.1, 8)
    expect(autocorrelation(trap, 1)).toBeCloseTo(-0.999, 8)
  })

  test('skew and kurtosis of a known sample', () => {
    const sample = [2, 8, 0, 4, 1, 9, 9, 0]
    expect(skewness(sample)).toBeCloseTo(0.2650554122698573, 14)
    expect(kurtosis(sample)).toBeCloseTo(1.3339989247161492, 12)
  })

  test('sums lose nothing to order', () => {
    expect(sum([1, 1e100, 1, -1e100])).toBe(2)
    expect(sum([1, Infinity])).toBe(Infinity)
  })
})

describe('the normal distribution', () => {
  test('known values and symmetry', () => {
    expect(normalCdf(0)).toBeCloseTo(0.5, 15)
    expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 14)
    expect(normalCdf(-8)).toBeCloseTo(6.220960574271785e-16, 20)
    fc.assert(
      fc.property(fc.double({ min: -10, max: 10, noNaN: true }), (x) => {
        expect(normalCdf(x) + normalCdf(-x)).toBeCloseTo(1, 14)
      }),
    )
  })
})

describe('deflated Sharpe', () => {
  const sample = { sharpe: 2.5 / Math.sqrt(250), periods: 1250, skew: -3, kurtosis: 10 }

  test('agrees with the published example', () => {
    const of = (count: number) => deflatedSharpe(sample, { count, variance: 0.5 / 250 })
    expect(of(100).sharpe0).toBeCloseTo(0.113172, 6)
    expect(of(100).probability).toBeCloseTo(0.900397, 6)
    expect(of(46).probability).toBeCloseTo(0.950502, 6)
  })

  test('one trial expects nothing from luck', () => {
    expect(expectedMaxSharpe(1, 1)).toBe(0)
  })
})

describe('the error of a Sharpe ratio', () => {
  const noise = (seed: number, length: number, carry: number) => {
    const rng = createRng(seed)
    let last = 0
    return Float64Array.from({ length }, () => (last = carry * last + rng.normal())).map((x) => 0.05 + x)
  }

  test('is that of independent returns where they are independent', () => {
    const estimate = estimateSharpe(noise(1, 20_000, 0), 365)
    expect(estimate.error / estimate.errorIid).toBeCloseTo(1, 1)
    expect(estimate.annualAdjusted / estimate.annual).toBeCloseTo(1, 1)
  })

  test('is larger, and the annual ratio smaller, where gains follow gains', () => {
    const estimate = estimateSharpe(noise(2, 20_000, 0.4), 365)
    expect(estimate.error).toBeGreaterThan(1.3 * estimate.errorIid)
    expect(estimate.annualAdjusted).toBeLessThan(0.8 * estimate.annual)
  })

  test('covers the truth about as often as it says', () => {
    let covered = 0
    for (let seed = 0; seed < 200; seed++) {
      const { sharpe, error } = estimateSharpe(noise(seed + 10, 500, 0.3), 365)
      const truth = 0.05 * Math.sqrt(1 - 0.3 * 0.3)
      if (Math.abs(sharpe - truth) < 1.96 * error) covered++
    }
    expect(covered).toBeGreaterThan(175)
    expect(covered).toBeLessThan(199)
  })
})

describe('bootstrap', () => {
  test('blocks have the asked mean length and wrap around', () => {
    const picks = new Int32Array(100_000)
    stationaryResample(50, 10, createRng(1), picks)
    let blocks = 1
    for (let i = 1; i < picks.length; i++) if (picks[i] !== (picks[i - 1]! + 1) % 50) blocks++
    expect(picks.length / blocks).toBeGreaterThan(9.5)
    expect(picks.length / blocks).toBeLessThan(10.8) // a new block may by chance go on where the old one ended
    expect(new Set(picks).size).toBe(50)
  })

  test('the same seed gives the same interval, and it holds the estimate', () => {
    const rng = createRng(4)
    const returns = Float64Array.from({ length: 400 }, () => 0.001 + 0.02 * rng.normal())
    const of = () => bootstrapIntervals(returns, { sharpe: (s) => sharpeRatio(s) }, { rng: createRng(9), draws: 500 })
    expect(of()).toEqual(of())
    const { low, high } = of().sharpe
    expect(low).toBeLessThan(sharpeRatio(returns))
    expect(high).toBeGreaterThan(sharpeRatio(returns))
  })

  test('a statistic without a value has no interval', () => {
    const flat = new Float64Array(30)
    const { sharpe } = bootstrapIntervals(flat, { sharpe: (s) => sharpeRatio(s) }, { rng: createRng(1), draws: 10 })
    expect([sharpe.low, sharpe.high]).toEqual([Number.NaN, Number.NaN])
  })
})

describe('the probability of overfitting', () => {
  const noise = (seed: number, drift: (k: number) => number) =>
    Array.from({ length: 12 }, (_, k) => {
      const rng = createRng(seed, k)
      return Float64Array.from({ length: 320 }, () => drift(k) + rng.normal())
    })

  test('is about one half where all configurations are noise', () => {
    let total = 0
    for (let seed = 0; seed < 20; seed++) total += probabilityOfOverfitting(noise(seed, () => 0)).probability
    expect(total / 20).toBeGreaterThan(0.35)
    expect(total / 20).toBeLessThan(0.7)
  })

  test('is none where one configuration is truly better', () => {
    const result = probabilityOfOverfitting(noise(1, (k) => (k === 5 ? 1 : 0)))
    expect(result.probability).toBe(0)
    expect(new Set(result.chosen)).toEqual(new Set([5]))
    expect(result.logits.length).toBe(12_870) // 16 over 8
  })

  test('is certain where each configuration only suits its own half', () => {
    const halves = [0, 1].map((k) =>
      Float64Array.from({ length: 64 }, (_, i) => (i < 32 === (k === 0) ? 1 : -1) + (i % 2) * 0.1),
    )
    expect(probabilityOfOverfitting(halves, 2).probability).toBe(1)
  })

  test('a configuration that never trades ranks as zero', () => {
    const idle = new Float64Array(320)
    const winner = noise(1, () => 1)[0]!
    expect(probabilityOfOverfitting([idle, winner]).probability).toBe(0)
  })
})
