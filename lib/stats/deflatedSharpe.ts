import assert from 'node:assert/strict'

import { inverseNormal } from '../rng.ts'
import { normalCdf } from './normal.ts'

const eulerGamma = 0.5772156649015329
const e = Math.E

/** The Sharpe ratio that the best of `trials` worthless strategies is expected to show, when their Sharpe ratios vary with
 *  `variance`. Per period, as everything here. */
export function expectedMaxSharpe(trials: number, variance: number): number {
  assert.ok(trials >= 1 && variance >= 0)
  if (trials === 1) return 0
  const typical = inverseNormal(1 - 1 / trials)
  const extreme = inverseNormal(1 - 1 / (trials * e))
  return Math.sqrt(variance) * ((1 - eulerGamma) * typical + eulerGamma * extreme)
}

/** Probability that the true Sharpe ratio is above `benchmark`, given the sample's length, skew and kurtosis (3 is
 *  normal). Bailey and López de Prado's probabilistic Sharpe ratio. */
function probabilisticSharpe(sample: SharpeSample, benchmark: number): number {
  const { sharpe, periods, skew, kurtosis } = sample
  const spread = 1 - skew * sharpe + ((kurtosis - 1) / 4) * sharpe * sharpe
  return normalCdf(((sharpe - benchmark) * Math.sqrt(periods - 1)) / Math.sqrt(spread))
}

export interface SharpeSample {
  /** Per period, not annualised. */
  readonly sharpe: number
  readonly periods: number
  readonly skew: number
  readonly kurtosis: number
}

/** The probabilistic Sharpe ratio against what the best of all trials would have shown by luck. */
export function deflatedSharpe(
  sample: SharpeSample,
  trials: { count: number; variance: number },
): { sharpe0: number; probability: number } {
  const sharpe0 = expectedMaxSharpe(trials.count, trials.variance)
  return { sharpe0, probability: probabilisticSharpe(sample, sharpe0) }
}
