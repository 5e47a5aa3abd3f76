/** Moments of a whole sample. Each takes two passes, about the mean, with compensated sums: the result is right to the
 *  last digits also where the values are large beside their differences. NaN in gives NaN out. */

/** Sum with a running compensation for what each addition rounded away (Neumaier). */
export function sum(values: ArrayLike<number>): number {
  let total = 0
  let lost = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const next = total + value
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total
    total = next
  }
  // An infinite sum would turn its own compensation into NaN.
  return Number.isFinite(total) ? total + lost : total
}

export function mean(values: ArrayLike<number>): number {
  return values.length === 0 ? NaN : sum(values) / values.length
}

/** Sum of (value - center)^power for power 2, 3 or 4. */
function centralSum(values: ArrayLike<number>, center: number, power: 2 | 3 | 4): number {
  const terms = new Float64Array(values.length)
  for (let i = 0; i < terms.length; i++) {
    const apart = values[i]! - center
    const square = apart * apart
    terms[i] = power === 2 ? square : power === 3 ? square * apart : square * square
  }
  return sum(terms)
}

function areEqual(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false
  return Number.isFinite(values[0])
}

/** Variance with `ddof` degrees of freedom taken off; NaN where none are left. */
export function variance(values: ArrayLike<number>, ddof = 1): number {
  if (values.length <= ddof) return NaN
  // The mean of equal values may be a rounding away from them; a ratio over that would be a huge number instead of none.
  if (areEqual(values)) return 0
  return centralSum(values, mean(values), 2) / (values.length - ddof)
}

export function standardDeviation(values: ArrayLike<number>, ddof = 1): number {
  return Math.sqrt(variance(values, ddof))
}

/** Third standardised moment of the sample itself (no bias correction). */
export function skewness(values: ArrayLike<number>): number {
  const spread = variance(values, 0)
  if (!(spread > 0)) return NaN
  return centralSum(values, mean(values), 3) / values.length / (spread * Math.sqrt(spread))
}

/** Fourth standardised moment of the sample itself: 3 for a normal distribution (not the excess). */
export function kurtosis(values: ArrayLike<number>): number {
  const spread = variance(values, 0)
  if (!(spread > 0)) return NaN
  return centralSum(values, mean(values), 4) / values.length / (spread * spread)
}

/** Autocorrelation at a lag: products about the common mean over the sum of squares about it. */
export function autocorrelation(values: ArrayLike<number>, lag: number): number {
  const center = mean(values)
  const products = new Float64Array(Math.max(0, values.length - lag))
  for (let i = 0; i < products.length; i++) products[i] = (values[i]! - center) * (values[i + lag]! - center)
  return sum(products) / centralSum(values, center, 2)
}

/** The value below which the share `q` lies, between neighbours by linear interpolation. `sorted` is ascending. */
export function quantileSorted(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return NaN
  const place = (sorted.length - 1) * q
  const below = Math.floor(place)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (place - below) * (high - low)
}
