import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { duration } from '../../../lib/backtest/duration.ts'
import { Fault } from '../../../lib/fault.ts'
import { expandSweep, type SweepGrid, sweptParams } from '../../../lib/sweep/points.ts'
import { trend } from './runs.ts'

const addresses = (sweep: SweepGrid) => expandSweep(sweep, trend).map(({ at }) => at.join(','))

function refused(sweep: SweepGrid, options: Parameters<typeof expandSweep>[2] = {}): Fault {
  try {
    expandSweep(sweep, trend, options)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('expandSweep', () => {
  test('gives every combination, sorted by name and then by value', () => {
    expect(addresses({ side: ['short', 'long'], lookbackBars: [168, 24, 9] })).toEqual([
      'lookbackBars:9,side:long',
      'lookbackBars:9,side:short',
      'lookbackBars:24,side:long',
      'lookbackBars:24,side:short',
      'lookbackBars:168,side:long',
      'lookbackBars:168,side:short',
    ])
  })

  test('puts the values over the base, and into the address only what is swept', () => {
    const [point] = expandSweep({ gross: [0.5] }, trend, { base: { gross: 2, side: 'short' } })
    expect(point).toEqual({ values: { gross: 0.5 }, at: ['gross:0.5'], params: { gross: 0.5, side: 'short' } })
  })

  test('is the same list in whatever order the sweep is written', () => {
    const lists = fc.record({
      lookbackBars: fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 5 }),
      gross: fc.uniqueArray(
        fc.double({ min: 0, max: 9, noNaN: true }).map((x) => x + 0),
        { minLength: 1, maxLength: 4 },
      ),
    })
    fc.assert(
      fc.property(lists, ({ lookbackBars, gross }) => {
        const other = { gross: gross.toReversed(), lookbackBars: lookbackBars.toReversed() }
        const points = expandSweep({ lookbackBars, gross }, trend)
        expect(expandSweep(other, trend)).toEqual(points)
        expect(new Set(points.map(({ at }) => at.join())).size).toBe(lookbackBars.length * gross.length)
      }),
    )
  })

  test('a value more leaves the addresses of the others alone', () => {
    const few = addresses({ lookbackBars: [24, 72], gross: [1] })
    expect(addresses({ lookbackBars: [24, 48, 72], gross: [1] })).toEqual(expect.arrayContaining(few))
  })

  const cases: [string, SweepGrid, RegExp, RegExp][] = [
    ['nothing to sweep', {}, /names no parameter/, /perSide/],
    ['an empty list', { gross: [] }, /list of values is empty/, /leave the parameter out/],
    ['a value twice', { gross: [1, 2, 1] }, /value 1 is there twice/, /once/],
    ['the same number as text', { gross: [1, '1'] }, /there twice/, /once/],
    [
      'a name that is nearly right',
      { lookbackBar: [1] },
      /no parameter "lookbackBar"; did you mean "lookbackBars"/,
      /gross/,
    ],
    [
      'a name that is nothing like one',
      { zzzzzzzz: [1] },
      /no parameter "zzzzzzzz"$/,
      /it has gross, lookbackBars, side/,
    ],
    [
      'a value that the strategy refuses',
      { lookbackBars: [24, -1] },
      /refuses lookbackBars:-1: lookbackBars/,
      /correct/,
    ],
    ['a word that no address can hold', { side: ['a,b'] }, /"a,b" cannot be swept over/, /letters/],
    ['a number that is none', { gross: [Number.NaN] }, /"NaN" cannot/, /numbers/],
  ]
  for (const [says, sweep, what, todo] of cases) {
    test(`refuses ${says}`, () => {
      const fault = refused(sweep)
      expect(fault.code).toBe('usage')
      expect(fault.what).toMatch(what)
      expect(fault.todo).toMatch(todo)
    })
  }

  test('refuses more points than allowed before it makes them, and says where they come from', () => {
    const many = Array.from({ length: 3000 }, (_, i) => i + 1)
    expect(refused({ lookbackBars: many, gross: many }).what).toContain(
      '9000000 points (gross 3000 × lookbackBars 3000), and 10000 are allowed',
    )
    expect(refused({ lookbackBars: [1, 2] }, { pointsMax: 1 }).what).toContain('2 points')
  })

  test('finds the names behind a default, and asks nothing of a schema that has none', () => {
    const schema = z.strictObject({ top: z.number() }).prefault({ top: 1 })
    expect(() => expandSweep({ tpo: [1] }, { name: 'x', params: schema })).toThrow('did you mean "top"')
    expect(expandSweep({ any: [1] }, { name: 'x', params: z.unknown() })).toHaveLength(1)
  })
})

test('sweptParams tells the values of each param in rising order', () => {
  const points = expandSweep({ side: ['short', 'long'], lookbackBars: [24, 9] }, trend).map(({ values }) => values)
  expect(sweptParams(points)).toEqual([
    { name: 'lookbackBars', values: [9, 24] },
    { name: 'side', values: ['long', 'short'] },
  ])
})

test('durations are in the order of their length, and a sweep over them is safe in an address', () => {
  const params = z.strictObject({ lookback: duration })
  const points = expandSweep({ lookback: ['14d', '90m', '7d', '24h'] }, { name: 'x', params })
  expect(points.map(({ at }) => at[0])).toEqual(['lookback:90m', 'lookback:24h', 'lookback:7d', 'lookback:14d'])
})
