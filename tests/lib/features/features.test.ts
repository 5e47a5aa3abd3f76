import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Column } from '../../../lib/features/column.ts'
import {
  ageOf,
  ago,
  asOf,
  changeOver,
  constant,
  custom,
  divide,
  during,
  ewmOver,
  input,
  minus,
  percentileAcross,
  percentileOver,
  plus,
  quantileOver,
  rankAcross,
  slopeOver,
  sumOver,
  times,
  where,
  zScoreAcross,
} from '../../../lib/features/column.ts'
import { evaluateFeatures, mapFeatures } from '../../../lib/features/evaluate.ts'
import type { Feature } from '../../../lib/features/feature.ts'
import { historyMs, readsOf } from '../../../lib/features/feature.ts'
import { featureSet, pickFeatures } from '../../../lib/features/featureSet.ts'
import type { Frame } from '../../../lib/features/frame.ts'
import { fundingSeries, onGrid } from '../../../lib/features/frame.ts'
import { calendarFeatures } from '../../../lib/features/set/masks.ts'
import { laterStart, minuteMs, otherFuture, randomFrame, startTsMs } from './frames.ts'

const named = (column: Column, name = 'x'): Feature => ({ name, group: 'test', says: '', column })
const frameOf = (x: number[], more: Partial<Frame> = {}): Frame => ({
  symbol: 'AUSDT',
  intervalMs: minuteMs,
  startTsMs,
  rows: x.length,
  columns: { x: Float64Array.from(x) },
  series: {},
  ...more,
})
const valuesOf = (column: Column, ...frames: Frame[]) =>
  evaluateFeatures([named(column)], frames).map(({ columns }) => Array.from(columns['x']!))
const x = input('x')

const everything: readonly Feature[] = [
  ...featureSet,
  ...calendarFeatures([{ fromMs: startTsMs + 99 * minuteMs, toMs: startTsMs + 700 * minuteMs, knownAtMs: startTsMs }]),
  named(ewmOver(input('close'), '20m', '2h'), 'ewm'),
  named(percentileOver(input('close'), '3h'), 'percentile'),
  named(quantileOver(input('close'), '3h', 0.9), 'quantile'),
  named(sumOver(ago(slopeOver(input('close'), '7m'), '11m'), '13m'), 'nested'),
  named(where(input('close'), input('mark')), 'where'),
]

describe('no feature looks ahead', () => {
  for (const feature of everything) {
    test(`${feature.name}: another future leaves everything up to now bit for bit as it was`, () => {
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 0, max: 2000 }), (seed, minutes) => {
          const frames = [randomFrame(seed, 2000, 2, 'AUSDT'), randomFrame(seed, 2000, 0, 'BUSDT')]
          const nowMs = startTsMs + minutes * minuteMs
          const changed = frames.map((frame) => otherFuture(frame, nowMs, seed + 1))
          const past = (panel: Frame[]) =>
            evaluateFeatures([feature], panel).map(({ columns }) => columns[feature.name]!.slice(0, minutes))
          expect(past(changed)).toEqual(past(frames))
        }),
        { numRuns: 3 },
      )
    })
  }

  test('a planted leak is caught by the same property', () => {
    const leak = custom([x], '1m', ([src], dst) => {
      for (let i = 0; i < dst.length; i++) dst[i] = src![i + 1] ?? 0
    })
    const frame = frameOf([1, 2, 3, 4])
    const changed = { ...frame, columns: { x: Float64Array.of(1, 2, 9, 9) } }
    expect(valuesOf(leak, changed)[0]!.slice(0, 2)).not.toEqual(valuesOf(leak, frame)[0]!.slice(0, 2))
  })
})

