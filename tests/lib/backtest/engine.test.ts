import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import type { BookedEvent } from '../../../lib/backtest/engine.ts'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import { eventRanks } from '../../../lib/backtest/eventOrder.ts'
import type { MarketInput } from '../../../lib/backtest/market.ts'
import { fillFlags, orderKinds, outcomes, reasons } from '../../../lib/backtest/orders.ts'
import type { StrategyContext } from '../../../lib/backtest/strategy.ts'
import { defineStrategy } from '../../../lib/backtest/strategy.ts'
import { createRng } from '../../../lib/rng.ts'
import { randomControl } from '../../../lib/strategies/randomControl.ts'
import type { BarRow } from './markets.ts'
import { barsOf, cash, coin, flatBar, freeConfig, hourMs, marketOf, px, qty, randomMarket, startMs } from './markets.ts'

type Ctx = StrategyContext<unknown, undefined>
type Hooks = { onBar?(ctx: Ctx): void; onFunding?(ctx: Ctx): void; onUniverse?(ctx: Ctx): void }

/** Runs hooks over the whole market, deciding each hour. `at` is the number of bars that have closed. */
function run(market: MarketInput, hooks: Hooks | ((ctx: Ctx, at: number) => void), config = freeConfig(), hours = 10) {
  const onBar = typeof hooks === 'function' ? (c: Ctx) => hooks(c, (c.nowMs - startMs) / hourMs) : hooks.onBar
  const strategy = defineStrategy<unknown, undefined>({
    name: 'inTest',
    params: z.unknown(),
    decisionEvery: '1h',
    ...(typeof hooks === 'function' ? {} : hooks),
    onBar,
  })
  const toMs = startMs + hours * hourMs
  const observe = (_: BookedEvent, ledger: { audit(): void }) => ledger.audit()
  const result = runBacktest({ market, strategy, params: {}, config, fromMs: startMs, toMs, observe })
  const { fills } = result
  const story = Array.from({ length: fills.rows }, (_, i) => ({
    hour: (fills.tsMs[i]! - startMs) / hourMs,
    kind: orderKinds[fills.kind[i]!],
    outcome: outcomes[fills.outcome[i]!],
    reason: reasons[fills.reason[i]!],
    flags: fills.flags[i]!,
    isMaker: fills.isMaker[i] === 1,
    qty: fills.qty[i]! / 100,
    fillPx: fills.fillPx[i]! / 1e6,
    referencePx: fills.referencePx[i]! / 1e6,
    slippage: fills.slippage[i]! / 1e8,
    fee: fills.fee[i]! / 1e8,
    orderId: fills.orderId[i]!,
  }))
  return { ...result, story, endEquity: result.equity.equity.at(-1)! / 1e8 }
}

const single = (rows: BarRow[], more: object = {}) => marketOf({ AUSDT: { bars: barsOf(rows), ...more } })
const steady = (count: number, price = 100) => Array.from({ length: count }, () => flatBar(price))

describe('when market orders fill', () => {
  test('at the open that follows the close they were decided on, not at that close', () => {
    const rows = [flatBar(100), [110, 120, 90, 115] as BarRow, ...steady(3, 115)]
    const { story } = run(single(rows), (ctx, at) => at === 1 && ctx.order({ symbol: 'AUSDT', qty: 2 }))
    expect(story).toHaveLength(1)
    expect(story[0]).toMatchObject({ hour: 1, outcome: 'filled', qty: 2, fillPx: 110, flags: 0 })
  })

  test('bars coarser than the latency use the same-instant open and say so', () => {
    const decide = (ctx: Ctx, at: number) => at === 1 && ctx.order({ symbol: 'AUSDT', qty: 1 })
    const { story } = run(single(steady(5)), decide, freeConfig({ latencyMs: 200 }))
    expect(story[0]).toMatchObject({ hour: 1, flags: fillFlags.sameInstantOpen })
  })

  test('a latency of bars waits for the first open at or after decision + latency', () => {
    const decide = (ctx: Ctx, at: number) => at === 1 && ctx.order({ symbol: 'AUSDT', qty: 1 })
    const exact = run(single(steady(6)), decide, freeConfig({ latencyMs: 2 * hourMs }))
    expect(exact.story[0]).toMatchObject({ hour: 3, flags: 0 })
    const later = run(single(steady(6)), decide, freeConfig({ latencyMs: 2 * hourMs + 1 }))
    expect(later.story[0]).toMatchObject({ hour: 4, flags: 0 })
  })

  test('never in a bar without trades, never in a missing bar', () => {
    const hole: BarRow = [90, 90, 90, 90, { trades: 0, volume: 0 }]
    const rows = [flatBar(100), hole, [101, 101, 101, 101, { tsMs: startMs + 4 * hourMs }] as BarRow]
    const { story } = run(single(rows), (ctx, at) => at === 1 && ctx.order({ symbol: 'AUSDT', qty: 1 }))
    expect(story[0]).toMatchObject({ hour: 4, fillPx: 101 })
  })

  test('the share-of-volume cap spreads an order over bars', () => {
    const rows = steady(6).map((row): BarRow => [row[0], row[1], row[2], row[3], { volume: 10 }])
    const config = freeConfig({ volumeShareMax: 0.1 })
    const { story } = run(single(rows), (ctx, at) => at === 1 && ctx.order({ symbol: 'AUSDT', qty: 2.5 }), config)
    expect(story.map(({ qty, outcome, hour }) => [hour, qty, outcome])).toEqual([
      [1, 1, 'partial'],
      [2, 1, 'partial'],
      [3, 0.5, 'filled'],
    ])
  })

  test('what never fills expires at the end of the run', () => {
    const { story } = run(single(steady(3)), (ctx, at) => {
      if (at === 1) ctx.order({ symbol: 'AUSDT', qty: 1, kind: 'limit', price: 50 })
    })
    expect(story).toMatchObject([{ outcome: 'expired', reason: 'runEnd', qty: 0 }])
  })
})

