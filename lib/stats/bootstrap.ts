import assert from 'node:assert/strict'

import { pow } from '../math.ts'
import type { Rng } from '../rng.ts'
import { quantileSorted } from './moments.ts'

export interface Interval {
  readonly low: number
  readonly high: number
  readonly level: number
  readonly draws: number
  readonly meanBlock: number
}

/** One draw of the stationary bootstrap (Politis and Romano): blocks that begin anywhere, of geometric length with the
 *  given mean, around the end to the beginning. Keeps the dependence between neighbours, which single draws destroy. */
export function stationaryResample(length: number, meanBlock: number, rng: Rng, dst: Int32Array): void {
  assert.ok(meanBlock >= 1)
  let at = 0
  for (let i = 0; i < dst.length; i++) {
    const isNewBlock = i === 0 || rng.uniform() * meanBlock < 1
    at = isNewBlock ? rng.below(length) : at + 1 === length ? 0 : at + 1
    dst[i] = at
  }
}

/** The block length that grows with the cube root of the sample, the optimal rate for such intervals. */
function defaultMeanBlock(length: number): number {
  return Math.max(1, pow(length, 1 / 3))
}

/** Percentile intervals for several statistics of the same draws. NaN results of a draw (a ratio over nothing) are left
 *  out; a statistic that is NaN in more than half of them has no interval. */
export function bootstrapIntervals<Name extends string>(
  returns: Float64Array,
  statistics: Readonly<Record<Name, (sample: Float64Array) => number>>,
  options: { rng: Rng; draws?: number; level?: number; meanBlock?: number },
): Record<Name, Interval> {
  const { rng, draws = 1000, level = 0.95, meanBlock = defaultMeanBlock(returns.length) } = options
  assert.ok(returns.length > 0 && draws >= 1 && level > 0 && level < 1)
  const names = Object.keys(statistics) as Name[]
  const results = names.map(() => new Float64Array(draws))
  const picks = new Int32Array(returns.length)
  const sample = new Float64Array(returns.length)
  for (let draw = 0; draw < draws; draw++) {
    stationaryResample(returns.length, meanBlock, rng, picks)
    for (let i = 0; i < picks.length; i++) sample[i] = returns[picks[i]!]!
    for (let k = 0; k < names.length; k++) results[k]![draw] = statistics[names[k]!](sample)
  }
  const intervals = names.map((name, k): [Name, Interval] => {
    const sorted = results[k]!.filter((value) => !Number.isNaN(value)).sort()
    const isKnown = sorted.length * 2 > draws
    const low = isKnown ? quantileSorted(sorted, (1 - level) / 2) : NaN
    const high = isKnown ? quantileSorted(sorted, (1 + level) / 2) : NaN
    return [name, { low, high, level, draws, meanBlock }]
  })
  return Object.fromEntries(intervals) as Record<Name, Interval>
}
