import { describe, expect, test } from 'vitest'
import { FillsRecorder } from '../../../lib/backtest/fillsTable.ts'
import type { Order } from '../../../lib/backtest/orders.ts'
import { positionsCsv } from '../../../lib/report/csv.ts'
import { positionsOf } from '../../../lib/report/positions.ts'
import { HOUR_MS } from '../../../lib/time.ts'
import { sampleReport } from './sampleReport.ts'

const sample = sampleReport({ days: 30 })
const { run } = sample
const [first] = run.result.instruments

/** The sample's run with these fills of its first symbol instead, in whole coins and USDT, an hour apart. */
function traded(...fills: [qty: number, px: number, fee?: number][]) {
  const recorder = new FillsRecorder()
  const cash = 10 ** run.result.cashDecimals
  let held = 0
  fills.forEach(([coins, px, fee = 0], i) => {
    const qty = coins * 10 ** first!.qtyDecimals
    held += qty
    const fillPx = px * 10 ** first!.pxDecimals
    recorder.fill({ id: i, symbol: 0, kind: 'market', remainingQty: 0, flags: 0 } as Order, {
      ...{ tsMs: run.request.fromMs + i * HOUR_MS, barOpenTsMs: 0, qty, positionQty: held },
      ...{ referencePx: fillPx, fillPx, isMaker: false, fee: fee * cash, volumeShare: 0.01 },
    })
  })
  return { ...run, result: { ...run.result, fills: recorder.table() } }
}
const closes = (...px: number[]) => [
  {
    symbol: run.result.symbols[0]!,
    tsMs: Float64Array.from(px, (_, i) => run.request.fromMs + (i + 0.5) * HOUR_MS),
    close: Float64Array.from(px),
  },
]

describe('positions', () => {
  test('go from flat to flat, whatever is added and taken off between, with fees', () => {
    const found = positionsOf(traded([2, 100, 1], [1, 90, 1], [-1, 120, 1], [-2, 110, 1]), closes(95, 80, 130))
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ side: 'long', fills: 4, heldMs: 3 * HOUR_MS, feesUsdt: -4 })
    expect(found[0]!.qty / 10 ** first!.qtyDecimals).toBe(3)
    expect(found[0]!.pnlUsdt).toBeCloseTo(-200 - 90 + 120 + 220 - 4, 6)
    expect(found[0]!.worstUsdt).toBeCloseTo(-290 + 3 * 80 - 2, 6)
    expect(found[0]!.bestUsdt).toBeCloseTo(-290 + 120 + 2 * 130 - 3, 6)
  })

  test('end no worse than at their worst, and no better than at their best', () => {
    const [lost] = positionsOf(traded([1, 100], [-1, 60]), closes(90))
    expect([lost!.worstUsdt, lost!.bestUsdt]).toEqual([expect.closeTo(-40, 6), expect.closeTo(-10, 6)])
  })

  test('that a fill turns around end in it and begin anew, and share its fee', () => {
    const found = positionsOf(traded([1, 100], [-3, 110, 3], [2, 100]), [])
    expect(found.map(({ side, feesUsdt }) => [side, feesUsdt])).toEqual([
      ['long', -1],
      ['short', -2],
    ])
    expect(found[0]!.pnlUsdt).toBeCloseTo(10 - 1, 6)
    expect(found[1]!.pnlUsdt).toBeCloseTo(20 - 2, 6)
    expect(found[0]!.worstUsdt).toBeNaN()
  })

  test('still held at the end are worth the last close, and open', () => {
    const [open] = positionsOf(traded([-1, 100, 1]), closes(90, 70))
    expect(open!.closedTsMs).toBeNaN()
    expect(open!.heldMs).toBe(run.request.toMs - run.request.fromMs)
    expect(open!.pnlUsdt).toBeCloseTo(30 - 1, 6)
    expect(positionsOf(traded([-1, 100]), [])[0]!.pnlUsdt).toBeNaN()
  })

  test('of a run add up to what its symbols made of price, slippage and fees', () => {
    const { fills, symbols, perSymbol, cashDecimals } = run.result
    const found = positionsOf(run, sample.prices)
    let compared = 0
    for (const [s, symbol] of symbols.entries()) {
      const rows = [...fills.symbol.keys()].filter((i) => fills.symbol[i] === s && fills.qty[i] !== 0)
      const last = rows.at(-1)
      if (last === undefined) continue
      const own = found.filter((position) => position.symbol === symbol)
      const feesUsdt = perSymbol[s]!.fees / 10 ** cashDecimals
      expect(own.reduce((sum, one) => sum + one.feesUsdt, 0)).toBeCloseTo(feesUsdt, 6)
      if (fills.positionQty[last] !== 0) continue
      const { pricePnl, slippage, fees } = perSymbol[s]!
      const total = own.reduce((sum, one) => sum + one.pnlUsdt, 0)
      expect(total).toBeCloseTo((pricePnl + slippage + fees) / 10 ** cashDecimals, 4)
      compared++
    }
    expect(found.length).toBeGreaterThan(10)
    expect(compared).toBeGreaterThan(0)
  })

  test('are a row each in the table, an open one without an end', () => {
    const lines = positionsCsv(positionsOf(traded([1, 100], [-1, 101], [-1, 100]), []))
      .trimEnd()
      .split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toMatch(/^S00USDT,long,2.*Z,2.*Z,1,2,1,1,0,,$/)
    expect(lines[2]).toMatch(/^S00USDT,short,2.*Z,,\d+,1,1,,0,,$/)
  })
})