describe('memory that another symbol had before', () => {
  for (const feature of everything.filter(({ column }) => column.kind !== 'across')) {
    test(`${feature.name}: is as if it were new`, () => {
      const frames = ['AUSDT', 'BUSDT', 'CUSDT'].map((symbol, i) => randomFrame(i, 2000, i * 3, symbol))
      frames[1] = otherFuture(frames[1]!, startTsMs, 1)
      const together = evaluateFeatures([feature], frames)
      const alone = frames.flatMap((frame) => evaluateFeatures([feature], [frame]))
      expect(together).toEqual(alone)
    })
  }

  test('is taken again only when the symbol is done with', () => {
    const features = [x, ago(x, '1m'), times(x, constant(2))].map((column, i) => ({ ...named(column), name: `f${i}` }))
    const frames = ['AUSDT', 'BUSDT'].map((symbol, i) => frameOf([1 + i, 2, 3], { symbol }))
    const seen = mapFeatures(features, frames, (symbol, { f0, f1, f2 }) => [symbol, ...f0!, ...f1!, ...f2!])
    expect(seen).toEqual([
      ['AUSDT', 1, 2, 3, NaN, 1, 2, 2, 4, 6],
      ['BUSDT', 2, 2, 3, NaN, 2, 2, 4, 4, 6],
    ])
  })
})

test('a quotient has no value where its divisor is zero or missing, wherever that is', () => {
  const value = fc.oneof(fc.constantFrom(0, -0, NaN, 1e-320, -3), fc.double({ noDefaultInfinity: true }))
  fc.assert(
    fc.property(fc.array(value, { maxLength: 40 }), fc.nat(9), fc.constantFrom(0, 1), (values, minutes, less) => {
      const before = minutes === 0 ? x : ago(x, `${minutes}m`)
      const top = plus(x, constant(1))
      const column = minus(divide(top, before), constant(less))
      const expected = values.map((value, i) => {
        const divisor = values[i - minutes] ?? NaN
        return divisor === 0 ? NaN : (value + 1) / divisor - less
      })
      expect(valuesOf(column, frameOf(values))[0]).toEqual(expected)
      expect(valuesOf(divide(top, before), frameOf(values))[0]).toEqual(
        expected.map((_, i) => {
          const divisor = values[i - minutes] ?? NaN
          return divisor === 0 ? NaN : (values[i]! + 1) / divisor
        }),
      )
    }),
    { seed: 11, numRuns: 300 },
  )
})

test('a kernel of a project may keep what it made', () => {
  let first: Float64Array | undefined
  const againstFirst = custom([x], '1m', ([src], dst) => {
    dst.set(src!)
    first ??= dst
    for (let i = 0; i < dst.length; i++) dst[i] = src![i]! - first[i]!
    if (dst === first) dst.set(src!)
  })
  const frames = ['AUSDT', 'BUSDT'].map((symbol, i) => frameOf([1, 2, 3 + i], { symbol }))
  expect(valuesOf(againstFirst, ...frames)).toEqual([
    [1, 2, 3],
    [0, 0, 1],
  ])
})

test('a kernel of a project that sorts its input in place changes it for nobody else', () => {
  const largest = custom([x], '1m', ([src], dst) => dst.fill(src!.sort().at(-1)!))
  const features = [largest, x].map((column, i) => ({ name: `f${i}`, group: 'g', says: '', column }))
  const [own] = evaluateFeatures(features, [frameOf([3, 1, 2])])
  expect([...own!.columns['f1']!]).toEqual([3, 1, 2])
})

describe('the declared warm-up is enough', () => {
  for (const feature of everything) {
    test(`${feature.name}: with that much history a value has the bits it has with all of it`, () => {
      const rows = 5000
      const frames = [randomFrame(7, rows, 0, 'AUSDT'), randomFrame(8, rows, 0, 'BUSDT')]
      const whole = evaluateFeatures([feature], frames)
      const warmupMs = historyMs(feature.column, minuteMs)
      for (const row of [4999, 4201, 3777]) {
        const fromMs = startTsMs + row * minuteMs - warmupMs
        const late = evaluateFeatures(
          [feature],
          frames.map((frame) => laterStart(frame, fromMs)),
        )
        for (let s = 0; s < 2; s++) {
          const all = whole[s]!.columns[feature.name]!
          const some = late[s]!.columns[feature.name]!
          expect(some[some.length - (rows - row)]).toBe(all[row])
        }
      }
      expect(whole[0]!.columns[feature.name]!.subarray(3777).some((value) => !Number.isNaN(value))).toBe(true)
    })
  }

  test('one row less is too little: the warm-up is not just large', () => {
    const column = sumOver(ago(x, '3m'), '5m')
    const frame = frameOf(Array.from({ length: 50 }, (_, i) => i))
    const rowsNeeded = historyMs(column, minuteMs) / minuteMs
    expect(rowsNeeded).toBe(7)
    expect(valuesOf(column, laterStart(frame, startTsMs + minuteMs))[0]![rowsNeeded]).toBe(
      valuesOf(column, frame)[0]![8],
    )
    expect(valuesOf(column, laterStart(frame, startTsMs + minuteMs))[0]![rowsNeeded - 1]).toBeNaN()
  })
})