describe('limits', () => {
  const limit =
    (price: number, side = 1) =>
    (ctx: Ctx, at: number) =>
      at === 1 && ctx.order({ symbol: 'AUSDT', qty: side, kind: 'limit', price })
  const fees = { fees: [{ from: '2019-01-01', tiers: { regular: { makerBps: 2, takerBps: 5 } } }] }

  test('a trade at the price is not enough, a trade through it is, for the maker fee and no slippage', () => {
    const touch = single([flatBar(100), [100, 101, 95, 100], [100, 101, 94.99, 100], flatBar(100)])
    const { story } = run(touch, limit(95), freeConfig({ ...fees, slippage: { model: 'fixedBps', bps: 10 } }))
    expect(story).toMatchObject([{ hour: 3, fillPx: 95, isMaker: true, slippage: 0, fee: -0.019 }])
  })

  test('one that is through on arrival takes the open, never worse than its price', () => {
    const market = single([flatBar(100), [94, 96, 93, 95], flatBar(95)])
    const { story } = run(market, limit(95), freeConfig({ ...fees, slippage: { model: 'fixedBps', bps: 1000 } }))
    expect(story).toMatchObject([{ hour: 1, referencePx: 94, fillPx: 95, isMaker: false, slippage: -1 }])
  })

  test('one that rested fills at its own price when a bar opens beyond it', () => {
    const market = single([flatBar(100), flatBar(100), [90, 91, 89, 90], flatBar(90)])
    expect(run(market, limit(95)).story).toMatchObject([{ hour: 2, fillPx: 95, isMaker: true }])
  })

  test('sells mirror buys', () => {
    const market = single([flatBar(100), [100, 105, 99, 100], [100, 105.01, 99, 100], flatBar(100)])
    expect(run(market, limit(105, -1)).story).toMatchObject([{ hour: 3, fillPx: 105, qty: -1 }])
  })
})

describe('stops', () => {
  const stop =
    (price: number, side = -1) =>
    (ctx: Ctx, at: number) =>
      at === 1 && ctx.order({ symbol: 'AUSDT', qty: side, kind: 'stop', price })

  test('a touch triggers; the fill is at the stop, as a taker', () => {
    const market = single([flatBar(100), [100, 101, 95, 100], flatBar(100)])
    expect(run(market, stop(95)).story).toMatchObject([{ hour: 2, fillPx: 95, isMaker: false }])
  })

  test('a bar that opens beyond it fills at the open, which is worse', () => {
    const market = single([flatBar(100), flatBar(100), [80, 99, 80, 99], flatBar(99)])
    expect(run(market, stop(95)).story).toMatchObject([{ hour: 2, fillPx: 80, flags: fillFlags.gapped }])
    const up = single([flatBar(100), flatBar(100), [120, 121, 101, 101], flatBar(99)])
    expect(run(up, stop(110, 1)).story).toMatchObject([{ hour: 2, fillPx: 120, qty: 1 }])
  })

  test('a bar that touches stop loss and take profit: the loss happened', () => {
    const market = single([flatBar(100), flatBar(100), [100, 111, 89, 105], flatBar(105)])
    const { story } = run(market, (ctx, at) => {
      if (at === 1) ctx.order({ symbol: 'AUSDT', qty: 1 })
      if (at !== 2) return
      ctx.order({ symbol: 'AUSDT', qty: -1, kind: 'limit', price: 110, reduceOnly: true })
      ctx.order({ symbol: 'AUSDT', qty: -1, kind: 'stop', price: 90, reduceOnly: true })
    })
    expect(story.map(({ kind, outcome, fillPx, reason }) => [kind, outcome, fillPx, reason])).toEqual([
      ['market', 'filled', 100, 'none'],
      ['stop', 'filled', 90, 'none'],
      ['limit', 'cancelled', Number.NaN, 'nothingToReduce'],
    ])
    expect(story[1]!.flags & fillFlags.bothTouched).not.toBe(0)
  })
})

