import { describe, expect, test } from 'vitest'
import { FillsRecorder } from '../../../lib/backtest/fillsTable.ts'
import type { Order, OrderKind } from '../../../lib/backtest/orders.ts'
import { positionsCsv } from '../../../lib/report/csv.ts'
import { HeldRanges } from '../../../lib/report/heldRanges.ts'
import { positionsOf } from '../../../lib/report/positions.ts'
import { hourlyCloses, priceTable } from '../../../lib/report/prices.ts'
import { makeTable } from '../../../lib/tables/table.ts'
import { HOUR_MS } from '../../../lib/time.ts'
import { sampleReport } from './sampleReport.ts'

const sample = sampleReport({ days: 30 })
const { run } = sample
const [first] = run.result.instruments

interface Filled {
  readonly kind?: OrderKind
  /** When it was booked, in hours; at the open of its own hour unless said. */
  readonly hour?: number
  /** Inside the bar that ends then. */
  readonly isInside?: boolean
}

/** The sample's run with these fills of its first symbol instead, in whole coins and USDT, an hour apart. */
function traded(...fills: [qty: number, px: number, fee?: number, how?: Filled][]) {
  const recorder = new FillsRecorder()
  const cash = 10 ** run.result.cashDecimals
  let held = 0
  fills.forEach(([coins, px, fee = 0, { kind = 'market', hour, isInside = false } = {}], i) => {
    const qty = coins * 10 ** first!.qtyDecimals
    held += qty
    const fillPx = px * 10 ** first!.pxDecimals
    const tsMs = run.request.fromMs + (hour ?? i) * HOUR_MS
    const barOpenTsMs = kind === 'liquidation' ? Number.NaN : isInside ? tsMs - HOUR_MS : tsMs
    recorder.fill({ id: i, symbol: 0, kind, remainingQty: 0, flags: 0 } as Order, {
      ...{ tsMs, barOpenTsMs, qty, positionQty: held },
      ...{ referencePx: fillPx, fillPx, isMaker: false, flags: 0, fee: fee * cash, volumeShare: 0.01 },
    })
  })
  return { ...run, result: { ...run.result, fills: recorder.table() } }
}

/** Its positions, with these bars of an hour each. */
function found(one: typeof run, ...bars: [low: number, high: number, close?: number][]) {
  const px = (pick: (bar: (typeof bars)[number]) => number) =>
    BigInt64Array.from(bars, (bar) => BigInt(Math.round(pick(bar) * 1e8)))
  const table = makeTable(priceTable, {
    symbol: bars.map(() => run.result.symbols[0]!),
    openTsMs: Float64Array.from(bars, (_, i) => run.request.fromMs + i * HOUR_MS),
    high: px(([, high]) => high),
    low: px(([low]) => low),
    close: px(([low, , close]) => close ?? low),
  })
  const held = new HeldRanges(one, HOUR_MS)
  const prices = hourlyCloses([{ read: () => table }], HOUR_MS, (rows) => held.see(rows))
  return positionsOf(one, prices, held)
}