describe('gaps', () => {
  test('a missing minute blanks the windows that contain it and no others', () => {
    expect(valuesOf(sumOver(x, '2m'), frameOf([1, NaN, 3, 5, 7]))[0]).toEqual([NaN, NaN, NaN, 8, 12])
  })

  test('rows are laid on the grid, the missing ones NaN', () => {
    const rows = {
      openTsMs: Float64Array.of(startTsMs, startTsMs + 2 * minuteMs),
      columns: { x: Float64Array.of(1, 3) },
    }
    expect(onGrid(rows, { startTsMs, intervalMs: minuteMs, rows: 4 })).toEqual({ x: Float64Array.of(1, NaN, 3, NaN) })
  })

  test('a share of nothing is NaN, not infinite', () => {
    expect(valuesOf(divide(x, changeOver(x, '1m')), frameOf([1, 1, 2]))[0]).toEqual([NaN, NaN, 2])
  })
})

describe('as-of joins', () => {
  const series = {
    events: {
      knownAtMs: Float64Array.of(startTsMs + 2 * minuteMs, startTsMs + 5 * minuteMs + 1),
      fields: { v: Float64Array.of(10, 20) },
    },
  }
  const frame = frameOf([0, 0, 0, 0, 0, 0, 0, 0], { series })

  test('an entry serves from the row whose close knows it, until it is too old', () => {
    expect(valuesOf(asOf('events', 'v', '2m'), frame)[0]).toEqual([NaN, 10, 10, 10, NaN, 20, 20, NaN])
    expect(valuesOf(ageOf('events', '1m'), frame)[0]!.slice(0, 4)).toEqual([NaN, 0, minuteMs, NaN])
  })

  test('funding of 1h, 4h and 8h intervals compares once scaled, also where the interval changes', () => {
    const hours = [0, 8, 16, 20, 24, 25]
    const tsMs = Float64Array.from(hours, (h) => startTsMs + h * 3_600_000)
    const { fields } = fundingSeries({ tsMs, rate: new Float64Array(6).fill(0.0001) })
    expect(Array.from(fields['intervalHours']!)).toEqual([NaN, 8, 8, 4, 4, 1])
    expect(Array.from(fields['rate8h']!, (rate) => Math.round(rate * 1e4))).toEqual([NaN, 1, 1, 2, 2, 8])
  })
})

describe('across symbols', () => {
  const panel = [
    frameOf([3, NaN, 5], { symbol: 'C' }),
    frameOf([1, 2, 5], { symbol: 'A' }),
    frameOf([2, 4, 5], { symbol: 'B' }),
  ]

  test('ranks and percentiles count who is there; ties share; order of listing is nothing', () => {
    expect(valuesOf(rankAcross(x), ...panel)).toEqual([
      [1, 1, 2],
      [2, 2, 2],
      [3, NaN, 2],
    ])
    expect(valuesOf(percentileAcross(x), ...panel)[1]).toEqual([2 / 3, 1, 2 / 3])
    expect(valuesOf(rankAcross(x), ...[...panel].reverse())).toEqual(valuesOf(rankAcross(x), ...panel))
  })

  test('z-scores; none where there is no spread', () => {
    const [a, b, c] = valuesOf(zScoreAcross(x), ...panel)
    expect([a![0], b![0], c![0]]).toEqual([-1, 0, 1])
    expect(a![2]).toBeNaN()
  })

  test('no z-score among equals, whatever their mean rounds to', () => {
    for (let size = 2; size <= 50; size++) {
      const equal = Array.from({ length: size }, (_, i) => ({ ...frameOf([0.0001]), symbol: `S${i}` }))
      expect(valuesOf(zScoreAcross(x), ...equal).flat()).toEqual(equal.map(() => NaN))
    }
  })

  test('windows over ranks and ranks over windows', () => {
    expect(valuesOf(sumOver(rankAcross(x), '2m'), ...panel)[0]).toEqual([NaN, 2, 3])
    expect(valuesOf(rankAcross(sumOver(x, '2m')), ...panel)[1]).toEqual([NaN, 2, 2])
  })
})