describe('funding', () => {
  const funding = (rateE8: number, markPx = Number.NaN) => ({
    funding: {
      tsMs: Float64Array.of(startMs + 2 * hourMs),
      rateE18: BigInt64Array.of(BigInt(rateE8) * 10_000_000_000n),
      markPx: Float64Array.of(markPx),
    },
  })

  test('is -side * quantity * mark * rate at the published settlement', () => {
    const market = single(steady(5), funding(10_000, px(200)))
    const { perSymbol, counts } = run(market, (ctx, at) => at === 1 && ctx.order({ symbol: 'AUSDT', qty: -10 }))
    expect(perSymbol[0]!.funding).toBe(cash(10 * 200 * 0.0001))
    expect(counts.fundingAtMark).toBe(0)
  })

  test('settles on the position held before: an order filled at that instant neither pays nor receives', () => {
    const market = single(steady(5), funding(10_000, px(200)))
    const { perSymbol, story } = run(market, (ctx, at) => at === 2 && ctx.order({ symbol: 'AUSDT', qty: 10 }))
    expect(story[0]!.hour).toBe(2)
    expect(perSymbol[0]!.funding).toBe(0)
  })

  test('without a published mark it settles at the mark of that instant and is counted', () => {
    const { perSymbol, counts } = run(single(steady(5), funding(10_000)), (ctx, at) => {
      if (at === 1) ctx.order({ symbol: 'AUSDT', qty: 10 })
    })
    expect(perSymbol[0]!.funding).toBe(-cash(10 * 100 * 0.0001))
    expect(counts.fundingAtMark).toBe(1)
  })

  test('onFunding hears of it and may act on it', () => {
    const heard: number[] = []
    run(single(steady(5), funding(10_000)), { onFunding: (ctx) => heard.push((ctx.nowMs - startMs) / hourMs) })
    expect(heard).toEqual([2])
  })
})

describe('costs', () => {
  test('taker fee by date, slippage against the order, rounded up to the tick', () => {
    const config = freeConfig({
      fees: [
        { from: '2023-01-01', tiers: { regular: { makerBps: 0, takerBps: 5 } } },
        { from: '2024-01-02', tiers: { regular: { makerBps: 0, takerBps: 4 } } },
      ],
      slippage: { model: 'fixedBps', bps: 1.5 },
    })
    const { story } = run(
      single(steady(40)),
      (ctx, at) => (at === 1 || at === 30) && ctx.order({ symbol: 'AUSDT', qty: 1 }),
      config,
      40,
    )
    expect(story).toMatchObject([
      { fillPx: 100.02, slippage: -0.02, fee: -0.05001 },
      { fillPx: 100.02, slippage: -0.02, fee: -0.040008 },
    ])
  })

  test('half spread and square-root impact', () => {
    const rows = [flatBar(100), flatBar(101), flatBar(100), flatBar(101), flatBar(100), flatBar(100)]
    const decide = (ctx: Ctx, at: number) => at === 4 && ctx.order({ symbol: 'AUSDT', qty: 10 })
    const half = run(single(rows), decide, freeConfig({ slippage: { model: 'halfSpread', spreadBps: 20 } }))
    expect(half.story[0]!.fillPx).toBe(100.1)
    const impact = run(single(rows), decide, freeConfig({ slippage: { model: 'sqrtImpact', coefficient: 1 } }))
    // Moves of about one per cent a bar, a hundredth of a bar's volume: 1 % * sqrt(1 / 100) = 10 bps.
    expect(impact.story[0]!.fillPx).toBeCloseTo(100.1, 1)
    expect(impact.story[0]!.referencePx).toBe(100)
  })
})

