import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import type { BacktestConfig } from '../../../lib/backtest/config.ts'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import type { Ledger } from '../../../lib/backtest/ledger.ts'
import { freeOfMargins } from '../../../lib/backtest/margin.ts'
import type { MarketInput, SymbolInput } from '../../../lib/backtest/market.ts'
import { fillFlags, orderKinds, outcomes, reasons } from '../../../lib/backtest/orders.ts'
import type { StrategyContext } from '../../../lib/backtest/strategy.ts'
import { defineStrategy } from '../../../lib/backtest/strategy.ts'
import { createRng } from '../../../lib/rng.ts'
import type { BarRow } from './markets.ts'
import { barsOf, cash, flatBar, freeConfig, hourMs, marketOf, qty, startMs } from './markets.ts'

type Ctx = StrategyContext<unknown, undefined>

const brackets = [{ from: '2019-01-01', levels: [{ maintenanceBps: 500 }] }]
/** 10,000 USDT, no costs, five times: a coin at 100 has a margin of 20, and is liquidated 5 % above what is left of it. */
const isolated = (changes: object = {}) => freeConfig({ brackets, marginMode: 'isolated', leverageMax: 5, ...changes })

/** Decides each hour; `at` is the number of bars that have closed. The ledger is audited after every event. */
function run(market: MarketInput, act: (ctx: Ctx, at: number) => void, config: BacktestConfig, hours = 8) {
  const onBar = (ctx: Ctx) => act(ctx, (ctx.nowMs - startMs) / hourMs)
  const strategy = defineStrategy<unknown, undefined>({
    name: 'inTest',
    params: z.unknown(),
    decisionEvery: '1h',
    onBar,
  })
  let freeLeast = Infinity
  const observe = (_: unknown, ledger: Ledger) => {
    ledger.audit()
    freeLeast = Math.min(freeLeast, freeOfMargins(ledger, config.leverageMax, -1, Number.NaN))
  }
  const toMs = startMs + hours * hourMs
  const result = runBacktest({ market, strategy, params: {}, config, fromMs: startMs, toMs, observe })
  const { fills } = result
  const story = Array.from({ length: fills.rows }, (_, i) => ({
    orderId: fills.orderId[i]!,
    hour: (fills.tsMs[i]! - startMs) / hourMs,
    kind: orderKinds[fills.kind[i]!],
    outcome: outcomes[fills.outcome[i]!],
    reason: reasons[fills.reason[i]!],
    qty: fills.qty[i]! / 100,
    fillPx: fills.fillPx[i]! / 1e6,
    flags: fills.flags[i]!,
  }))
  return { ...result, story, freeLeast, endEquity: result.equity.equity.at(-1)! / 1e8 }
}

const steady = (count: number, price = 100) => Array.from({ length: count }, () => flatBar(price))

/** One settlement, at the end of the third hour. */
const settledAt3 = (rate: number): Partial<SymbolInput> => ({
  funding: {
    tsMs: Float64Array.of(startMs + 3 * hourMs),
    rateE18: BigInt64Array.of(BigInt(Math.round(rate * 1e8)) * 10_000_000_000n),
    markPx: Float64Array.of(Number.NaN),
  },
})