describe('masks', () => {
  test('near a settlement, before and after, from the schedule known so far', () => {
    const funding = fundingSeries({
      tsMs: Float64Array.of(startTsMs - 8 * 3_600_000, startTsMs),
      rate: Float64Array.of(0, 0),
    })
    const frame = frameOf(
      Array.from({ length: 485 }, () => 0),
      { series: { funding } },
    )
    const [near] = evaluateFeatures(pickFeatures(['near_settlement']), [frame])
    const mask = near!.columns['near_settlement']!
    expect(Array.from(mask.subarray(0, 12))).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    expect(mask[468]).toBe(0)
    expect(mask[469]).toBe(1) // known at 07:50
  })

  test('an event that is announced late masks only from its announcement', () => {
    const at = (minutes: number) => startTsMs + minutes * minuteMs
    const span = { fromMs: at(2), toMs: at(6), knownAtMs: at(4) }
    expect(valuesOf(during([span]), frameOf([0, 0, 0, 0, 0, 0, 0]))[0]).toEqual([0, 0, 0, 1, 1, 0, 0])
  })
})

describe('what is missing is named', () => {
  test('a column, a series, a span finer than the rows, a feature', () => {
    const coarse = { ...frameOf([1, 2]), intervalMs: 3_600_000 }
    expect(() => valuesOf(input('openInterest'), frameOf([1]))).toThrow('needs the column "openInterest"')
    expect(() => valuesOf(asOf('funding', 'rate', '8h'), frameOf([1]))).toThrow('needs the series "funding"')
    expect(() => valuesOf(sumOver(x, '5m'), coarse)).toThrow('no multiple of the 60 minutes of a row')
    expect(() => pickFeatures(['rv_15'])).toThrow('there is no feature "rv_15"')
  })

  test('what a feature reads can be told without running it', () => {
    const [share] = pickFeatures(['perp_share_60m'])
    expect([...readsOf(share!.column).inputs].sort()).toEqual(['quoteVolume', 'spotQuoteVolume'])
    const [pctile] = pickFeatures(['funding_pctile_30d'])
    expect([...readsOf(pctile!.column).series]).toEqual([['funding', new Set(['rate8h'])]])
  })
})

describe('the feature set', () => {
  test('has no two features of one name', () => {
    expect(new Set(featureSet.map((feature) => feature.name)).size).toBe(featureSet.length)
  })

  test('rv_15m is the root of the sum of squares of the last fifteen minute returns', () => {
    const frame = randomFrame(1, 30, 0)
    const [result] = evaluateFeatures(pickFeatures(['rv_15m']), [frame])
    const close = frame.columns['close']!
    let squares = 0
    for (let i = 15; i < 30; i++) squares += (close[i]! / close[i - 1]! - 1) * (close[i]! / close[i - 1]! - 1)
    expect(result!.columns['rv_15m']![29]).toBeCloseTo(Math.sqrt(squares), 14)
    expect(result!.columns['rv_15m']![14]).toBeNaN()
  })

  test('the slope of a line is its slope', () => {
    const line = Array.from({ length: 40 }, (_, i) => 7 - 0.25 * i)
    const [slopes] = valuesOf(slopeOver(x, '9m'), frameOf(line))
    expect(slopes!.slice(0, 8).every(Number.isNaN)).toBe(true)
    for (const slope of slopes!.slice(8)) expect(slope).toBeCloseTo(-0.25, 12)
  })
})