describe('targets', () => {
  test('a weight is a share of equity at mark, rounded toward zero; the next decision trades the difference', () => {
    const { story } = run(single(steady(6, 30)), (ctx, at) => {
      if (at === 1) ctx.setWeights({ AUSDT: 0.5 })
      if (at === 2) ctx.setWeights({ AUSDT: -0.25 })
      if (at === 3) ctx.setWeights({})
    })
    expect(story.map((row) => row.qty)).toEqual([166.66, -249.99, 83.33])
  })

  test('too small to open is told once; too small to rebalance is not sent', () => {
    const { story } = run(single(steady(6)), (ctx, at) => {
      if (at === 1) ctx.setWeights({ AUSDT: 0.0004 })
      if (at === 2) ctx.setWeights({ AUSDT: 0.5 })
      if (at === 3) ctx.setWeights({ AUSDT: 0.5004 })
    })
    expect(story.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['rejected', 'belowMinimum'],
      ['filled', 'none'],
    ])
  })

  test('a newer target replaces what an older one still waits for', () => {
    const rows = steady(6).map((row): BarRow => [row[0], row[1], row[2], row[3], { volume: 10 }])
    const { story } = run(single(rows), (ctx, at) => {
      if (at === 1) ctx.setWeights({ AUSDT: 0.3 })
      if (at === 2) ctx.setWeights({ AUSDT: 0.1 })
    })
    expect(story.map(({ outcome, qty, reason }) => [outcome, qty, reason])).toEqual([
      ['partial', 10, 'none'],
      ['cancelled', 0, 'replaced'],
    ])
  })
})

