import { describe, expect, test } from 'vitest'

import { runBacktest } from '../../../lib/backtest/engine.ts'
import type { MarketInput } from '../../../lib/backtest/market.ts'
import type { Strategy } from '../../../lib/backtest/strategy.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
import { crossSectionalMomentum } from '../../../lib/strategies/crossSectionalMomentum.ts'
import { fundingCarry } from '../../../lib/strategies/fundingCarry.ts'
import { meanReversion } from '../../../lib/strategies/meanReversion.ts'
import { randomControl } from '../../../lib/strategies/randomControl.ts'
import { type BarRow, barsOf, flatBar, freeConfig, hourMs, marketOf, startMs } from '../backtest/markets.ts'

function run<P, S>(
  market: MarketInput,
  strategy: Strategy<P, S>,
  params: unknown,
  hours: number,
  config = freeConfig(),
) {
  const result = runBacktest({
    market,
    strategy,
    params: strategy.params.parse(params),
    config,
    fromMs: startMs,
    toMs: startMs + hours * hourMs,
  })
  const positions = Object.fromEntries(result.perSymbol.map((s) => [s.symbol, s.positionQty / 100]))
  return { ...result, positions, endEquity: result.equity.equity.at(-1)! / 1e8 }
}

/** Prices that start at 100 and change by a step each hour. */
const drifting = (step: number, hours: number) =>
  barsOf(Array.from({ length: hours }, (_, i) => flatBar(100 + step * i)))

describe('the examples', () => {
  test('buy and hold earns what the symbol earned, and orders once', () => {
    const market = marketOf({ BTCUSDT: { bars: drifting(1, 72) } })
    const { fills, endEquity } = run(market, btcBuyAndHold, {}, 72)
    // Bought at the open of hour 24 (124), with the equity at the mark before it (123); marked at the last close (171).
    expect(fills.rows).toBe(1)
    expect(endEquity).toBeCloseTo(10_000 + 81.3 * (171 - 124), 6)
  })

  test('momentum holds the risers and is short the fallers', () => {
    const market = marketOf({
      A: { bars: drifting(0.1, 100) },
      B: { bars: drifting(-0.1, 100) },
      C: { bars: drifting(0.01, 100) },
      D: { bars: drifting(-0.01, 100) },
    })
    const { positions } = run(market, crossSectionalMomentum, { lookback: '24h', perSide: 1 }, 100)
    expect(positions['A']).toBeGreaterThan(0)
    expect(positions['B']).toBeLessThan(0)
    expect([positions['C'], positions['D']]).toEqual([0, 0])
  })

  test('carry is short where funding is high, and rests where all pay the same', () => {
    const rated = (rate: number) => ({
      bars: drifting(0, 48),
      columns: {
        knownAtMs: Float64Array.from({ length: 48 }, (_, i) => startMs + (i + 1) * hourMs),
        maxAgeMs: hourMs - 1,
        values: { funding_8h_eq: new Float64Array(48).fill(rate) },
      },
    })
    const market = marketOf({ A: rated(0.0005), B: rated(0.0001), C: rated(-0.0003), D: rated(0.0001) })
    expect(run(market, fundingCarry, { perSide: 1 }, 48).positions).toEqual({ A: -50, B: 0, C: 50, D: 0 })
    const same = marketOf({ A: rated(0.0001), B: rated(0.0001) })
    expect(run(same, fundingCarry, { perSide: 1 }, 48).fills.rows).toBe(0)
  })

  test('mean reversion sells the spike and leaves when it is over', () => {
    const calm = Array.from({ length: 60 }, (_, i) => 100 + (i % 2) * 0.2)
    const prices = [...calm, 110, 110, ...calm]
    const market = marketOf({ A: { bars: barsOf(prices.map(flatBar)) } })
    const { fills, endEquity, positions } = run(market, meanReversion, { lookback: '20h' }, prices.length)
    expect(fills.qty[0]).toBeLessThan(0)
    expect(positions['A']).toBe(0)
    expect(endEquity).toBeGreaterThan(10_000)
  })

  test('mean reversion decides nothing while a bar is missing from its lookback', () => {
    const calm = Array.from({ length: 30 }, (_, i) => 100 + (i % 2) * 0.2)
    const prices = [...calm, 110, 110, ...calm, 110, ...calm]
    const rows = prices.map((price, i): BarRow => [price, price, price, price, { tsMs: startMs + i * hourMs }])
    const hoursOf = (missing: number) => {
      const market = marketOf({ A: { bars: barsOf(rows.filter((_, i) => i !== missing)) } })
      const { fills } = run(market, meanReversion, { lookback: '20h' }, prices.length)
      return Array.from(fills.tsMs, (tsMs) => (tsMs - startMs) / hourMs)
    }
    expect(hoursOf(-1)).toEqual([31, 33, 63, 64]) // in and out, twice
    // Of the first spike it knows nothing, and holds the second until the bar that is missing has left the lookback.
    expect(hoursOf(12)).toEqual([63, 64])
    expect(hoursOf(63)).toEqual([31, 33, 64, 84])
  })

  test('the control is the same for a seed and another for another', () => {
    const market = marketOf(
      Object.fromEntries(['A', 'B', 'C', 'D', 'E', 'F'].map((s) => [s, { bars: drifting(0, 96) }])),
    )
    const of = (seed: number) => run(market, randomControl, { perSide: 1 }, 96, freeConfig({ seed })).fills
    expect(of(1)).toEqual(of(1))
    expect(of(2)).not.toEqual(of(1))
  })

  test('all take their defaults and refuse a typo', () => {
    for (const strategy of [btcBuyAndHold, crossSectionalMomentum, fundingCarry, meanReversion, randomControl]) {
      expect(strategy.params.parse({})).toBeTypeOf('object')
      expect(() => strategy.params.parse({ wieght: 1 })).toThrow('wieght')
    }
  })
})
