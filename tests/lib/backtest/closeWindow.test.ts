import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { CloseWindow } from '../../../lib/backtest/closeWindow.ts'
import type { Duration } from '../../../lib/backtest/duration.ts'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import { makeInstrument } from '../../../lib/backtest/instrument.ts'
import { withOtherFuture } from '../../../lib/backtest/lookahead.ts'
import type { MarketInput } from '../../../lib/backtest/market.ts'
import { MarketView } from '../../../lib/backtest/marketView.ts'
import { defineStrategy, type StrategyContext } from '../../../lib/backtest/strategy.ts'
import { Fault } from '../../../lib/fault.ts'
import { createRng } from '../../../lib/rng.ts'
import { rollingMean, rollingStd } from '../../../lib/stats/rolling.ts'
import { barsOf, flatBar, freeConfig, hourMs, marketOf, randomMarket, startMs } from './markets.ts'

/** Closes in units of price, each in its hour from 1970 on; NaN is a missing bar. */
interface Closes {
  readonly pxDecimals: number
  readonly firstHour: number
  readonly units: readonly number[]
}

function viewOf({ pxDecimals, firstHour, units }: Closes, jitterMs = (_hour: number) => 0): MarketView {
  const hours = [...units.keys()].filter((i) => !Number.isNaN(units[i]!))
  const closePx = Float64Array.from(hours, (i) => units[i]!)
  const openTsMs = Float64Array.from(hours, (i) => (firstHour + i) * hourMs + jitterMs(i))
  const prices = { openPx: closePx, highPx: closePx, lowPx: closePx, closePx }
  const ones = closePx.map(() => 1)
  const spec = { symbol: 'A', tickSize: pxDecimals === 8 ? '0.00000001' : '0.01', stepSize: '1', minNotional: '5' }
  const instrument = makeInstrument(spec, pxDecimals)
  return new MarketView({
    intervalMs: hourMs,
    symbols: [{ instrument, bars: { openTsMs, ...prices, volumeQty: ones, tradeCount: ones } }],
  })
}

/** What is answered once each of the asked hours has closed. */
function asked(closes: Closes, rows: number, isAsked = (_hour: number) => true, jitterMs?: (hour: number) => number) {
  const view = viewOf(closes, jitterMs)
  const window = new CloseWindow(view, 0, rows * hourMs)
  return closes.units.map((_, i) => {
    const { openTsMs } = view.symbols[0]!.bars
    view.nowMs = (closes.firstHour + i + 1) * hourMs + (jitterMs === undefined ? 0 : jitterMs(i))
    while (openTsMs[view.closedRow[0]! + 1]! + hourMs <= view.nowMs) view.closedRow[0]!++
    return isAsked(i) ? [window.mean(), rows > 1 ? window.deviation() : Number.NaN] : undefined
  })
}

/** The same by the definition, in whole numbers: nothing is rounded but the result. */
function defined({ pxDecimals, units }: Closes, rows: number): number[][] {
  return units.map((_, i) => {
    const window = units.slice(Math.max(0, i + 1 - rows), i + 1)
    if (window.length < rows || window.some(Number.isNaN)) return [Number.NaN, Number.NaN]
    const count = BigInt(rows)
    const sum = window.reduce((total, value) => total + BigInt(value), 0n)
    const squares = window.reduce((total, value) => total + (count * BigInt(value) - sum) ** 2n, 0n)
    const scale = 10 ** pxDecimals
    return [
      Number(sum) / rows / scale,
      rows > 1 ? Math.sqrt(Number(squares) / rows / rows / (rows - 1)) / scale : Number.NaN,
    ]
  })
}

/** Walks, jumps between the smallest and the largest prices there are, and stretches without any change. */
function closesOf(seed: number, length: number, gapsIn1000: number): Closes {
  const rng = createRng(seed, 'closes')
  const pxDecimals = [8, 6][rng.below(2)]!
  const levels = [1, 12_345, 10_000_000_2, pxDecimals === 8 ? 9_000_000_000_000 : 100_000_000_000_000]
  let level = levels[rng.below(4)]!
  const units = Array.from({ length }, () => {
    if (rng.below(60) === 0) level = levels[rng.below(4)]!
    const kind = rng.below(300)
    if (kind < 3) return levels[kind]!
    if (rng.below(1000) < gapsIn1000) return Number.NaN
    if (rng.below(3) > 0) level = Math.max(1, level + rng.below(21) - 10)
    return level
  })
  return { pxDecimals, firstHour: 400_000 + rng.below(1000), units }
}

