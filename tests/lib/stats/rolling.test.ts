import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createRng } from '../../../lib/rng.ts'
import {
  diff,
  lag,
  rollingEwm,
  rollingMax,
  rollingMean,
  rollingMin,
  rollingStd,
  rollingSum,
} from '../../../lib/stats/rolling.ts'
import { rollingPercentile, rollingQuantile, rollingRank } from '../../../lib/stats/rollingRank.ts'
import { rollingSlope } from '../../../lib/stats/rollingSlope.ts'

type Kernel = (src: Float64Array, window: number, dst: Float64Array, anchor: number) => void

const sum = (w: number[]) => w.reduce((a, b) => a + b, 0)
const mean = (w: number[]) => sum(w) / w.length
const rank = (w: number[]) => {
  const last = w.at(-1)!
  return w.filter((x) => x < last).length + (w.filter((x) => x === last).length + 1) / 2
}
const quantile = (w: number[], q: number) => {
  const sorted = [...w].sort((a, b) => a - b)
  const place = (w.length - 1) * q
  const low = sorted[Math.floor(place)]!
  return low + (place - Math.floor(place)) * ((sorted[Math.floor(place) + 1] ?? low) - low)
}
const decay = 0.9

/** Each kernel beside the plain definition of what it means for one window. */
const kernels: [string, Kernel, (window: number[]) => number, digits: number][] = [
  ['rollingSum', rollingSum, sum, 9],
  ['rollingMean', rollingMean, mean, 9],
  ['rollingMin', rollingMin, (w) => Math.min(...w), 12],
  ['rollingMax', rollingMax, (w) => Math.max(...w), 12],
  [
    'rollingStd',
    (src, window, dst, anchor) => rollingStd(src, window, dst, anchor, 0),
    (w) => Math.sqrt(mean(w.map((x) => (x - mean(w)) * (x - mean(w))))),
    9,
  ],
  [
    'rollingEwm',
    (src, window, dst, anchor) => rollingEwm(src, decay, window, dst, anchor),
    (w) => {
      const weights = w.map((_, k) => decay ** (w.length - 1 - k))
      return sum(w.map((x, k) => x * weights[k]!)) / sum(weights)
    },
    9,
  ],
  [
    'rollingSlope',
    rollingSlope,
    (w) => {
      const middle = (w.length - 1) / 2
      return sum(w.map((y, k) => (k - middle) * y)) / sum(w.map((_, k) => (k - middle) * (k - middle)))
    },
    9,
  ],
  ['rollingRank', rollingRank, rank, 12],
  ['rollingPercentile', rollingPercentile, (w) => rank(w) / w.length, 12],
  ['rollingQuantile', (src, window, dst) => rollingQuantile(src, window, 0.3, dst), (w) => quantile(w, 0.3), 9],
]

function series(seed: number, rows: number, gapsIn100: number): Float64Array {
  const rng = createRng(seed, 'series')
  return Float64Array.from({ length: rows }, () => {
    if (rng.below(100) < gapsIn100) return Number.NaN
    return rng.below(4) === 0 ? rng.below(5) - 2 : 10 * rng.normal() // with ties
  })
}

const applied = (kernel: Kernel, src: Float64Array, window: number, anchor = 0) => {
  const dst = new Float64Array(src.length)
  kernel(src, window, dst, anchor)
  return dst
}

