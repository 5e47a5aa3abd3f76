import assert from 'node:assert/strict'

import { log } from '../math.ts'

export interface OverfittingResult {
  /** Share of the splits in which the best configuration of one half was below the median of the other. */
  readonly probability: number
  /** Of each split: the logit of the relative rank out of sample. Negative is below the median. */
  readonly logits: Float64Array
  /** Of each split: the chosen configuration, and its Sharpe ratio per period in and out of sample. */
  readonly chosen: Int32Array
  readonly inSample: Float64Array
  readonly outOfSample: Float64Array
}

/** The probability of backtest overfitting by combinatorially symmetric cross-validation (Bailey, Borwein, López de
 *  Prado, Zhu): the periods are cut into `blocks` equal parts, every half of them once serves for choosing the best
 *  configuration by Sharpe ratio and its complement for judging it. `returns[k]` are those of configuration k over the
 *  same periods. Periods that do not fill the blocks are left out at the start. */
export function probabilityOfOverfitting(returns: readonly Float64Array[], blocks = 16): OverfittingResult {
  const count = returns.length
  const periods = returns[0]?.length ?? 0
  assert.ok(count >= 2, 'overfitting needs configurations to choose among')
  assert.ok(blocks >= 2 && blocks % 2 === 0 && periods >= 2 * blocks, 'two periods a block at least')
  for (const series of returns) assert.equal(series.length, periods)
  const length = Math.floor(periods / blocks)
  const moments = blockMoments(returns, blocks, length, periods - blocks * length)

  const splits = combinations(blocks, blocks / 2)
  const result = {
    logits: new Float64Array(splits.length),
    chosen: new Int32Array(splits.length),
    inSample: new Float64Array(splits.length),
    outOfSample: new Float64Array(splits.length),
  }
  const n = (length * blocks) / 2
  const inside = new Float64Array(count)
  const outside = new Float64Array(count)
  let below = 0
  for (let i = 0; i < splits.length; i++) {
    const mask = splits[i]!
    sharpes(moments, mask, blocks, n, inside)
    sharpes(moments, ~mask, blocks, n, outside)
    let best = 0
    for (let k = 1; k < count; k++) if (inside[k]! > inside[best]!) best = k
    const rank = meanRank(outside, best)
    const logit = log(rank / (count + 1 - rank))
    if (logit <= 0) below++
    result.logits[i] = logit
    result.chosen[i] = best
    result.inSample[i] = inside[best]!
    result.outOfSample[i] = outside[best]!
  }
  return { probability: below / splits.length, ...result }
}

/** Sum and sum of squares by configuration and block. Returns are small and near zero, so plain squares are safe once
 *  each configuration is taken about its own mean. */
function blockMoments(returns: readonly Float64Array[], blocks: number, length: number, skip: number) {
  const sums = new Float64Array(returns.length * blocks)
  const squares = new Float64Array(returns.length * blocks)
  const means = new Float64Array(returns.length)
  for (let k = 0; k < returns.length; k++) {
    const series = returns[k]!
    let total = 0
    for (let i = skip; i < series.length; i++) total += series[i]!
    const center = (means[k] = total / (blocks * length))
    for (let b = 0; b < blocks; b++) {
      for (let i = skip + b * length; i < skip + (b + 1) * length; i++) {
        const apart = series[i]! - center
        sums[k * blocks + b]! += apart
        squares[k * blocks + b]! += apart * apart
      }
    }
  }
  return { sums, squares, means }
}

function sharpes(
  moments: ReturnType<typeof blockMoments>,
  mask: number,
  blocks: number,
  n: number,
  dst: Float64Array,
): void {
  const { sums, squares, means } = moments
  for (let k = 0; k < dst.length; k++) {
    let sum = 0
    let square = 0
    for (let b = 0; b < blocks; b++) {
      if ((mask >>> b) % 2 === 0) continue
      sum += sums[k * blocks + b]!
      square += squares[k * blocks + b]!
    }
    const spread = (square - (sum * sum) / n) / (n - 1)
    // A configuration that never traded has no Sharpe ratio; it ranks as zero, which is what it earned.
    dst[k] = spread > 0 ? (means[k]! + sum / n) / Math.sqrt(spread) : 0
  }
}

/** Place of one value among all, 1 the lowest; ties share the mean of their places. */
function meanRank(values: Float64Array, index: number): number {
  const value = values[index]!
  let less = 0
  let equal = 0
  for (let k = 0; k < values.length; k++) {
    if (values[k]! < value) less++
    else if (values[k] === value) equal++
  }
  return less + (equal + 1) / 2
}

/** All sets of `size` of `total` elements as bit masks, in rising order. */
function combinations(total: number, size: number): Int32Array {
  const masks: number[] = []
  for (let mask = 0; mask < 1 << total; mask++) {
    let bits = 0
    for (let rest = mask; rest !== 0; rest &= rest - 1) bits++
    if (bits === size) masks.push(mask)
  }
  return Int32Array.from(masks)
}