describe('funding of an isolated position', () => {
  const low = (price: number): BarRow => [100, 100, price, 100]
  const held = (price: number, rate: number) =>
    run(
      marketOf({ AUSDT: { bars: barsOf([...steady(4), low(price), ...steady(4)]), ...settledAt3(rate) } }),
      (ctx, at) => at === 1 && ctx.setWeight('AUSDT', 2),
      isolated(),
    )

  test('paid, comes from its margin: liquidation is nearer', () => {
    // 20 + p - 100 = 5 % of p  =>  p = 84.21; with 18 of margin left, 86.32.
    expect(held(85, 0).counts.liquidations).toBe(0)
    const { story, endEquity } = held(85, 0.02)
    expect(story.at(-1)).toMatchObject({ hour: 5, kind: 'liquidation' })
    expect(story.at(-1)!.fillPx).toBeCloseTo(86.3158, 3)
    expect(endEquity).toBeCloseTo(10_000 - 200 * (2 + 100 - 86.3158), 0)
  })

  test('received, is added to its margin: liquidation is farther', () => {
    expect(held(83, 0).counts.liquidations).toBe(1)
    expect(held(83, -0.02).counts.liquidations).toBe(0)
  })

  test('of more than there is of margin costs the margin', () => {
    const { endEquity, perSymbol } = held(100, 0.3)
    expect(perSymbol[0]!.funding).toBe(-cash(6_000))
    expect(endEquity).toBe(10_000 - 4_000)
  })

  /** A gains on paper, so that the cap on the account's leverage leaves room and the margins alone decide. */
  const boughtOfB = (rate: number, weight: number, sold: number) => {
    const rising = [flatBar(100), flatBar(100), ...steady(7, 110)]
    const market = marketOf({
      AUSDT: { bars: barsOf(rising), ...settledAt3(rate) },
      BUSDT: { bars: barsOf(steady(9)) },
    })
    const act = (ctx: Ctx, at: number) => {
      if (at === 1) ctx.setWeight('AUSDT', weight)
      if (at === 3 && sold > 0) ctx.order({ symbol: 'AUSDT', qty: -sold })
      if (at === 4) ctx.order({ symbol: 'BUSDT', qty: 700 })
    }
    return run(market, act, isolated()).perSymbol[1]!.positionQty
  }

  test('leaves the rest of the wallet as it was', () => {
    // 400 coins have 8,000 behind them; 2,000 are free for 100 coins of the other, whatever the first ones pay or get.
    expect(boughtOfB(0, 4, 0)).toBe(qty(100))
    expect(boughtOfB(0.01, 4, 0)).toBe(qty(100))
    expect(boughtOfB(-0.01, 4, 0)).toBe(qty(100))
  })

  test('goes back to the wallet with the part of the position that is closed', () => {
    // Half of 500 coins: 5,000 of margin, 2,500 gained, and half of the 2,200 that were paid or received.
    expect(boughtOfB(0, 5, 250)).toBe(qty(375))
    expect(boughtOfB(0.04, 5, 250)).toBe(qty(320))
    expect(boughtOfB(-0.04, 5, 250)).toBe(qty(430))
  })
})

