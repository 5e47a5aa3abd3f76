import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { backtestConfig } from '../../../lib/backtest/config.ts'
import { dailyReturns } from '../../../lib/backtest/dailyReturns.ts'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import { computeMetrics } from '../../../lib/backtest/metrics.ts'
import { fillFlags } from '../../../lib/backtest/orders.ts'
import { defineStrategy } from '../../../lib/backtest/strategy.ts'
import { createRng } from '../../../lib/rng.ts'
import { growth } from '../../../lib/stats/returns.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
import { randomControl } from '../../../lib/strategies/randomControl.ts'
import { DAY_MS } from '../../../lib/time.ts'
import { barsOf, flatBar, freeConfig, hourMs, marketOf, randomMarket, startMs } from './markets.ts'

const control = (days: number) => {
  const market = randomMarket(2, 6, days * 24)
  const result = runBacktest({
    market,
    strategy: randomControl,
    params: { perSide: 2, gross: 1 },
    config: backtestConfig.parse({}),
    fromMs: startMs,
    toMs: startMs + days * DAY_MS,
  })
  return { market, result }
}

describe('dailyReturns', () => {
  test('closes at midnight UTC; a midnight without a value repeats the last; parts of days are left out', () => {
    const tsMs = Float64Array.from([-6, 0, 12, 24, 72, 80], (h) => startMs + h * hourMs)
    const { returns, closeTsMs } = dailyReturns(tsMs, Float64Array.of(50, 100, 999, 110, 121, 5))
    expect(Array.from(returns, (r) => Math.round(r * 1e6) / 1e6)).toEqual([0.1, 0, 0.1])
    expect(closeTsMs[0]).toBe(startMs + DAY_MS)
  })
})

describe('a run that was ruined in the middle of a day', () => {
  const hours = 24 * 100
  const bars = [...Array.from({ length: hours + 10 }, (_, i) => flatBar(100 + (i % 48) / 100)), flatBar(5), flatBar(5)]
  const result = runBacktest({
    market: marketOf({ AUSDT: { bars: barsOf(bars) } }),
    strategy: defineStrategy({
      name: 'all-in',
      params: z.unknown(),
      decisionEvery: '1h',
      onBar: (ctx) => ctx.nowMs === startMs + hourMs && ctx.order({ symbol: 'AUSDT', qty: 150 }),
    }),
    params: {},
    config: freeConfig(),
    fromMs: startMs,
    toMs: startMs + 24 * 101 * hourMs,
  })

  test('has the ruin in its days, its drawdown and its ratios', () => {
    const metrics = computeMetrics(result)
    expect(metrics.outcome).toBe('ruined')
    expect(metrics.totalReturn).toBeLessThan(-1)
    expect(metrics.maxDrawdown).toBeLessThan(-1)
    expect(metrics.worstDay).toBeLessThan(-1)
    expect(metrics.sharpe.sharpe).toBeLessThan(0)
    expect(growth(metrics.daily.returns) - 1).toBeCloseTo(metrics.totalReturn, 10)
    expect(metrics.daily.closeTsMs.at(-1)).toBe(startMs + 101 * DAY_MS)
  })

  test('and nothing a year: nobody goes on from nothing', () => {
    const { annualReturn, calmar, sharpe, isAnnualised } = computeMetrics(result)
    expect([annualReturn, calmar, sharpe.annual, isAnnualised]).toEqual([NaN, NaN, NaN, false])
  })
})

