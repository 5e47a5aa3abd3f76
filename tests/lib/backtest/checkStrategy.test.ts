import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { checkStrategy } from '../../../lib/backtest/checkStrategy.ts'
import { backtestConfig } from '../../../lib/backtest/config.ts'
import { foretellingColumns } from '../../../lib/backtest/foretelling.ts'
import type { MarketInput, SymbolInput } from '../../../lib/backtest/market.ts'
import { defineStrategy, type Strategy } from '../../../lib/backtest/strategy.ts'
import { createRng } from '../../../lib/rng.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
import { crossSectionalMomentum } from '../../../lib/strategies/crossSectionalMomentum.ts'
import { fundingCarry } from '../../../lib/strategies/fundingCarry.ts'
import { meanReversion } from '../../../lib/strategies/meanReversion.ts'
import { randomControl } from '../../../lib/strategies/randomControl.ts'
import { hourMs, randomMarket, startMs } from './markets.ts'

const bars = 500

/** A column of noise, and one that a kernel filled with the return of the bar to come. */
function withColumns(market: MarketInput, leaking = false): MarketInput {
  const rng = createRng(5, 'columns')
  return {
    ...market,
    symbols: market.symbols.map((symbol): SymbolInput => {
      const { openTsMs, closePx } = symbol.bars
      const noise = openTsMs.map(() => 0.001 * rng.normal())
      const next = closePx.map((px, row) => (closePx[row + 1] ?? px) / px - 1)
      return {
        ...symbol,
        columns: {
          knownAtMs: openTsMs.map((tsMs) => tsMs + hourMs),
          maxAgeMs: hourMs,
          values: { funding_8h_eq: noise, signal: leaking ? next : noise },
        },
      }
    }),
  }
}

const market = withColumns(randomMarket(3, 4, bars))

function check<P, S>(strategy: Strategy<P, S>, given: unknown = {}, on = market, allowsCalendar = false) {
  return checkStrategy(
    {
      market: on,
      strategy,
      params: strategy.params.parse(given),
      config: backtestConfig.parse({}),
      fromMs: startMs + 100 * hourMs,
      toMs: startMs + bars * hourMs,
    },
    { cuts: 8, seed: 'a', allowsCalendar },
  )
}

const cheat = (onBar: Strategy['onBar'], columns: readonly string[] = []): Strategy =>
  defineStrategy({ name: 'cheat', params: z.object({}), decisionEvery: '1h', columns, onBar: onBar! }) as Strategy

describe('honest strategies pass', () => {
  // biome-ignore lint/suspicious/noExplicitAny: strategies of several parameter types in one list
  const examples: [Strategy<any, any>, Record<string, unknown>][] = [
    [btcBuyAndHold, { symbol: 'S00USDT' }],
    [crossSectionalMomentum, { lookback: '24h', perSide: 1 }],
    [fundingCarry, { perSide: 1 }],
    [meanReversion, { lookback: '12h', entryZ: 1.2 }],
    [randomControl, { perSide: 1 }],
  ]
  for (const [strategy, params] of examples) {
    test(strategy.name, () => {
      const { leaks, fills, cutsTsMs } = check(strategy, params)
      expect(leaks).toEqual([])
      expect(fills).toBeGreaterThan(0)
      expect(cutsTsMs.length).toBeGreaterThan(3)
    })
  }
})

describe('planted cheats are caught', () => {
  const { sort } = Array.prototype
  afterEach(() => {
    Array.prototype.sort = sort
  })

  /** Gets hold of the arrays of the running market through a builtin that the engine calls. */
  function spy(): { symbols: readonly SymbolInput[] } {
    const loot: { symbols: readonly SymbolInput[] } = { symbols: [] }
    // biome-ignore lint/suspicious/noExplicitAny: the cheat replaces a builtin
    Array.prototype.sort = function (this: any[], compare) {
      if (this[0]?.bars !== undefined) loot.symbols = this
      return sort.call(this, compare)
    }
    return loot
  }

  test('one that remembers the prices of a run before', () => {
    const seen = new Map<number, number>()
    const { leaks } = check(
      cheat((ctx) => {
        seen.set(ctx.nowMs, ctx.close('S00USDT'))
        const next = seen.get(ctx.nowMs + hourMs)
        if (next !== undefined) ctx.setWeight('S00USDT', next > ctx.close('S00USDT') ? 1 : -1)
      }),
    )
    expect(leaks).toMatchObject([{ kind: 'remembers', symbol: 'S00USDT' }])
  })

  test('one that reads the next close behind the context: the column and the symbol are named', () => {
    const loot = spy()
    const { leaks } = check(
      cheat((ctx) => {
        const { openTsMs, closePx } = loot.symbols.find(({ instrument }) => instrument.symbol === 'S02USDT')!.bars
        const next = openTsMs.indexOf(ctx.nowMs)
        ctx.setWeight('S01USDT', (closePx[next] ?? 0) > (closePx[next - 1] ?? 0) ? 1 : -1)
      }),
    )
    expect(leaks).toMatchObject([{ kind: 'looksAhead', column: 'close', symbol: 'S02USDT' }])
    expect(leaks[0]!.tsMs).toBeLessThanOrEqual(leaks[0]!.cutTsMs)
  })

  test('one that reads a later row of a feature column: it is named', () => {
    const loot = spy()
    const { leaks } = check(
      cheat(
        (ctx) => {
          const { knownAtMs, values } = loot.symbols.find(({ instrument }) => instrument.symbol === 'S03USDT')!.columns!
          const later = values['signal']![knownAtMs.indexOf(ctx.nowMs) + 1]!
          ctx.setWeight('S03USDT', later > 0 ? 1 : -1)
        },
        ['signal'],
      ),
    )
    expect(leaks).toMatchObject([{ kind: 'looksAhead', column: 'signal', symbol: 'S03USDT' }])
  })

  test('one that has the future in its own file: it decides the same whatever it is shown', () => {
    const { openTsMs, closePx } = market.symbols[0]!.bars
    const byHeart = new Map(Array.from(openTsMs, (tsMs, row) => [tsMs, closePx[row + 1]! > closePx[row]! ? 1 : -1]))
    const strategy = cheat((ctx) => ctx.setWeight('S00USDT', byHeart.get(ctx.nowMs - hourMs) ?? 0))
    expect(check(strategy).leaks).toMatchObject([{ kind: 'bringsData' }])
    expect(check(strategy, {}, market, true).leaks).toEqual([])
  })

  test('a column that was computed with its own future: it is named, though the strategy is honest', () => {
    const strategy = cheat(
      (ctx) => {
        for (const symbol of ctx.symbols) ctx.setWeight(symbol, ctx.column(symbol, 'signal') > 0 ? 0.2 : -0.2)
      },
      ['signal'],
    )
    const { leaks } = check(strategy, {}, withColumns(market, true))
    expect(leaks).toMatchObject([{ kind: 'columnForetells', column: 'signal', symbol: 'S00USDT' }])
    expect(check(strategy).leaks).toEqual([])
  })
})

test('what merely knows the past foretells nothing, however slowly it moves', () => {
  const slow = {
    ...market,
    symbols: market.symbols.map((symbol) => ({
      ...symbol,
      columns: {
        knownAtMs: symbol.bars.openTsMs.map((tsMs) => tsMs + hourMs),
        maxAgeMs: hourMs,
        values: {
          level: symbol.bars.closePx,
          change: symbol.bars.closePx.map((px, i, all) => px / (all[i - 48] ?? px)),
        },
      },
    })),
  }
  expect(foretellingColumns(slow)).toEqual([])
})