describe('the universe, masks and delistings', () => {
  const two = (more: object = {}) => ({
    ...marketOf({ AUSDT: { bars: barsOf(steady(9)), ...more }, BUSDT: { bars: barsOf(steady(9)) } }),
  })

  test('an outsider may be closed but not opened', () => {
    const universe = [
      { tsMs: startMs, symbols: ['AUSDT'] },
      { tsMs: startMs + 3 * hourMs, symbols: ['BUSDT'] },
    ]
    const seen: string[] = []
    const { story } = run({ ...two(), universe }, (ctx, at) => {
      seen.push(ctx.symbols.join())
      if (at === 1) ctx.setWeights({ AUSDT: 0.1, BUSDT: 0.1 })
      if (at === 3) ctx.setWeights({ AUSDT: 0.2 })
      if (at === 4) ctx.setWeights({})
    })
    expect(seen.slice(0, 4)).toEqual(['AUSDT', 'AUSDT', 'BUSDT', 'BUSDT'])
    expect(story.map(({ hour, outcome, reason, qty }) => [hour, outcome, reason, qty])).toEqual([
      [1, 'rejected', 'notInUniverse', 0],
      [1, 'filled', 'none', 10],
      [3, 'rejected', 'notInUniverse', 0],
      [4, 'filled', 'none', -10],
    ])
  })

  describe('a target for more than an outsider holds', () => {
    const universe = [
      { tsMs: startMs, symbols: ['AUSDT'] },
      { tsMs: startMs + 2 * hourMs, symbols: ['BUSDT'] },
    ]
    const hold = (weight: number) => (ctx: Ctx, at: number) => {
      if (at === 1) ctx.setWeights({ AUSDT: 0.1 })
      if (at > 2) ctx.setWeights({ AUSDT: weight })
    }
    const storyOf = (weight: number, more: object = {}) => {
      const { story, fills } = run({ ...two(more), universe }, hold(weight), freeConfig(), 4)
      return story.map(({ hour, outcome, reason, qty: filled }, i) => [
        hour,
        outcome,
        reason,
        filled,
        fills.wantedQty[i]! / 100,
      ])
    }
    const bought = [1, 'filled', 'none', 10, 10]

    test('says what was cut', () => {
      expect(storyOf(0.2)).toEqual([bought, [3, 'rejected', 'notInUniverse', 0, 10]])
    })

    test('from the minimum notional on: 5 USDT are told, a step less is drift', () => {
      expect(storyOf(0.1005)).toEqual([bought, [3, 'rejected', 'notInUniverse', 0, 0.05]])
      expect(storyOf(0.1004)).toEqual([bought])
    })

    test('a turn to the other side is closed, and the rest refused', () => {
      expect(storyOf(-0.05)).toEqual([bought, [3, 'rejected', 'notInUniverse', 0, -5], [3, 'filled', 'none', -10, -10]])
    })

    test('under quarantine for that reason, as the part that would reduce', () => {
      const mask = { quarantine: [{ fromMs: startMs + 3 * hourMs, toMs: startMs + 5 * hourMs }] }
      expect(storyOf(0.2, mask)).toEqual([bought, [3, 'rejected', 'quarantine', 0, 10]])
      expect(storyOf(-0.05, mask)).toEqual([
        bought,
        [3, 'rejected', 'quarantine', 0, -10],
        [3, 'rejected', 'quarantine', 0, -5],
      ])
    })
  })

  test('quarantine: no new orders, waiting ones wait, positions stay and funding accrues', () => {
    const mask = {
      quarantine: [{ fromMs: startMs + 2 * hourMs, toMs: startMs + 5 * hourMs }],
      funding: {
        tsMs: Float64Array.of(startMs + 3 * hourMs),
        rateE18: BigInt64Array.of(100_000_000_000_000n),
        markPx: Float64Array.of(Number.NaN),
      },
    }
    const { story, perSymbol } = run(two(mask), (ctx, at) => {
      if (at === 1) ctx.setWeights({ AUSDT: 0.1 })
      if (at === 1) ctx.order({ symbol: 'AUSDT', qty: -1, kind: 'stop', price: 100 })
      if (at === 3) ctx.setWeights({})
      if (at === 4) ctx.order({ symbol: 'AUSDT', qty: -1 })
      if (at === 5) ctx.setWeights({})
    })
    expect(story.map(({ hour, outcome, reason }) => [hour, outcome, reason])).toEqual([
      [1, 'filled', 'none'],
      [1, 'filled', 'none'],
      [3, 'rejected', 'quarantine'],
      [4, 'rejected', 'quarantine'],
      [5, 'filled', 'none'],
    ])
    expect(perSymbol[0]!.funding).toBe(-cash(9 * 100 * 0.0001))
  })

  test('a delisted position leaves at the last mark that had trades, not at the frozen price after it', () => {
    const frozen: BarRow = [1, 1, 1, 1, { trades: 0, volume: 0 }]
    const rows = [flatBar(100), flatBar(100), flatBar(80), frozen, frozen, frozen]
    const market = marketOf({
      AUSDT: { bars: barsOf(rows), delistTsMs: startMs + 5 * hourMs },
      BUSDT: { bars: barsOf(steady(9)) },
    })
    const { story, counts } = run(market, (ctx, at) => {
      if (at === 1) ctx.setWeights({ AUSDT: 0.5 })
      if (at === 6) ctx.order({ symbol: 'AUSDT', qty: 1 })
    })
    expect(story).toMatchObject([
      { outcome: 'filled', fillPx: 100 },
      { hour: 5, kind: 'delisting', reason: 'delisted', fillPx: 80, flags: fillFlags.forced },
      { hour: 6, outcome: 'rejected', reason: 'delisted' },
    ])
    expect(counts.delistedPositions).toBe(1)
  })

  test('data that ends without a delisting date is left the same way, and flagged', () => {
    const market = marketOf({ AUSDT: { bars: barsOf(steady(3, 50)) }, BUSDT: { bars: barsOf(steady(9)) } })
    const { story, counts } = run(market, (ctx, at) => at === 1 && ctx.setWeights({ AUSDT: 0.5 }))
    expect(story[1]).toMatchObject({ hour: 4, kind: 'delisting', flags: fillFlags.forced | fillFlags.dataEnded })
    expect(counts.dataEndedPositions).toBe(1)
  })
})