describe('positions', () => {
  test('go from flat to flat, whatever is added and taken off between, with fees', () => {
    const bars: [number, number][] = [
      [95, 101],
      [80, 121],
      [109, 130],
      [1, 999],
    ]
    const all = found(traded([2, 100, 1], [1, 90, 1], [-1, 120, 1], [-2, 110, 1]), ...bars)
    expect(all).toHaveLength(1)
    expect(all[0]).toMatchObject({ side: 'long', fills: 4, heldMs: 3 * HOUR_MS, feesUsdt: -4 })
    expect(all[0]!.qty / 10 ** first!.qtyDecimals).toBe(3)
    expect(all[0]!.pnlUsdt).toBeCloseTo(-200 - 90 + 120 + 220 - 4, 6)
    expect(all[0]!.worstUsdt).toBeCloseTo(-290 + 3 * 80 - 2, 6)
    expect(all[0]!.bestUsdt).toBeCloseTo(-290 + 120 + 2 * 130 - 3, 6)
  })

  test('end no worse than at their worst, and no better than at their best', () => {
    const [lost] = found(traded([1, 100], [-1, 60]), [90, 95])
    expect([lost!.worstUsdt, lost!.bestUsdt]).toEqual([expect.closeTo(-40, 6), expect.closeTo(-5, 6)])
  })

  const inside = { hour: 3, isInside: true }
  test.each([
    [
      'short: highs are its worst',
      [
        [-1, 100],
        [1, 90],
      ],
      [-20, 30],
    ],
    [
      'from the open of the bar that filled it',
      [
        [1, 100, 0, { hour: 1 }],
        [-1, 100, 0, { hour: 2 }],
      ],
      [-50, 40],
    ],
    [
      'not the bar in which a resting order opened it',
      [
        [1, 100, 0, { hour: 2, isInside: true }],
        [-1, 100, 0, { hour: 3 }],
      ],
      [-5, 5],
    ],
    [
      'not the bar in which a resting order closed it',
      [
        [1, 100, 0, { hour: 2 }],
        [-1, 95, 0, inside],
      ],
      [-5, -5],
    ],
    [
      'not the bar whose marks liquidated it',
      [
        [1, 100, 0, { hour: 0 }],
        [-1, 60, 0, { hour: 2, kind: 'liquidation' }],
      ],
      [-40, 20],
    ],
    [
      'nothing of the time after',
      [
        [1, 100],
        [-1, 100, 0, { hour: 1 }],
      ],
      [-30, 20],
    ],
  ] as const)('go as far as the lows and highs of the bars they were held through: %s', (_, fills, [worst, best]) => {
    const bars: [number, number][] = [
      [70, 120],
      [50, 140],
      [95, 105],
      [1, 999],
    ]
    const [one] = found(traded(...(fills as unknown as Parameters<typeof traded>)), ...bars)
    expect([one!.worstUsdt, one!.bestUsdt]).toEqual([expect.closeTo(worst, 6), expect.closeTo(best, 6)])
  })

  test('that a fill turns around end in it and begin anew, and share its fee', () => {
    const all = found(traded([1, 100], [-3, 110, 3], [2, 100]))
    expect(all.map(({ side, feesUsdt }) => [side, feesUsdt])).toEqual([
      ['long', -1],
      ['short', -2],
    ])
    expect(all[0]!.pnlUsdt).toBeCloseTo(10 - 1, 6)
    expect(all[1]!.pnlUsdt).toBeCloseTo(20 - 2, 6)
    expect(all[0]!.worstUsdt).toBeNaN()
  })

  test('still held at the end are worth the last close, and open', () => {
    const [open] = found(traded([-1, 100, 1]), [90, 91], [65, 90, 70])
    expect(open!.closedTsMs).toBeNaN()
    expect(open!.heldMs).toBe(run.request.toMs - run.request.fromMs)
    expect(open!.pnlUsdt).toBeCloseTo(30 - 1, 6)
    expect([open!.worstUsdt, open!.bestUsdt]).toEqual([expect.closeTo(100 - 91 - 1, 6), expect.closeTo(35 - 1, 6)])
    expect(found(traded([-1, 100]))[0]!.pnlUsdt).toBeNaN()
  })

  test('of a run add up to what its symbols made of price, slippage and fees', () => {
    const { fills, symbols, perSymbol, cashDecimals } = run.result
    const all = sample.positions
    let compared = 0
    for (const [s, symbol] of symbols.entries()) {
      const rows = [...fills.symbol.keys()].filter((i) => fills.symbol[i] === s && fills.qty[i] !== 0)
      const last = rows.at(-1)
      if (last === undefined) continue
      const own = all.filter((position) => position.symbol === symbol)
      const feesUsdt = perSymbol[s]!.fees / 10 ** cashDecimals
      expect(own.reduce((sum, one) => sum + one.feesUsdt, 0)).toBeCloseTo(feesUsdt, 6)
      if (fills.positionQty[last] !== 0) continue
      const { pricePnl, slippage, fees } = perSymbol[s]!
      const total = own.reduce((sum, one) => sum + one.pnlUsdt, 0)
      expect(total).toBeCloseTo((pricePnl + slippage + fees) / 10 ** cashDecimals, 4)
      compared++
    }
    expect(all.length).toBeGreaterThan(10)
    for (const { worstUsdt, bestUsdt, pnlUsdt } of all) {
      expect(worstUsdt).toBeLessThanOrEqual(pnlUsdt)
      expect(bestUsdt).toBeGreaterThanOrEqual(pnlUsdt)
    }
    expect(compared).toBeGreaterThan(0)
  })

  test('are a row each in the table, an open one without an end', () => {
    const lines = positionsCsv(found(traded([1, 100], [-1, 101], [-1, 100])))
      .trimEnd()
      .split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toMatch(/^S00USDT,long,2.*Z,2.*Z,1,2,1,1,0,,$/)
    expect(lines[2]).toMatch(/^S00USDT,short,2.*Z,,\d+,1,1,,0,,$/)
  })
})
