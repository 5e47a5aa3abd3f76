import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import type { MarketInput } from '../../../lib/backtest/market.ts'
import { fillFlags, orderKinds, outcomes, reasons } from '../../../lib/backtest/orders.ts'
import { defineStrategy, type OrderRequest, type StrategyContext } from '../../../lib/backtest/strategy.ts'
import type { BarRow } from './markets.ts'
import { barsOf, flatBar, freeConfig, hourMs, marketOf, startMs } from './markets.ts'

type Ask = Omit<OrderRequest, 'symbol'>
const symbol = 'AUSDT'

/** Orders by the hour they are sent at. */
function fillsOf(market: MarketInput, orders: Readonly<Record<number, readonly Ask[]>>, config = freeConfig()) {
  const act = (ctx: StrategyContext<unknown, undefined>) => {
    for (const ask of orders[(ctx.nowMs - startMs) / hourMs] ?? []) ctx.order({ symbol, ...ask })
  }
  const strategy = defineStrategy<unknown, undefined>({
    name: 'asks',
    params: z.unknown(),
    decisionEvery: '1h',
    onBar: act,
  })
  const run = { market, strategy, params: {}, config, fromMs: startMs, toMs: startMs + 9 * hourMs }
  return runBacktest(run).fills
}

/** What becomes of them: hour, outcome, reason, quantity and price. */
function storyOf(...given: Parameters<typeof fillsOf>) {
  const fills = fillsOf(...given)
  return Array.from({ length: fills.rows }, (_, i) => [
    (fills.tsMs[i]! - startMs) / hourMs,
    `${orderKinds[fills.kind[i]!]} ${outcomes[fills.outcome[i]!]} ${reasons[fills.reason[i]!]}`,
    fills.qty[i]! / 100,
    fills.fillPx[i]! / 1e6,
  ])
}

const steady = (count: number, price = 100) => Array.from({ length: count }, () => flatBar(price))
const single = (rows: readonly BarRow[], more: object = {}) => marketOf({ [symbol]: { bars: barsOf(rows), ...more } })

test('what the share of volume leaves of a stop that was reached is a market order, wherever the price has gone', () => {
  const dip: BarRow = [100, 101, 94, 100, { volume: 4 }]
  const market = single([...steady(2), dip, ...steady(6)])
  const sells = { 1: [{ qty: 10 }, { qty: -10, kind: 'stop', price: 95, reduceOnly: true } as const] }
  expect(storyOf(market, sells)).toEqual([
    [1, 'market filled none', 10, 100],
    [3, 'stop partial none', -4, 95],
    [3, 'stop filled none', -6, 100],
  ])
})

test('what a fill rests on is told in its own row, and not in later ones of the order', () => {
  const rows: readonly BarRow[] = [...steady(2), [100, 101, 99, 100, { volume: 4 }], ...steady(6)]
  const { flags } = fillsOf(single(rows), { 2: [{ qty: 10 }] }, freeConfig({ latencyMs: 200 }))
  // Bars of hours are coarser than the latency, and the first of them has four to give.
  expect([...flags]).toEqual([fillFlags.sameInstantOpen | fillFlags.volumeCapped, 0])
})

test('a wait for volume is told in the row that follows it', () => {
  const rows: readonly BarRow[] = [...steady(2), [100, 101, 99, 100, { volume: 0.001 }], ...steady(6)]
  const { flags } = fillsOf(single(rows), { 2: [{ qty: 10 }] })
  expect([...flags]).toEqual([fillFlags.volumeCapped])
})

describe('the mask of QA', () => {
  const masked = (fromHour: number, toHour: number, rows: readonly BarRow[]) =>
    single(rows, { quarantine: [{ fromMs: startMs + fromHour * hourMs, toMs: startMs + toHour * hourMs }] })
  const buy = { 1: [{ qty: 1, kind: 'limit', price: 95 } as const] }
  const dip: BarRow = [100, 101, 90, 100]

  test('covers the range of the last bar inside it', () => {
    const market = masked(2, 4, [...steady(3), dip, ...steady(5)])
    expect(storyOf(market, buy)).toEqual([[9, 'limit expired runEnd', 0, Number.NaN]])
  })

  test('does not cover the range of the bar that ends where it begins', () => {
    const market = masked(3, 5, [...steady(2), dip, ...steady(6)])
    expect(storyOf(market, buy)).toEqual([[3, 'limit filled none', 1, 95]])
  })
})

describe('an order for a symbol that has left the universe', () => {
  const leaving = (rows: readonly BarRow[]) => ({
    ...single(rows),
    universe: [
      { tsMs: startMs, symbols: [symbol] },
      { tsMs: startMs + 3 * hourMs, symbols: [] },
    ],
  })
  const rows: readonly BarRow[] = [...steady(4), [100, 111, 90, 100], ...steady(4)]

  test('opens nothing', () => {
    const waiting = { 1: [{ qty: 1, kind: 'limit', price: 95 } as const] }
    expect(storyOf(leaving(rows), waiting)).toEqual([[5, 'limit cancelled notInUniverse', 0, Number.NaN]])
  })

  test('still closes what is held, and no more', () => {
    const waiting = { 1: [{ qty: 2 }, { qty: -5, kind: 'limit', price: 110 } as const] }
    expect(storyOf(leaving(rows), waiting)).toEqual([
      [1, 'market filled none', 2, 100],
      [5, 'limit partial none', -2, 110],
      [5, 'limit cancelled notInUniverse', 0, Number.NaN],
    ])
  })
})

test('a price between units is rounded in the direction that is meant', () => {
  const market = single([...steady(2), [100, 101, 94, 100], ...steady(6)])
  // With 2 decimals of quantity and 8 of cash, prices have 6.
  const asks = { 1: [{ qty: 1, kind: 'limit', price: 95.0099999 } as const] }
  expect(storyOf(market, asks)).toEqual([[3, 'limit filled none', 1, 95]])
})
