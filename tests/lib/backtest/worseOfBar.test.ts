import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { RunContext } from '../../../lib/backtest/context.ts'
import { type BacktestResult, runBacktest } from '../../../lib/backtest/engine.ts'
import { orderKinds, outcomes, reasons } from '../../../lib/backtest/orders.ts'
import { defineStrategy } from '../../../lib/backtest/strategy.ts'
import { barsOf, flatBar, freeConfig, hourMs, marketOf, startMs } from './markets.ts'

type Rows = Parameters<typeof barsOf>[0]
type Ask = Parameters<RunContext<unknown, unknown>['order']>[0]

const symbol = 'AUSDT'

/** Orders by the hour they are sent at, over bars of one symbol. 10,000 USDT, no costs but what `config` says. */
function trade(rows: Rows, orders: Readonly<Record<number, readonly Omit<Ask, 'symbol'>[]>>, config = freeConfig()) {
  const strategy = defineStrategy({
    name: 'asks',
    params: z.unknown(),
    decisionEvery: '1h',
    onBar(ctx) {
      for (const order of orders[(ctx.nowMs - startMs) / hourMs] ?? []) ctx.order({ symbol, ...order })
    },
  })
  const market = marketOf({ [symbol]: { bars: barsOf(rows) } })
  const toMs = startMs + (rows.length - 1) * hourMs
  return runBacktest({ market, strategy, params: {}, config, fromMs: startMs, toMs })
}

const endOf = ({ equity, cashDecimals }: BacktestResult): number => equity.equity.at(-1)! / 10 ** cashDecimals
const story = ({ fills }: BacktestResult): string[] =>
  Array.from(
    { length: fills.rows },
    (_, i) => `${orderKinds[fills.kind[i]!]} ${outcomes[fills.outcome[i]!]} ${reasons[fills.reason[i]!]}`,
  )

const long9x = { 1: [{ qty: 900 }] }

describe('a bar that reached two things takes the worse of the ways it may have gone', () => {
  const crash: Rows = [flatBar(100), flatBar(100), flatBar(100), [100, 106, 60, 100], flatBar(100), flatBar(100)]

  test('a take-profit on one side does not save from a liquidation on the other', () => {
    const without = trade(crash, long9x)
    const withTarget = trade(crash, { ...long9x, 2: [{ qty: -900, kind: 'limit', price: 105, reduceOnly: true }] })
    expect(endOf(without)).toBeLessThan(2_000)
    expect(endOf(withTarget)).toBe(endOf(without))
    expect(story(withTarget)).toContain('liquidation filled liquidated')
  })

  test('a stop before the price of liquidation is reached first', () => {
    const result = trade(crash, { ...long9x, 2: [{ qty: -900, kind: 'stop', price: 95, reduceOnly: true }] })
    expect(endOf(result)).toBe(10_000 - 900 * 5)
    expect(story(result).join()).not.toContain('liquidat')
  })

  test('a stop that leaves a part is followed by the liquidation of that part', () => {
    const result = trade(crash, { ...long9x, 2: [{ qty: -100, kind: 'stop', price: 95, reduceOnly: true }] })
    expect(story(result).filter((line) => line.startsWith('stop filled'))).toHaveLength(1)
    expect(story(result).join()).toContain('liquidation filled liquidated')
  })

  test('a stop behind the price of liquidation comes too late', () => {
    const fees = freeConfig({ liquidationFeeBps: 100 })
    const result = trade(crash, { ...long9x, 2: [{ qty: -900, kind: 'stop', price: 70, reduceOnly: true }] }, fees)
    expect(story(result).join()).toContain('liquidation filled liquidated')
    expect(story(result).join()).not.toContain('stop filled')
  })

  test('isolated positions as well', () => {
    const isolated = freeConfig({ marginMode: 'isolated', leverageMax: 10 })
    const target = { 2: [{ qty: -900, kind: 'limit', price: 105, reduceOnly: true } as const] }
    expect(endOf(trade(crash, { ...long9x, ...target }, isolated))).toBe(endOf(trade(crash, long9x, isolated)))
  })

  const entry = { qty: 10, kind: 'limit', price: 99 } as const
  const stop = { qty: -10, kind: 'stop', price: 97, reduceOnly: true } as const
  const target = { qty: -10, kind: 'limit', price: 103, reduceOnly: true } as const

  test('an entry with its stop and its target loses, in whichever order they were sent', () => {
    const rows: Rows = [flatBar(100), flatBar(100), [100, 104, 96, 98], flatBar(98), flatBar(50)]
    for (const sent of [
      [entry, stop, target],
      [target, stop, entry],
      [stop, target, entry],
    ]) {
      expect(endOf(trade(rows, { 1: sent }))).toBe(10_000 - 20)
    }
  })

  test('an entry and a target in one bar: the target was touched before there was anything to sell, and waits', () => {
    const rows: Rows = [flatBar(100), flatBar(100), [100, 104, 98, 98], flatBar(98), [98, 104, 98, 98], flatBar(98)]
    for (const sent of [
      [entry, target],
      [target, entry],
    ]) {
      const result = trade(rows, { 1: sent })
      expect(result.equity.equity[3]! / 1e8).toBe(10_000 - 10)
      expect(endOf(result)).toBe(10_000 + 40)
    }
  })

  test('what reduces nothing, with no entry to wait for, ends', () => {
    const rows: Rows = [flatBar(100), flatBar(100), [100, 104, 96, 98], flatBar(98)]
    expect(story(trade(rows, { 1: [target] })).join()).toContain('limit cancelled nothingToReduce')
  })
})

test('a capital that no unit of cash can hold exactly is refused in words', () => {
  const rich = freeConfig({ capitalUsdt: 95_000_000 })
  expect(() => trade([flatBar(100), flatBar(100), flatBar(100)], {}, rich)).toThrow(/ledger is exact/)
})
