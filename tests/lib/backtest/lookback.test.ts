import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Duration, duration, durationMs } from '../../../lib/backtest/duration.ts'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import { rowAgo } from '../../../lib/backtest/lookback.ts'
import type { MarketInput } from '../../../lib/backtest/market.ts'
import { defineStrategy, type StrategyContext } from '../../../lib/backtest/strategy.ts'
import { Fault } from '../../../lib/fault.ts'
import { type BarRow, barsOf, flatBar, freeConfig, hourMs, marketOf, startMs } from './markets.ts'

/** What a strategy sees at each decision. */
function seen<T>(
  market: MarketInput,
  hours: number,
  look: (ctx: StrategyContext<unknown, undefined>) => T,
  columns: readonly string[] = [],
) {
  const found: { hour: number; value: T }[] = []
  const strategy = defineStrategy({
    name: 'looker',
    params: z.object({}) as z.ZodType<unknown>,
    decisionEvery: '1h',
    columns,
    onBar: (ctx) => void found.push({ hour: (ctx.nowMs - startMs) / hourMs, value: look(ctx) }),
  })
  runBacktest({ market, strategy, params: {}, config: freeConfig(), fromMs: startMs, toMs: startMs + hours * hourMs })
  return new Map(found.map(({ hour, value }) => [hour, value]))
}

/** Hour i closes at 100 + i; some are missing. */
const rising = (hours: number, missing: readonly number[] = []) =>
  marketOf({
    A: {
      bars: barsOf(
        Array.from({ length: hours }, (_, i): BarRow => {
          const [open, high, low, close] = flatBar(100 + i)
          return [open, high, low, close, { tsMs: startMs + i * hourMs }]
        }).filter((_, i) => !missing.includes(i)),
      ),
    },
  })

