import { pow } from '../math.ts'
import { autocorrelation, mean, standardDeviation, sum, variance } from './moments.ts'

export interface SharpeEstimate {
  /** Per period, not annualised. */
  readonly sharpe: number
  /** Standard errors of it: for independent normal returns, and robust to autocorrelation, skew and fat tails. */
  readonly errorIid: number
  readonly error: number
  /** Lags the robust error looks at. */
  readonly lags: number
  /** Annualised: by the square root of the periods, and by Lo's factor that takes autocorrelation into account. */
  readonly annual: number
  readonly annualAdjusted: number
  readonly annualError: number
  readonly periods: number
}

/** Lo (2002): the Sharpe ratio is a function of two moments, so its error follows from their long-run covariance
 *  (Newey–West, Bartlett weights, lags by the usual rule 4 (T/100)^(2/9)). */
export function estimateSharpe(returns: Float64Array, periodsPerYear: number): SharpeEstimate {
  const periods = returns.length
  const average = mean(returns)
  const spread = Math.sqrt(variance(returns, 0))
  const sharpe = average / standardDeviation(returns)
  const lags = Math.max(0, Math.min(periods - 1, Math.floor(4 * pow(periods / 100, 2 / 9))))

  // The influence of one return on the estimate, by the delta method.
  const influence = returns.map((r) => {
    const z = (r - average) / spread
    return z - (sharpe / 2) * (z * z - 1)
  })
  const error = Math.sqrt(longRunVariance(influence, lags) / periods)
  const root = Math.sqrt(periodsPerYear)
  return {
    sharpe,
    errorIid: Math.sqrt((1 + (sharpe * sharpe) / 2) / periods),
    error,
    lags,
    annual: sharpe * root,
    annualAdjusted: sharpe * annualisation(returns, periodsPerYear, lags),
    annualError: error * root,
    periods,
  }
}

/** Of the mean of a series, times its length. Bartlett weights keep it positive. */
function longRunVariance(values: Float64Array, lags: number): number {
  const center = mean(values)
  const about = values.map((value) => value - center)
  let total = sum(about.map((value) => value * value)) / values.length
  for (let lag = 1; lag <= lags; lag++) {
    const products = new Float64Array(values.length - lag)
    for (let i = 0; i < products.length; i++) products[i] = about[i]! * about[i + lag]!
    total += 2 * (1 - lag / (lags + 1)) * (sum(products) / values.length)
  }
  return Math.max(0, total)
}

/** Lo's q / sqrt(q + 2 sum (q - k) rho_k), with autocorrelations beyond `lags` taken for noise. */
function annualisation(returns: Float64Array, periodsPerYear: number, lags: number): number {
  let under = periodsPerYear
  for (let k = 1; k <= Math.min(lags, periodsPerYear - 1); k++) {
    under += 2 * (periodsPerYear - k) * autocorrelation(returns, k)
  }
  return under > 0 ? periodsPerYear / Math.sqrt(under) : NaN
}