describe('an order that closes beyond the margin', () => {
  const gap = (price: number) => marketOf({ AUSDT: { bars: barsOf([...steady(3), ...steady(5, price)]) } })
  const buyThen = (close: (ctx: Ctx) => void) => (ctx: Ctx, at: number) => {
    if (at === 1) ctx.setWeight('AUSDT', 2)
    if (at === 3) close(ctx)
  }
  const out = buyThen((ctx) => ctx.setWeight('AUSDT', 0))

  test('is cancelled: the position is liquidated where its margin is spent', () => {
    const { story, endEquity, counts } = run(gap(70), out, isolated())
    expect(story.slice(1)).toMatchObject([
      { hour: 3, kind: 'market', outcome: 'cancelled', reason: 'liquidated', qty: 0 },
      { hour: 3, kind: 'liquidation', reason: 'liquidated', qty: -200, fillPx: 80 },
    ])
    expect(story[2]!.flags).toBe(fillFlags.gapped | fillFlags.forced)
    expect(endEquity).toBe(10_000 - 4_000)
    expect(counts.liquidations).toBe(1)
  })

  test('where the account is one, fills where the market opened', () => {
    const { endEquity, story } = run(gap(70), out, isolated({ marginMode: 'cross' }))
    expect(endEquity).toBe(10_000 - 6_000)
    expect(story).toHaveLength(2)
  })

  test('takes the rest along, whether it closes a part or turns to the other side', () => {
    for (const sold of [-50, -300]) {
      const sell = buyThen((ctx) => ctx.order({ symbol: 'AUSDT', qty: sold }))
      const { perSymbol, endEquity } = run(gap(70), sell, isolated())
      expect([perSymbol[0]!.positionQty, endEquity]).toEqual([0, 6_000])
    }
  })

  test('fills where the margin still pays for it and its fee, and is beyond where it does not', () => {
    const fees = [{ from: '2024-01-01', tiers: { regular: { makerBps: 0, takerBps: 0 } } }]
    const late = { from: '2024-01-02', tiers: { regular: { makerBps: 0, takerBps: 5 } } }
    const market = (price: number) => marketOf({ AUSDT: { bars: barsOf([...steady(26), ...steady(4, price)]) } })
    const end = (price: number) => {
      const act = (ctx: Ctx, at: number) => {
        if (at === 1) ctx.setWeight('AUSDT', 2)
        if (at === 26) ctx.setWeight('AUSDT', 0)
      }
      return run(market(price), act, isolated({ fees: [...fees, late] }), 28)
    }
    // 80.04 leaves 0.04 a coin, and five basis points of it are 0.04002.
    expect(end(80.05).story.at(-1)).toMatchObject({ kind: 'market', outcome: 'filled', fillPx: 80.05 })
    expect(end(80.04).story.at(-1)).toMatchObject({ kind: 'liquidation', fillPx: 80 })
    expect(end(80.04).endEquity).toBe(6_000)
  })

  test('ends no order twice: what filled before it at that open stays filled', () => {
    const { story, endEquity } = run(
      gap(70),
      buyThen((ctx) => {
        ctx.order({ symbol: 'AUSDT', qty: 1 })
        ctx.order({ symbol: 'AUSDT', qty: -201 })
        ctx.order({ symbol: 'AUSDT', qty: -5 })
      }),
      isolated(),
    )
    expect(story.slice(1).map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
      'market filled',
      'market cancelled',
      'market cancelled',
      'liquidation filled',
    ])
    // The coin bought at 70 brought a margin of 14.
    expect(endEquity).toBeCloseTo(10_000 - 4_014, 2)
  })

  test('is one that a bar touched too, though the mark held; what it touched besides is cancelled with it', () => {
    const rows = [...steady(4), [100, 100, 75, 100] as BarRow, ...steady(3)]
    const market = marketOf({
      AUSDT: {
        bars: barsOf(
          rows,
          rows.map(() => [100, 100, 99, 100] as const),
        ),
      },
    })
    const { story, endEquity } = run(
      market,
      buyThen((ctx) => {
        ctx.order({ symbol: 'AUSDT', qty: -100, kind: 'stop', price: 79 })
        ctx.order({ symbol: 'AUSDT', qty: -100, kind: 'stop', price: 78, reduceOnly: true })
      }),
      isolated(),
    )
    expect(story.slice(1)).toMatchObject([
      { hour: 5, kind: 'stop', outcome: 'cancelled', reason: 'liquidated' },
      { hour: 5, kind: 'stop', outcome: 'cancelled', reason: 'liquidated' },
      { hour: 5, kind: 'liquidation', qty: -200, fillPx: 80 },
    ])
    expect(endEquity).toBe(6_000)
  })

  test('is not the only way: a delisting costs no more than the margin either', () => {
    const frozen: BarRow = [100, 100, 100, 100, { trades: 0, volume: 0 }]
    const marks = [100, 85, 100, 100, 100].map((price) => [100, 100, price, price] as const)
    const market = marketOf({
      AUSDT: {
        bars: barsOf([flatBar(100), flatBar(100), frozen, frozen, frozen], marks),
        delistTsMs: startMs + 4 * hourMs,
        ...settledAt3(0.1),
      },
      BUSDT: { bars: barsOf(steady(9)) },
    })
    // It leaves at 85, the last mark that had trades, with 10 a coin left of its margin after the settlement.
    const { story, endEquity } = run(market, (ctx, at) => at === 1 && ctx.setWeight('AUSDT', 2), isolated())
    expect(story.at(-1)).toMatchObject({ hour: 4, kind: 'delisting', reason: 'delisted', fillPx: 90 })
    expect(endEquity).toBe(6_000)
  })
})