describe('a lookback in time', () => {
  test('is what the same call answered then', () => {
    // Decisions are taken where something happens: another symbol misses nothing.
    const B = { bars: rising(40).symbols[0]!.bars }
    const market = marketOf({ A: { bars: rising(40, [3, 4, 5, 17, 30]).symbols[0]!.bars }, B })
    const now = seen(market, 40, (ctx) => ctx.close('A'))
    const ago = seen(market, 40, (ctx) => [ctx.close('A', '4h'), ctx.bar('A', '4h')?.close ?? Number.NaN])
    for (const [hour, value] of ago) expect(value).toEqual(Array(2).fill(now.get(hour - 4) ?? Number.NaN))
  })

  test('crosses a gap by the clock, where a lag in rows slips', () => {
    const market = rising(12, [6, 7])
    const at10 = seen(market, 12, (ctx) => [ctx.close('A', '4h'), ctx.close('A', 4)]).get(10)!
    expect(at10).toEqual([105, 103]) // hours 6 and 7 are missing: at 06:00 the last close was that of hour 5
    const spans = seen(market, 12, (ctx) => [ctx.closes('A', '4h'), ctx.closes('A', 4)]).get(10)!
    expect(spans).toEqual([
      [108, 109],
      [104, 105, 108, 109],
    ])
  })

  test('is NaN, and a span shorter, before there is history', () => {
    const first = seen(rising(6), 6, (ctx) => [ctx.close('A', '4h'), ctx.closes('A', '4h').length])
    expect([...first.values()].map(([close]) => Number.isNaN(close))).toEqual([true, true, true, true, false])
    expect([...first.values()].map(([, length]) => length)).toEqual([1, 2, 3, 4, 4])
  })

  test('pairs the closes of symbols that miss different bars', () => {
    const other = rising(12, [2, 8]).symbols[0]!.bars
    const doubled = { ...other, closePx: other.closePx.map((px) => 2 * px) }
    const market = marketOf({ A: { bars: rising(12, [6, 7]).symbols[0]!.bars }, B: { bars: doubled } })
    const at11 = seen(market, 12, (ctx) => ctx.closesTogether(['B', 'A'], '8h')).get(11)!
    expect(at11).toEqual([
      [206, 208, 210, 218, 220],
      [103, 104, 105, 109, 110],
    ])
    const alone = seen(market, 12, (ctx) => ctx.closesTogether(['A'], '8h')).get(11)!
    expect(alone).toEqual([[103, 104, 105, 108, 109, 110]])
    expect(seen(market, 12, (ctx) => ctx.closesTogether([], '8h')).get(11)).toEqual([])
    expect(seen(market, 12, (ctx) => ctx.closesTogether(['A', 'B'], '1h')).get(9)).toEqual([[], []]) // 08:00 is missing in B
  })

  test('shows a list that has a map of its own nothing but closes', () => {
    const handed: unknown[] = []
    const curious = Object.assign(['A'], {
      map: (give: (symbol: string) => unknown) => {
        handed.push(give('A'))
        return [handed.at(-1)]
      },
    })
    seen(rising(12), 12, (ctx) => ctx.closesTogether(curious, '8h'))
    expect(handed).toEqual([])
  })

  test('pairs exactly what the symbols have in common, whatever is missing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), { maxLength: 40 }),
        fc.nat(30),
        (there, span) => {
          const hours = there.length
          const missing = (i: number) => [...there.keys()].filter((hour) => !there[hour]![i])
          const bars = (i: number) => rising(hours + 1, missing(i)).symbols[0]!.bars
          const market = marketOf({ A: { bars: bars(0) }, B: { bars: bars(1) }, C: { bars: bars(2) } })
          const all = seen(market, hours + 2, (ctx) => ctx.closesTogether(['A', 'B', 'C'], `${span + 1}h`)).get(
            hours + 1,
          )
          const shared = [...there, [true, true, true]].flatMap((each, hour) =>
            hour >= hours - span && each.every(Boolean) ? [100 + hour] : [],
          )
          expect(all).toEqual([shared, shared, shared])
        },
      ),
      { seed: 12, numRuns: 60 },
    )
  })

  test('asks a column what it said then, its age included', () => {
    const known = [1, 2, 3, 9, 10, 11].map((hour) => startMs + hour * hourMs)
    const { bars } = rising(14).symbols[0]!
    const values = { f: Float64Array.from([1, 2, 3, 9, 10, 11]) }
    const market = marketOf({
      A: { bars, columns: { knownAtMs: Float64Array.from(known), maxAgeMs: 2 * hourMs, values } },
    })
    const now = seen(market, 14, (ctx) => ctx.column('A', 'f'), ['f'])
    const ago = seen(market, 14, (ctx) => ctx.column('A', 'f', '3h'), ['f'])
    for (const [hour, value] of ago) expect(value).toBe(now.get(hour - 3) ?? Number.NaN)
    expect([5, 8, 12].map((hour) => ago.get(hour))).toEqual([2, 3, 9])
    expect(ago.get(9)).toBeNaN()
  })

  test('means the same on bars of any length', () => {
    const coarse = rising(24).symbols[0]!.bars
    // Each hour as four quarters that end at its close.
    const quarters = Array.from({ length: 24 * 4 }, (_, i): BarRow => {
      const [open, high, low, close] = flatBar(100 + (i >> 2))
      return [open, high, low, close, { tsMs: startMs + i * (hourMs / 4) }]
    })
    const look = (ctx: StrategyContext<unknown, undefined>) => ctx.close('A', '5h')
    const fine = { ...marketOf({ A: { bars: barsOf(quarters) } }), intervalMs: hourMs / 4 }
    expect(seen(fine, 24, look)).toEqual(seen(marketOf({ A: { bars: coarse } }), 24, look))
  })

  test.each([
    ['90m' as Duration, /looks back 90m, which is no whole number of bars of 60 minutes/, /multiple of 60 minutes/],
    ['7 days' as Duration, /asked for lag 7 days: a lag is a whole number of bars or a time such as '4h'/, /correct/],
    ['-1d' as Duration, /asked for lag -1d/, /correct/],
    [-1, /asked for lag -1/, /correct/],
  ])('refuses %s', (lag, what, todo) => {
    try {
      seen(rising(6), 6, (ctx) => ctx.close('A', lag))
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(Fault)
      expect((error as Fault).what).toMatch(what)
      expect((error as Fault).todo).toMatch(todo)
      expect((error as Fault).where).toMatch(/^strategy looker, 2024-01-01T01:00:00/)
    }
  })
})

test('rowAgo finds what a plain search finds, whatever is missing', () => {
  const stepMs = 60
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), fc.nat(70), fc.nat(70), (there, nowStep, backSteps) => {
      const rows = Float64Array.from(there.flatMap((isThere, i) => (isThere ? [i * stepMs] : [])))
      const nowMs = nowStep * stepMs
      const tsMs = nowMs - backSteps * stepMs
      const last = rows.findLastIndex((row) => row <= nowMs)
      const found = rowAgo(rows, last, tsMs, { backMs: backSteps * stepMs, stepMs })
      expect(found).toBe(rows.findLastIndex((row) => row <= tsMs))
    }),
    { seed: 11, numRuns: 2000 },
  )
})

test('a duration as a param is checked as text and says how to write it', () => {
  expect(duration.parse('7d')).toBe('7d')
  expect(durationMs(duration.parse('90m'))).toBe(5_400_000)
  for (const wrong of ['7', '1w', '0d', '', 7, '1.5h'])
    expect(() => duration.parse(wrong)).toThrow('write a whole number')
})
