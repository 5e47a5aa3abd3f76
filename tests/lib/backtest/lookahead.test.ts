import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { backtestConfig } from '../../../lib/backtest/config.ts'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import { firstDifference, withOtherFuture } from '../../../lib/backtest/lookahead.ts'
import type { MarketInput } from '../../../lib/backtest/market.ts'
import type { Strategy } from '../../../lib/backtest/strategy.ts'
import { defineStrategy } from '../../../lib/backtest/strategy.ts'
import { createRng } from '../../../lib/rng.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
import { crossSectionalMomentum } from '../../../lib/strategies/crossSectionalMomentum.ts'
import { fundingCarry } from '../../../lib/strategies/fundingCarry.ts'
import { meanReversion } from '../../../lib/strategies/meanReversion.ts'
import { randomControl } from '../../../lib/strategies/randomControl.ts'
import { hourMs, randomMarket, startMs } from './markets.ts'

const bars = 400

function withColumns(market: MarketInput, seed: number): MarketInput {
  const rng = createRng(seed, 'columns')
  return {
    ...market,
    symbols: market.symbols.map((symbol) => ({
      ...symbol,
      columns: {
        knownAtMs: symbol.bars.openTsMs.map((tsMs) => tsMs + hourMs),
        maxAgeMs: hourMs - 1,
        values: { funding_8h_eq: symbol.bars.openTsMs.map(() => 0.001 * rng.normal()) },
      },
    })),
  }
}

// biome-ignore lint/suspicious/noExplicitAny: strategies of several parameter types in one list
const examples: [Strategy<any, any>, Record<string, unknown>][] = [
  [btcBuyAndHold, { symbol: 'S00USDT' }],
  [crossSectionalMomentum, { lookback: '24h', perSide: 2 }],
  [fundingCarry, { perSide: 2 }],
  [meanReversion, { lookback: '12h', entryZ: 1.5 }],
  [randomControl, { perSide: 2 }],
]

// biome-ignore lint/suspicious/noExplicitAny: as above
const run = (market: MarketInput, strategy: Strategy<any, any>, params: Record<string, unknown>) =>
  runBacktest({
    market,
    strategy,
    params: strategy.params.parse(params),
    config: backtestConfig.parse({ risk: { grossMax: 2 }, slippage: { model: 'sqrtImpact' } }),
    fromMs: startMs,
    toMs: startMs + bars * hourMs,
  })

describe('time travel cannot happen', () => {
  for (const [strategy, params] of examples) {
    test(`${strategy.name}: another future changes nothing up to now, and it trades`, () => {
      let fills = 0
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 30, max: bars }), (seed, hours) => {
          const market = withColumns(randomMarket(seed, 5, bars), seed)
          const nowMs = startMs + hours * hourMs
          const changed = withOtherFuture(market, nowMs, createRng(seed, 'future'))
          const result = run(market, strategy, params)
          fills += result.fills.rows
          expect(firstDifference(result, run(changed, strategy, params), nowMs)).toBeUndefined()
        }),
        { numRuns: 15 },
      )
      expect(fills).toBeGreaterThan(0)
    })
  }

  test('a cheat that got hold of the data behind the context is caught', () => {
    const market = randomMarket(1, 4, bars)
    const nowMs = startMs + 200 * hourMs
    const cheatOn = (input: MarketInput) =>
      defineStrategy({
        name: 'cheat',
        params: z.object({}),
        decisionEvery: '1h',
        onBar(ctx) {
          const { openTsMs, closePx } = input.symbols[0]!.bars
          const next = openTsMs.indexOf(ctx.nowMs)
          ctx.setWeight('S00USDT', (closePx[next] ?? 0) > (closePx[next - 1] ?? 0) ? 1 : -1)
        },
      })
    const changed = withOtherFuture(market, nowMs, createRng(2))
    const honest = run(market, cheatOn(market), {})
    expect(firstDifference(honest, run(changed, cheatOn(changed), {}), nowMs)?.what).toMatch(/fills row|equity/)
  })

  test('the context holds no road to the market: nothing enumerable, no array that is not a copy', () => {
    const market = randomMarket(1, 2, 50)
    const found: unknown[] = []
    const strategy = defineStrategy({
      name: 'probe',
      params: z.object({}),
      decisionEvery: '1h',
      onBar(ctx) {
        found.push(...Object.values(ctx))
        const closes = ctx.closes('S00USDT', 5)
        closes.fill(0)
        for (const symbol of ctx.symbols) expect(ctx.close(symbol)).toBeGreaterThan(0)
      },
    })
    run(market, strategy, {})
    expect(found.filter((value) => value !== undefined && JSON.stringify(value) !== '{}')).toEqual([])
  })
})
