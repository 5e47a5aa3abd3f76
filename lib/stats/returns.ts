import { pow } from '../math.ts'
import { mean, standardDeviation, sum } from './moments.ts'

/** Ratios of a series of simple returns, one a period. Conventions, everywhere: risk-free rate 0, sample deviation with
 *  one degree of freedom taken off, `periodsPerYear` 365 for daily crypto returns (252 reproduces equity libraries).
 *  NaN returns are periods without a value: they count as time in growth and are left out of everything else. */

export const cryptoPeriodsPerYear = 365

const valid = (returns: Float64Array): Float64Array => returns.filter((r) => !Number.isNaN(r))

/** Product of (1 + r), from left to right. */
export function growth(returns: Float64Array): number {
  let product = 1
  for (const r of returns) if (!Number.isNaN(r)) product *= 1 + r
  return product
}

/** Compound annual growth rate. NaN once everything is lost: no root of a negative number is a rate. */
export function annualReturn(returns: Float64Array, periodsPerYear = cryptoPeriodsPerYear): number {
  const grown = growth(returns)
  if (returns.length === 0 || grown < 0) return NaN
  return pow(grown, periodsPerYear / returns.length) - 1
}

export function annualVolatility(returns: Float64Array, periodsPerYear = cryptoPeriodsPerYear): number {
  return standardDeviation(valid(returns)) * Math.sqrt(periodsPerYear)
}

/** Mean over deviation, annualised by the square root of the periods in a year. */
export function sharpeRatio(returns: Float64Array, periodsPerYear = cryptoPeriodsPerYear): number {
  const values = valid(returns)
  return ratio(mean(values), standardDeviation(values)) * Math.sqrt(periodsPerYear)
}

/** Mean over downside deviation: the root of the mean square of returns below 0, over all periods. */
export function sortinoRatio(returns: Float64Array, periodsPerYear = cryptoPeriodsPerYear): number {
  const values = valid(returns)
  const downside = Math.sqrt(mean(values.map((r) => (r < 0 ? r * r : 0))))
  return ratio(mean(values), downside) * Math.sqrt(periodsPerYear)
}

/** Annual return over the maximum drawdown. */
export function calmarRatio(returns: Float64Array, periodsPerYear = cryptoPeriodsPerYear): number {
  return ratio(annualReturn(returns, periodsPerYear), -maxDrawdown(returns).depth)
}

/** Sum of gains over sum of losses, about 0. */
export function omegaRatio(returns: Float64Array): number {
  const values = valid(returns)
  const gains = sum(values.map((r) => Math.max(0, r)))
  const losses = sum(values.map((r) => Math.max(0, -r)))
  return ratio(gains, losses)
}

/** Mean of the worst share of periods, at least one of them: the conditional value at risk as a (negative) return. */
export function conditionalValueAtRisk(returns: Float64Array, share = 0.05): number {
  const sorted = valid(returns).sort()
  if (sorted.length === 0) return NaN
  return mean(sorted.subarray(0, Math.max(1, Math.floor(sorted.length * share))))
}

/** Share of the periods that moved at all which gained. */
export function hitRate(returns: Float64Array): number {
  const moved = returns.filter((r) => !Number.isNaN(r) && r !== 0)
  return ratio(moved.filter((r) => r > 0).length, moved.length)
}

export interface Drawdown {
  /** At most 0: -0.1 is ten per cent below the peak. */
  readonly depth: number
  /** Periods after which the peak, the low and the recovery were reached; recovery is -1 where it never came. */
  readonly peak: number
  readonly trough: number
  readonly recovery: number
  /** The longest time below a peak, in periods, whichever drawdown it belongs to. */
  readonly longestPeriods: number
}

/** Of compounded wealth that starts at 1, so that a loss in the first period counts. */
export function maxDrawdown(returns: Float64Array): Drawdown {
  let wealth = 1
  let peakWealth = 1
  let peak = 0
  let longestPeriods = 0
  let deepest = { depth: 0, peak: 0, trough: 0, recovery: 0 }
  for (let i = 0; i < returns.length; i++) {
    if (!Number.isNaN(returns[i]!)) wealth *= 1 + returns[i]!
    if (wealth >= peakWealth) {
      if (deepest.recovery === -1 && deepest.peak === peak) deepest.recovery = i + 1
      peakWealth = wealth
      peak = i + 1
      continue
    }
    longestPeriods = Math.max(longestPeriods, i + 1 - peak)
    const depth = wealth / peakWealth - 1
    if (depth < deepest.depth) deepest = { depth, peak, trough: i + 1, recovery: -1 }
  }
  return { ...deepest, longestPeriods }
}

/** Drawdown after each period. */
export function drawdowns(returns: Float64Array): Float64Array {
  const result = new Float64Array(returns.length)
  let wealth = 1
  let peak = 1
  for (let i = 0; i < returns.length; i++) {
    if (!Number.isNaN(returns[i]!)) wealth *= 1 + returns[i]!
    peak = Math.max(peak, wealth)
    result[i] = wealth / peak - 1
  }
  return result
}

/** NaN instead of an infinite ratio: nothing was risked, so nothing is measured. */
function ratio(value: number, by: number): number {
  return by === 0 ? NaN : value / by
}