const isClose = (found: number, wanted: number): boolean =>
  Object.is(found, wanted) || Math.abs(found - wanted) <= 1e-12 * Math.abs(wanted)

describe('mean and deviation over a stretch of closes', () => {
  test('are those of the definition to twelve digits, for the smallest prices and the largest, and jumps between', () => {
    const seen = { values: 0, gaps: 0 }
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 90 }), fc.constantFrom(0, 2, 20), (seed, rows, gaps) => {
        const closes = closesOf(seed, 300, gaps)
        const found = asked(closes, rows)
        defined(closes, rows).forEach((wanted, i) => {
          const [mean, deviation] = found[i]!
          if (isClose(mean!, wanted[0]!) && isClose(deviation!, wanted[1]!)) {
            seen[Number.isNaN(wanted[0]!) ? 'gaps' : 'values']++
          } else expect({ i, found: found[i] }).toEqual({ i, found: wanted })
        })
      }),
      { seed: 5, numRuns: 150 },
    )
    expect(seen.values).toBeGreaterThan(10_000)
    expect(seen.gaps).toBeGreaterThan(1000)
  })

  test('hang on the window alone: not on when and how often they were asked for, nor on the history before', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 }), (seed, rows, oneIn) => {
        const closes = closesOf(seed, 200, 2)
        const always = asked(closes, rows)
        const rng = createRng(seed, 'asks')
        const seldom = asked(closes, rows, () => rng.below(oneIn) === 0)
        seldom.forEach((found, i) => {
          if (found !== undefined) expect(found).toEqual(always[i])
        })
        const from = rng.below(200 - rows)
        const later = { ...closes, firstHour: closes.firstHour + from, units: closes.units.slice(from) }
        const withoutHistory = asked(later, rows)
        for (let i = rows - 1; i < later.units.length; i++) expect(withoutHistory[i]).toEqual(always[from + i])
      }),
      { seed: 6, numRuns: 150 },
    )
  })

  test('are there exactly where the features over the same closes are, and the same', () => {
    for (let seed = 0; seed < 30; seed++) {
      const rows = 2 + (seed % 40)
      const { units, firstHour } = closesOf(seed, 300, 10)
      const closes = { pxDecimals: 6, firstHour, units: units.map((unit) => 1_000_000 + (unit % 1_000_000)) }
      const src = Float64Array.from(closes.units, (unit) => unit / 1e6)
      const [means, deviations] = [new Float64Array(300), new Float64Array(300)]
      rollingMean(src, rows, means, firstHour)
      rollingStd(src, rows, deviations, firstHour)
      asked(closes, rows).forEach((found, i) => {
        expect(found!.map(Number.isNaN)).toEqual([means[i], deviations[i]].map(Number.isNaN))
        if (Number.isNaN(means[i])) return
        expect(found![0]).toBeCloseTo(means[i]!, 9)
        expect(found![1]).toBeCloseTo(deviations[i]!, 9)
      })
    }
  })

  test('of closes that stay the same are that close and 0, whatever it is', () => {
    for (const unit of [1, 3, 12_345_678_901, 99_999_999_999_999]) {
      const closes = { pxDecimals: 8, firstHour: 1_000_003, units: Array.from({ length: 400 }, () => unit) }
      for (const rows of [2, 7, 48]) {
        for (const found of asked(closes, rows).slice(rows - 1)) expect(found).toEqual([unit / 1e8, 0])
      }
    }
    // And again after a jump that would have left its rounding behind in a running sum.
    const units = Array.from({ length: 300 }, (_, i) => (i === 100 ? 99_999_999_999_999 : 7))
    const found = asked({ pxDecimals: 8, firstHour: 0, units }, 24)
    for (let i = 124; i < 300; i++) expect(found[i]).toEqual([7 / 1e8, 0])
  })

  test('bear bars that open off the grid', () => {
    const rng = createRng(3)
    const closes = closesOf(4, 300, 0)
    // Never nearer than an interval: the stamps drift forward, and each is asked for when its bar has closed.
    let driftMs = 0
    const jitter = closes.units.map(() => (driftMs += rng.below(40) === 0 ? rng.below(1_000_000) : 0))
    const found = asked(closes, 12, undefined, (hour) => jitter[hour]!)
    const wanted = defined(closes, 12)
    let whole = 0
    for (let i = 11; i < 300; i++) {
      // Where the drift pushed the oldest bar out of the stretch, one is missing from it.
      if (jitter[i]! - jitter[i - 11]! >= hourMs) expect(found[i]).toEqual([Number.NaN, Number.NaN])
      else {
        expect(isClose(found[i]![0]!, wanted[i]![0]!) && isClose(found[i]![1]!, wanted[i]![1]!)).toBe(true)
        whole++
      }
    }
    expect(whole).toBeGreaterThan(100)
  })
})

