import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planFolds, type TimeSpan, type WalkForwardConfig, walkForwardConfig } from '../../../lib/sweep/folds.ts'
import { startMs } from '../backtest/markets.ts'
import { dayMs, daysFrom } from './runs.ts'

const hourMs = dayMs / 24
const plan = (config: Partial<WalkForwardConfig>, range = daysFrom(0, 100)) =>
  planFolds(walkForwardConfig.parse({ test: '20d', ...config }), range)
const days = ({ fromMs, toMs }: TimeSpan) => [(fromMs - startMs) / dayMs, (toMs - startMs) / dayMs]

describe('planFolds', () => {
  test('rolling: as much training before each test, with the purge between', () => {
    const folds = plan({ train: '30d', purge: '2d' })
    expect(folds.map(({ train, test }) => [train.map(days), days(test)])).toEqual([
      [[[0, 30]], [32, 52]],
      [[[20, 50]], [52, 72]],
      [[[40, 70]], [72, 92]],
    ])
    expect(folds.map(({ name }) => name)).toEqual(['2024-02-02', '2024-02-22', '2024-03-13'])
  })

  test('anchored: everything before', () => {
    const folds = plan({ training: 'anchored', train: '30d', step: '30d' })
    expect(folds.map(({ train, test }) => [train.map(days), days(test)])).toEqual([
      [[[0, 30]], [30, 50]],
      [[[0, 60]], [60, 80]],
    ])
  })

  test('around: everything else, less the purge before and the embargo behind', () => {
    const folds = plan({ training: 'around', test: '25d', purge: '1d', embargo: '5d' })
    expect(folds.map(({ train, test }) => [train.map(days), days(test)])).toEqual([
      [[[30, 100]], [0, 25]],
      [
        [
          [0, 24],
          [55, 100],
        ],
        [25, 50],
      ],
      [
        [
          [0, 49],
          [80, 100],
        ],
        [50, 75],
      ],
      [[[0, 74]], [75, 100]],
    ])
  })

  test('takes whole days: a purge of hours takes the day, a range begins at its first midnight', () => {
    const range = { fromMs: startMs + hourMs, toMs: startMs + 60 * dayMs + hourMs }
    expect(plan({ train: '30d', purge: '4h' }, range).map(({ train, test }) => [train.map(days), days(test)])).toEqual([
      [[[1, 31]], [32, 52]],
    ])
  })

  test('no training row lies within the purge before a test or the embargo after it, no day is tested twice', () => {
    const config = fc.record({
      training: fc.constantFrom('rolling' as const, 'anchored' as const, 'around' as const),
      train: fc.integer({ min: 2, max: 40 }),
      test: fc.integer({ min: 1, max: 20 }),
      more: fc.integer({ min: 0, max: 10 }),
      purgeHours: fc.integer({ min: 0, max: 100 }),
      embargoHours: fc.integer({ min: 0, max: 100 }),
      fromHours: fc.integer({ min: 0, max: 50 }),
      hours: fc.integer({ min: 24 * 90, max: 24 * 200 }),
    })
    fc.assert(
      fc.property(config, ({ training, train, test, more, purgeHours, embargoHours, fromHours, hours }) => {
        const range = { fromMs: startMs + fromHours * hourMs, toMs: startMs + (fromHours + hours) * hourMs }
        const folds = planFolds(
          {
            training,
            ...(training === 'around' ? {} : { train: `${train}d` }),
            test: `${test}d`,
            step: `${test + more}d`,
            purge: `${purgeHours}h`,
            embargo: `${embargoHours}h`,
          },
          range,
        )
        for (const [i, fold] of folds.entries()) {
          const closedFromMs = fold.test.fromMs - purgeHours * hourMs
          const closedToMs = fold.test.toMs + embargoHours * hourMs
          for (const span of fold.train) {
            expect(span.toMs <= closedFromMs || span.fromMs >= closedToMs).toBe(true)
            expect(span.fromMs).toBeGreaterThanOrEqual(range.fromMs)
            expect(span.toMs).toBeLessThanOrEqual(range.toMs)
            expect((span.toMs - span.fromMs) % dayMs).toBe(0)
            expect(span.fromMs % dayMs).toBe(0)
            if (training !== 'around') expect(span.toMs).toBeLessThanOrEqual(fold.test.fromMs)
          }
          expect(fold.test.toMs).toBeLessThanOrEqual(range.toMs)
          if (i > 0) expect(fold.test.fromMs).toBeGreaterThanOrEqual(folds[i - 1]!.test.toMs)
          if (training === 'rolling') expect(fold.train[0]!.toMs - fold.train[0]!.fromMs).toBe(train * dayMs)
        }
      }),
    )
  })

  test('a longer range keeps the folds it had', () => {
    const short = plan({ train: '30d' }, daysFrom(0, 80))
    expect(plan({ train: '30d' }, daysFrom(0, 190)).slice(0, short.length)).toEqual(short)
  })

  const refusals: [string, Partial<WalkForwardConfig>, RegExp][] = [
    ['a test of hours', { train: '30d', test: '12h' }, /not whole days/],
    ['something that is no duration', { train: 'a month' }, /"a month" is not a duration/],
    ['tests that overlap', { train: '30d', step: '10d' }, /tested twice/],
    ['training without a length', {}, /rolling training has no length/],
    ['a length where all the rest is taken', { training: 'around', train: '30d' }, /takes all that is not tested/],
    ['a range that holds no fold', { train: '90d' }, /from 2024-01-01 to 2024-04-10 holds no fold: one takes 110 days/],
    ['inverted dates', { train: '30d' }, /holds no fold/],
  ]
  for (const [says, config, what] of refusals) {
    test(`refuses ${says}`, () => {
      expect(() => plan(config, says === 'inverted dates' ? daysFrom(90, -90) : undefined)).toThrow(what)
    })
  }
})