for (const [name, kernel, definition, digits] of kernels) {
  describe(name, () => {
    const scenario = fc.record({
      seed: fc.nat(),
      rows: fc.integer({ min: 0, max: 400 }),
      window: fc.oneof(
        fc.integer({ min: name === 'rollingSlope' ? 2 : 1, max: 20 }),
        fc.integer({ min: 90, max: 200 }),
      ),
      anchor: fc.nat(1000),
      gaps: fc.constantFrom(0, 1, 10),
    })

    test('is its definition in every full window, NaN before the first and wherever a gap is inside', () => {
      fc.assert(
        fc.property(scenario, ({ seed, rows, window, anchor, gaps }) => {
          const src = series(seed, rows, gaps)
          const result = applied(kernel, src, window, anchor)
          for (let i = 0; i < rows; i++) {
            const inside = Array.from(src.subarray(Math.max(0, i - window + 1), i + 1))
            if (inside.length < window || inside.some(Number.isNaN)) expect(result[i]).toBeNaN()
            else expect(result[i]).toBeCloseTo(definition(inside), digits)
          }
        }),
        { numRuns: 60 },
      )
    })

    test('never looks ahead: another future leaves the past bit for bit as it was', () => {
      fc.assert(
        fc.property(scenario, fc.nat(), ({ seed, rows, window, anchor, gaps }, cut) => {
          const now = rows === 0 ? 0 : cut % (rows + 1)
          const src = series(seed, rows, gaps)
          const before = applied(kernel, src, window, anchor).slice(0, now)
          const changed = src.slice()
          changed.set(series(seed + 1, rows - now, gaps), now)
          expect(applied(kernel, changed, window, anchor).slice(0, now)).toEqual(before)
          expect(applied(kernel, src.slice(0, now), window, anchor)).toEqual(before)
        }),
        { numRuns: 60 },
      )
    })

    test('window - 1 rows of warm-up give the same bits as any longer history', () => {
      fc.assert(
        fc.property(scenario, fc.nat(), ({ seed, rows, window, anchor, gaps }, cut) => {
          const start = rows === 0 ? 0 : cut % rows
          const src = series(seed, rows, gaps)
          const whole = applied(kernel, src, window, anchor)
          const late = applied(kernel, src.slice(start), window, anchor + start)
          expect(late.slice(window - 1)).toEqual(whole.slice(start + window - 1))
        }),
        { numRuns: 60 },
      )
    })
  })
}

describe('rollingStd', () => {
  test('the numeric trap: 10000000.2, then .1 and .3 in turn', () => {
    const trap = Float64Array.from({ length: 1001 }, (_, i) => (i === 0 ? 10000000.2 : i % 2 ? 10000000.1 : 10000000.3))
    expect(applied(rollingStd, trap, 1001)[1000]).toBeCloseTo(0.1, 8)
    expect(applied(rollingStd, trap, 500, 77)[1000]).toBeCloseTo(0.1 * Math.sqrt(500 / 499), 8)
  })

  test('a constant has none, exactly', () => {
    expect(applied(rollingStd, new Float64Array(50).fill(0.1), 7, 3).slice(6)).toEqual(new Float64Array(44))
  })
})

describe('rollingRank', () => {
  test('long windows over many chunks agree with counting', () => {
    const src = series(3, 40_000, 0)
    const result = applied(rollingRank, src, 5000)
    for (const i of [4998, 4999, 20_000, 23_999, 39_999]) {
      const inside = Array.from(src.subarray(Math.max(0, i - 4999), i + 1))
      if (inside.length < 5000) expect(result[i]).toBeNaN()
      else expect(result[i]).toBe(rank(inside))
    }
  })

  test('zero and minus zero are equal; infinities have their place', () => {
    const src = Float64Array.from({ length: 200 }, (_, i) => [0, -0, Infinity, -Infinity][i % 4]!)
    const result = applied(rollingRank, src, 100)
    expect(result[196]).toBe(25 + 25.5)
    expect(result[197]).toBe(25 + 25.5)
    expect(result[198]).toBe(75 + 13)
    expect(result[199]).toBe(13)
  })
})

describe('lag and diff', () => {
  test('look back, and have nothing before the start', () => {
    const src = Float64Array.of(1, 4, Number.NaN, 16)
    const dst = new Float64Array(4)
    lag(src, 1, dst)
    expect(dst).toEqual(Float64Array.of(Number.NaN, 1, 4, Number.NaN))
    diff(src, 1, dst)
    expect(dst).toEqual(Float64Array.of(Number.NaN, 3, Number.NaN, Number.NaN))
    lag(src, 9, dst)
    expect(dst.every(Number.isNaN)).toBe(true)
    expect(() => lag(src, -1, dst)).toThrow('a lag looks back')
  })
})