describe('limits on risk', () => {
  test('weights are clipped by symbol, then scaled to gross and net by one factor', () => {
    const market = marketOf({ AUSDT: { bars: barsOf(steady(5)) }, BUSDT: { bars: barsOf(steady(5)) } })
    const config = freeConfig({ risk: { symbolMax: 0.8, grossMax: 1 } })
    const { story } = run(market, (ctx, at) => at === 1 && ctx.setWeights({ AUSDT: 2, BUSDT: -0.8 }), config)
    expect(story).toMatchObject([
      { qty: 50, flags: fillFlags.riskClipped },
      { qty: -50, flags: fillFlags.riskClipped },
    ])
    const net = run(
      market,
      (ctx, at) => at === 1 && ctx.setWeights({ AUSDT: 0.6, BUSDT: 0.4 }),
      freeConfig({ risk: { netMax: 0.5 } }),
    )
    expect(net.story.map((row) => row.qty)).toEqual([30, 20])
  })

  test('an order over a limit is refused, counting what still waits', () => {
    const { story } = run(
      single(steady(5)),
      (ctx, at) => {
        if (at !== 1) return
        ctx.order({ symbol: 'AUSDT', qty: 40, kind: 'limit', price: 90 })
        ctx.order({ symbol: 'AUSDT', qty: 20 })
      },
      freeConfig({ risk: { symbolMax: 0.5 } }),
    )
    expect(story[0]).toMatchObject({ outcome: 'rejected', reason: 'riskLimit' })
  })

  test('the leverage cap makes a fill smaller', () => {
    const config = freeConfig({ leverageMax: 2 })
    const { story } = run(single(steady(5)), (ctx, at) => at === 1 && ctx.order({ symbol: 'AUSDT', qty: 500 }), config)
    expect(story).toMatchObject([
      { outcome: 'partial', qty: 200, flags: fillFlags.marginClipped },
      { outcome: 'cancelled', reason: 'insufficientMargin' },
    ])
  })

  describe('a rebate that is larger than the margin', () => {
    // 2 % against the 1 % that a hundredfold needs: each coin brings more than it takes.
    const rebate = { fees: [{ from: '2019-01-01', tiers: { regular: { makerBps: -200, takerBps: 0 } } }] }
    const bid = (amount: number) => (ctx: Ctx, at: number) => {
      if (at === 1) ctx.order({ symbol: 'AUSDT', qty: amount, kind: 'limit', price: 95 })
    }
    const market = single([flatBar(100), flatBar(100), [100, 101, 94.9, 100], flatBar(100), flatBar(100)])
    for (const marginMode of ['isolated', 'cross']) {
      test(`fills in full where margin is ${marginMode}`, () => {
        const { story } = run(market, bid(400), freeConfig({ ...rebate, marginMode }))
        expect(story).toMatchObject([{ outcome: 'filled', qty: 400, fillPx: 95, fee: 760, flags: 0 }])
      })
    }

    test('does not let an account further over its cap than it is', () => {
      const fall = single([flatBar(100), flatBar(100), [100, 100, 94, 94], [94, 94, 93.9, 94], flatBar(94)])
      const brackets = [{ from: '2019-01-01', levels: [{ maintenanceBps: 1 }] }]
      const config = freeConfig({ ...rebate, brackets, leverageMax: 60 })
      const { story } = run(
        fall,
        (ctx, at) => {
          if (at === 1) ctx.order({ symbol: 'AUSDT', qty: 1600 })
          if (at === 2) ctx.order({ symbol: 'AUSDT', qty: 1, kind: 'limit', price: 93.99 })
        },
        config,
      )
      expect(story.at(-1)).toMatchObject({ hour: 4, outcome: 'cancelled', reason: 'insufficientMargin', qty: 0 })
    })
  })

  test('the cap holds after the fill has paid its fee and slippage, and is used to the step', () => {
    const config = freeConfig({
      leverageMax: 4,
      fees: [{ from: '2019-01-01', tiers: { regular: { makerBps: 0, takerBps: 50 } } }],
      slippage: { model: 'fixedBps', bps: 200 },
    })
    const { perSymbol, equity } = run(single(steady(3)), (ctx, at) => at === 1 && ctx.setWeights({ AUSDT: 9 }), config)
    const [gross, end] = [equity.gross.at(-1)!, equity.equity.at(-1)!]
    expect(gross).toBeLessThanOrEqual(4 * end)
    expect(gross + px(100) * 2).toBeGreaterThan(4 * end)
    expect(perSymbol[0]!.slippage).toBeLessThan(0)
  })

  test('the drawdown stop closes everything and the strategy is heard no more', () => {
    const rows = [flatBar(100), flatBar(100), flatBar(70), ...steady(4, 70)]
    let calls = 0
    const config = freeConfig({ risk: { drawdownMax: 0.2 } })
    const { story, outcome, outcomeTsMs } = run(
      single(rows),
      (ctx) => {
        calls++
        ctx.setWeights({ AUSDT: 1 })
      },
      config,
    )
    expect(outcome).toBe('drawdownStop')
    expect(outcomeTsMs).toBe(startMs + 3 * hourMs)
    expect(story.at(-1)).toMatchObject({ hour: 3, qty: -100, fillPx: 70, flags: fillFlags.forced })
    expect(calls).toBe(2)
  })
})