type Ctx = StrategyContext<unknown, undefined>

/** What a strategy is told at each decision. */
function told(market: MarketInput, hours: number, look: (ctx: Ctx) => unknown) {
  const found: unknown[] = []
  const onBar = (ctx: Ctx) => void found.push([ctx.nowMs, look(ctx)])
  const params = z.object({}) as z.ZodType<unknown>
  const strategy = defineStrategy({ name: 'looker', params, decisionEvery: '1h', onBar })
  runBacktest({ market, strategy, params: {}, config: freeConfig(), fromMs: startMs, toMs: startMs + hours * hourMs })
  return found
}

describe('ctx.mean and ctx.deviation', () => {
  const rising = marketOf({ A: { bars: barsOf(Array.from({ length: 8 }, (_, i) => flatBar(100 + i))) } })

  test('are over the closes up to now', () => {
    const found = told(rising, 8, (ctx) => [ctx.mean('A', '3h'), ctx.deviation('A', '3h'), ctx.close('A')])
    expect(found.map((each) => (each as [number, number[]])[1]).slice(0, 5)).toEqual([
      [Number.NaN, Number.NaN, 100],
      [Number.NaN, Number.NaN, 101],
      [101, 1, 102],
      [102, 1, 103],
      [103, 1, 104],
    ])
  })

  test('know nothing of what comes after, and spans do not get into each other', () => {
    const market = randomMarket(11, 3, 200)
    const look = (ctx: Ctx) =>
      ctx.symbols.map((s) => [ctx.mean(s, '5h'), ctx.deviation(s, '9h'), ctx.deviation(s, '5h'), ctx.mean(s, '9h')])
    const whole = told(market, 200, look)
    for (const hour of [10, 60, 150]) {
      const nowMs = startMs + hour * hourMs
      const other = told(withOtherFuture(market, nowMs, createRng(hour)), 200, look)
      const upToNow = (each: unknown) => (each as [number])[0] <= nowMs
      expect(other.filter(upToNow)).toEqual(whole.filter(upToNow))
      expect(other).not.toEqual(whole)
    }
    const alone = told(market, 200, (ctx) => ctx.symbols.map((s) => ctx.deviation(s, '9h')))
    expect(alone.map((each) => (each as [number, number[]])[1])).toEqual(
      whole.map((each) => (each as [number, number[][]])[1].map((four) => four[1])),
    )
  })

  test.each([
    ['mean', '90m', /looks back 90m, which is no whole number of bars of 60 minutes/, /multiple of 60 minutes/],
    ['mean', 72, /asked for the closes of 72/, /give a time such as '72h'/],
    ['deviation', '3 days', /asked for the closes of 3 days/, /give a time such as '72h'/],
    ['deviation', '1h', /asked for the deviation of 1h, which is a single bar/, /look further back, or choose finer/],
  ] as const)('ctx.%s refuses %s', (name, span, what, todo) => {
    try {
      told(rising, 8, (ctx) => ctx[name]('A', span as Duration))
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(Fault)
      expect((error as Fault).what).toMatch(what)
      expect((error as Fault).todo).toMatch(todo)
      expect((error as Fault).where).toMatch(/^strategy looker, 2024-01-01T01:00:00/)
    }
  })
})