describe('computeMetrics', () => {
  test('months, symbols and parts all sum to what the account gained', () => {
    const { result } = control(120)
    const metrics = computeMetrics(result)
    const gained = metrics.endEquityUsdt - metrics.capitalUsdt
    const { pricePnl, slippage, fees, funding, liquidationFees, pnl } = metrics.parts
    expect(pricePnl + slippage + fees + funding + liquidationFees).toBeCloseTo(gained, 6)
    expect(pnl).toBeCloseTo(gained, 6)
    expect(metrics.bySymbol.reduce((sum, s) => sum + s.pnl, 0)).toBeCloseTo(gained, 6)
    expect(metrics.byMonth.reduce((sum, m) => sum + m.pnl, 0)).toBeCloseTo(gained, 6)
    expect(metrics.byMonth.map((m) => [m.month, m.days])).toEqual([
      ['2024-01', 31],
      ['2024-02', 29],
      ['2024-03', 31],
      ['2024-04', 29],
    ])
    expect(metrics.byMonth.reduce((product, m) => product * (1 + m.totalReturn), 1) - 1).toBeCloseTo(
      metrics.totalReturn,
      10,
    )
  })

  test('nothing is annualised under 90 days', () => {
    const short = computeMetrics(control(89).result)
    expect(short.isAnnualised).toBe(false)
    for (const value of [short.annualReturn, short.volatility, short.sharpe.annual, short.calmar, short.turnover]) {
      expect(value).toBeNaN()
    }
    expect(short.sharpe.sharpe).not.toBeNaN()
    expect(computeMetrics(control(90).result).annualReturn).not.toBeNaN()
  })

  test('a symbol against itself has beta one, and costs for alpha', () => {
    const market = randomMarket(4, 1, 120 * 24)
    const { bars } = market.symbols[0]!
    const result = runBacktest({
      market,
      strategy: btcBuyAndHold,
      params: { symbol: 'S00USDT', weight: 1 },
      config: backtestConfig.parse({ volumeShareMax: 1 }),
      fromMs: startMs,
      toMs: startMs + 120 * DAY_MS,
    })
    const benchmark = { tsMs: bars.openTsMs.map((tsMs) => tsMs + hourMs), values: bars.closePx }
    const { benchmark: compared, byRegime, exposure } = computeMetrics(result, { benchmark })
    expect(compared!.correlation).toBeGreaterThan(0.97)
    expect(compared!.beta).toBeGreaterThan(0.85)
    expect(compared!.dailySharpe * Math.sqrt(365)).toBeCloseTo(compared!.sharpe, 9)
    expect(exposure.timeInMarket).toBeGreaterThan(0.95)
    expect(byRegime.reduce((days, slice) => days + slice.days, 0)).toBe(120)
    expect(byRegime.find((slice) => slice.regime === 'unknown')!.days).toBe(31)
  })

  test('orders that were refused are counted, by what most of them were refused for', () => {
    const refusedWith = (config: object) =>
      computeMetrics(
        runBacktest({
          market: randomMarket(4, 1, 5 * 24),
          strategy: btcBuyAndHold,
          params: { symbol: 'S00USDT', weight: 1 },
          config: backtestConfig.parse(config),
          fromMs: startMs,
          toMs: startMs + 5 * DAY_MS,
        }),
      )
    expect(refusedWith({}).refused).toEqual({ orders: 0, mostly: undefined })
    const poor = refusedWith({ capitalUsdt: 1 })
    expect([poor.fills, poor.refused.mostly]).toEqual([0, 'belowMinimum'])
    expect(poor.refused.orders).toBeGreaterThan(0)
  })

  test('intervals come from the seed, and trials deflate', () => {
    const { result } = control(100)
    const trialSharpes = Float64Array.of(0.01, 0.05, -0.02, 0.03)
    const of = () => computeMetrics(result, { rng: createRng(1), draws: 200, trialSharpes })
    expect(of()).toEqual(of())
    expect(of().intervals!.sharpe.low).toBeLessThan(of().intervals!.sharpe.high)
    expect(of().deflated).toMatchObject({ trials: 4 })
    expect(of().deflated!.sharpe0).toBeGreaterThan(0)
  })

  test('the capacity falls as fills take more of their bars', () => {
    const { result } = control(30)
    const { capacityUsdt, capitalUsdt } = computeMetrics(result)
    const shares = result.fills.volumeShare.filter((share) => share > 0).sort()
    expect(capacityUsdt).toBeLessThan(capitalUsdt) // fills press against the cap of a tenth of a bar
    expect(shares.at(-1)).toBeLessThanOrEqual(0.1)
  })

  test('the capacity is only a bound where more fills met the cap than it leaves out', () => {
    const { result } = control(30)
    const filled = [...result.fills.volumeShare.keys()].filter((i) => result.fills.volumeShare[i]! > 0)
    const cappedFrom = (share: number) => {
      const flags = new Uint16Array(result.fills.rows)
      for (const i of filled.slice(0, Math.floor(share * filled.length))) flags[i] = fillFlags.volumeCapped
      return computeMetrics({ ...result, fills: { ...result.fills, flags } }).capacityIsBound
    }
    expect([cappedFrom(0), cappedFrom(0.04), cappedFrom(0.06), cappedFrom(1)]).toEqual([false, false, true, true])
  })
})