describe('liquidation', () => {
  const brackets = [{ from: '2019-01-01', levels: [{ maintenanceBps: 500 }] }]
  const buyAll = (leverage: number) => (ctx: Ctx, at: number) => at === 1 && ctx.setWeights({ AUSDT: leverage })

  test('is judged on the low of the mark, though the bar closes where it began', () => {
    const rows = [flatBar(100), [100, 100, 80, 100] as BarRow, flatBar(100)]
    const config = freeConfig({ brackets, liquidationFeeBps: 100, leverageMax: 10 })
    const { story, counts, endEquity, perSymbol } = run(single(rows), buyAll(5), config)
    // 10,000 + 500 * (p - 100) = 5 % of 500 * p  =>  p = 84.2105, to within a step of the walk
    expect(story[1]).toMatchObject({ hour: 2, kind: 'liquidation', reason: 'liquidated', qty: -500 })
    expect(story[1]!.fillPx).toBeCloseTo(84.2105, 3)
    expect(perSymbol[0]!.liquidationFees / 1e8).toBeCloseTo(-500 * 84.2105 * 0.01, 1)
    expect(endEquity).toBeCloseTo(10_000 - 500 * (100 - 84.2105) - 421.05, 0)
    expect(counts.liquidations).toBe(1)
  })

  test('the trade price does not liquidate where the mark held', () => {
    const rows = [flatBar(100), [100, 100, 50, 100] as BarRow, flatBar(100)]
    const marks = rows.map(() => [100, 100, 99, 100] as const)
    const market = marketOf({ AUSDT: { bars: barsOf(rows, marks) } })
    expect(run(market, buyAll(5), freeConfig({ brackets, leverageMax: 10 })).counts.liquidations).toBe(0)
  })

  test('a gap through zero ends the run with what is owed', () => {
    const rows = [flatBar(100), flatBar(100), flatBar(70), flatBar(200)]
    const { outcome, endEquity, story } = run(single(rows), buyAll(5), freeConfig({ brackets, leverageMax: 10 }))
    expect(outcome).toBe('ruined')
    expect(story.at(-1)!.flags & fillFlags.gapped).not.toBe(0)
    expect(endEquity).toBe(10_000 - 500 * 30)
  })

  test('an isolated position loses its own margin and not a unit more', () => {
    const market = marketOf({
      AUSDT: { bars: barsOf([flatBar(100), flatBar(100), flatBar(50), flatBar(50)]) },
      BUSDT: { bars: barsOf(steady(4)) },
    })
    const config = freeConfig({ brackets, marginMode: 'isolated', leverageMax: 5, liquidationFeeBps: 100 })
    const { endEquity, perSymbol } = run(
      market,
      (ctx, at) => at === 1 && ctx.setWeights({ AUSDT: 1, BUSDT: 1 }),
      config,
    )
    expect(endEquity).toBe(10_000 - 2_000)
    expect(perSymbol[1]!.positionQty).toBe(qty(100))
  })
})

describe('margins of isolated positions', () => {
  const costs = { fees: [{ from: '2019-01-01', tiers: { regular: { makerBps: 2, takerBps: 5 } } }] }

  test('come from the wallet: a gain that is not realised opens nothing else', () => {
    const market = marketOf({
      AUSDT: { bars: barsOf([flatBar(100), flatBar(100), flatBar(110), flatBar(110), flatBar(110)]) },
      BUSDT: { bars: barsOf(steady(5)) },
    })
    const act = (ctx: Ctx, at: number) => {
      if (at === 1) ctx.setWeights({ AUSDT: 4 })
      if (at === 3) ctx.order({ symbol: 'BUSDT', qty: 250 })
    }
    const boughtOfB = (marginMode: string) =>
      run(market, act, freeConfig({ marginMode, leverageMax: 5 })).perSymbol[1]!.positionQty
    // 10,000 less the 8,000 behind A are the margin of 10,000; the gain of 4,000 counts in an account that is one.
    expect(boughtOfB('isolated')).toBe(qty(100))
    expect(boughtOfB('cross')).toBe(qty(250))
  })

  test('do not let prices and settlements take more than the account has', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 2, max: 20 }), fc.boolean(), (seed, leverageMax, isFree) => {
        const rng = createRng(seed, 'weights')
        const config = freeConfig({
          ...(isFree ? {} : costs),
          marginMode: 'isolated',
          capitalUsdt: 1000,
          leverageMax,
          latencyMs: 500,
        })
        // As much as may be: what was gained on paper is used at once.
        const act = (ctx: Ctx) => {
          const symbol = ctx.symbols[rng.below(2)]
          if (symbol !== undefined) ctx.setWeight(symbol, leverageMax * rng.uniform())
        }
        const { outcome, endEquity } = run(randomMarket(seed, 4, 100), act, config, 100)
        expect(outcome).toBe('completed')
        expect(endEquity).toBeGreaterThanOrEqual(0)
      }),
      { seed: 5, numRuns: 50 },
    )
  })
})