/** Opens far from the close before them, marks that leave the trades, missing bars, settlements of per cents, early ends. */
function wildMarket(seed: number, symbolCount: number, hours: number): MarketInput {
  const symbols: Parameters<typeof marketOf>[0] = {}
  for (let s = 0; s < symbolCount; s++) {
    const rng = createRng(seed, 'wild', s)
    const rows: BarRow[] = []
    const marks: [number, number, number, number][] = []
    let price = 20 + 100 * rng.uniform()
    const end = rng.below(3) === 0 ? hours >> 1 : hours
    for (let i = 0; i < end; i++) {
      const open = Math.max(1, price * (rng.below(10) === 0 ? 0.6 + 0.8 * rng.uniform() : 1))
      const close = Math.max(1, open * (1 + 0.03 * rng.normal()))
      const high = Math.max(open, close) * (1 + 0.02 * rng.uniform())
      const low = Math.min(open, close) * (1 - 0.02 * rng.uniform())
      const markAt = 1 + 0.01 * rng.normal()
      price = close
      if (rng.below(20) === 0) continue
      rows.push([open, high, low, close, { tsMs: startMs + i * hourMs, volume: 1 + 200 * rng.uniform() }])
      marks.push([open * markAt, high * markAt, low * markAt, close * markAt])
    }
    const count = Math.floor(hours / 4)
    const funding = {
      tsMs: Float64Array.from({ length: count }, (_, i) => startMs + (i + 1) * 4 * hourMs),
      rateE18: BigInt64Array.from({ length: count }, () => BigInt(Math.round(1e6 * rng.normal())) * 10_000_000_000n),
      markPx: new Float64Array(count).fill(Number.NaN),
    }
    symbols[`S${s}USDT`] = { bars: barsOf(rows, rng.below(2) === 0 ? marks : undefined), funding }
  }
  return marketOf(symbols)
}

describe('an account of isolated positions', () => {
  const trial = (seed: number, leverageMax: number, makerBps: number) => {
    const rng = createRng(seed, 'orders')
    const act = (ctx: Ctx) => {
      const symbol = ctx.symbols[rng.below(3)]
      if (symbol === undefined) return
      const side = rng.below(2) === 0 ? 1 : -1
      const price = ctx.close(symbol)
      const way = rng.below(6)
      const amount = (side * 100 * leverageMax * rng.uniform()) / price
      if (way < 3) ctx.setWeight(symbol, side * leverageMax * rng.uniform())
      else if (way === 3) ctx.order({ symbol, qty: amount, kind: 'limit', price: price * (1 - side * 0.02) })
      else if (way === 4) ctx.order({ symbol, qty: amount, kind: 'stop', price: price * (1 + side * 0.02) })
      else ctx.setWeight(symbol, 0)
    }
    const config = freeConfig({
      marginMode: 'isolated',
      capitalUsdt: 1000,
      leverageMax,
      liquidationFeeBps: 50,
      volumeShareMax: 0.5,
      fees: [{ from: '2019-01-01', tiers: { regular: { makerBps, takerBps: 5 } } }],
      slippage: { model: 'fixedBps', bps: 3 },
    })
    return run(wildMarket(seed, 4, 100), act, config, 100)
  }

  test('never owes: what backs no position is never below zero, whatever prices and settlements do', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 2, max: 20 }),
        fc.constantFrom(2, -2, -800),
        (seed, leverage, makerBps) => {
          const { freeLeast, endEquity, outcome, story } = trial(seed, leverage, makerBps)
          // A closed part's share of entry and margin is rounded to a unit of cash, 10^-8 USDT.
          expect(freeLeast).toBeGreaterThan(-10)
          expect(endEquity).toBeGreaterThanOrEqual(0)
          expect(outcome).toBe('completed')
          const ended = story.filter((row) => row.outcome !== 'partial').map((row) => row.orderId)
          expect(new Set(ended).size).toBe(ended.length)
        },
      ),
      { seed: 1, numRuns: 150 },
    )
  })
})