describe('a strategy that is wrong', () => {
  const market = single(steady(5))
  const cases: [string, (ctx: Ctx) => unknown, RegExp][] = [
    ['a NaN weight', (ctx) => ctx.setWeights({ AUSDT: Number.NaN }), /inTest, 2024-01-01T01.*AUSDT: .*weight NaN/],
    ['an unknown symbol', (ctx) => ctx.setWeights({ XUSDT: 1 }), /inTest.*XUSDT: .*unknown symbol "XUSDT"/],
    ['no symbol at all', (ctx) => ctx.close(undefined as never), /inTest.*unknown symbol "undefined"/],
    ['an order without a quantity', (ctx) => ctx.order({ symbol: 'AUSDT', qty: 0 }), /quantity 0/],
    ['a limit without a price', (ctx) => ctx.order({ symbol: 'AUSDT', qty: 1, kind: 'limit' }), /price undefined/],
    ['a lag into the future', (ctx) => ctx.close('AUSDT', -1), /a lag is a whole number of bars or a time/],
    ['an undeclared column', (ctx) => ctx.column('AUSDT', 'rv_15m'), /column "rv_15m", which it does not declare/],
    [
      'a throw',
      () => {
        throw new TypeError('x is not a function')
      },
      /inTest, 2024-01-01T01:00:00.000Z: the strategy threw: x is not a function/,
    ],
    [
      'an async hook',
      async (ctx) => {
        await Promise.resolve()
        ctx.setWeights({ AUSDT: 1 })
      },
      /inTest, 2024-01-01T01:00:00.000Z: .*onBar returned a promise.*do not make it async/,
    ],
  ]
  for (const [says, act, message] of cases) {
    test(`${says} ends with its name, the time and the symbol`, () => {
      expect(() => run(market, (ctx) => act(ctx))).toThrow(message)
    })
  }

  test('one without a hook is told so, with the name it may have meant', () => {
    const make = (more: object) => () =>
      defineStrategy({ name: 'idle', params: z.object({}), decisionEvery: '1h', ...more })
    expect(make({})).toThrow('the strategy "idle" has no onBar, onFunding or onUniverse')
    expect(make({ onbar: () => {} })).toThrow(expect.objectContaining({ todo: 'it has "onbar": mind its letters' }))
    expect(make({ onUniverse: () => {} })).not.toThrow()
  })

  test('inverted dates and a range without data', () => {
    const strategy = randomControl
    const base = { market, strategy, params: strategy.params.parse({}), config: freeConfig() }
    expect(() => runBacktest({ ...base, fromMs: 2, toMs: 1 })).toThrow('would end')
    expect(() => runBacktest({ ...base, fromMs: 0, toMs: startMs })).toThrow('no symbol has a bar before')
  })
})

describe('the order of events', () => {
  test('is by instant, rank, symbol; and the ledger is exact after every single one', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const market = randomMarket(seed, 5, 120)
        const events: BookedEvent[] = []
        runBacktest({
          market,
          strategy: { ...randomControl, decisionEvery: '4h' },
          params: { perSide: 2, gross: 3 },
          config: freeConfig({
            latencyMs: 200,
            fees: [{ from: '2019-01-01', tiers: { regular: { makerBps: 2, takerBps: 5 } } }],
            slippage: { model: 'sqrtImpact' },
            volumeShareMax: 0.2,
            liquidationFeeBps: 100,
          }),
          fromMs: startMs,
          toMs: startMs + 120 * hourMs,
          observe: (event, ledger) => {
            events.push(event)
            ledger.audit()
          },
        })
        for (let i = 1; i < events.length; i++) {
          const [a, b] = [events[i - 1]!, events[i]!]
          const rank = eventRanks[a.class] - eventRanks[b.class]
          expect(a.tsMs < b.tsMs || (a.tsMs === b.tsMs && (rank < 0 || (rank === 0 && a.symbol < b.symbol)))).toBe(true)
        }
        expect(events.length).toBeGreaterThan(500)
      }),
      { numRuns: 20 },
    )
  })

  test('the order in which symbols are given changes nothing', () => {
    const market = randomMarket(3, 6, 200)
    const shuffled = { ...market, symbols: [...market.symbols].reverse() }
    const of = (m: MarketInput) =>
      runBacktest({
        market: m,
        strategy: randomControl,
        params: { perSide: 2, gross: 1 },
        config: freeConfig(),
        fromMs: startMs,
        toMs: startMs + 200 * hourMs,
      })
    expect(of(shuffled)).toEqual(of(market))
  })
})

test('a coin of the tests has a cent for a tick', () => {
  expect(coin('AUSDT').tickPx).toBe(px(0.01))
})
