import type { Rng } from '../rng.ts'
import type { Interval } from '../stats/bootstrap.ts'
import { bootstrapIntervals } from '../stats/bootstrap.ts'
import { deflatedSharpe } from '../stats/deflatedSharpe.ts'
import { kurtosis, mean, quantileSorted, skewness, standardDeviation, sum, variance } from '../stats/moments.ts'
import {
  annualReturn,
  annualVolatility,
  calmarRatio,
  conditionalValueAtRisk,
  cryptoPeriodsPerYear,
  growth,
  hitRate,
  maxDrawdown,
  omegaRatio,
  sharpeRatio,
  sortinoRatio,
} from '../stats/returns.ts'
import type { SharpeEstimate } from '../stats/sharpeError.ts'
import { estimateSharpe } from '../stats/sharpeError.ts'
import type { MonthBreakdown, PnlParts, Regime, Slice, SymbolBreakdown } from './breakdowns.ts'
import { byMonth, byRegime, bySymbol, regimesOf } from './breakdowns.ts'
import type { DailyReturns } from './dailyReturns.ts'
import { alignDays, dailyReturns } from './dailyReturns.ts'
import type { BacktestResult } from './engine.ts'
import { fillFlags, outcomes, type Reason, reasons } from './orders.ts'
import { pow10 } from './scaled.ts'

/** Conventions: daily UTC closes, simple returns, 365 days a year, risk-free rate 0, one degree of freedom taken off.
 *  NaN is a value that does not exist: annual figures of runs under `annualDaysMin`, ratios over nothing. */
const annualDaysMin = 90
/** The capacity is the capital at which 95 % of the fills stay under this share of their bar's volume. */
const capacityShare = 0.01
const capacityLeftOut = 0.05

export interface Metrics {
  readonly outcome: BacktestResult['outcome']
  readonly days: number
  readonly isAnnualised: boolean
  readonly capitalUsdt: number
  readonly endEquityUsdt: number
  readonly totalReturn: number
  readonly annualReturn: number
  readonly volatility: number
  readonly sharpe: SharpeEstimate
  readonly sortino: number
  readonly calmar: number
  readonly omega: number
  /** Negative. Duration is the longest time under a peak, in days. */
  readonly maxDrawdown: number
  readonly drawdownDays: number
  /** Mean of the worst 5 % of days. */
  readonly cvar95: number
  readonly skew: number
  /** 3 for a normal distribution. */
  readonly kurtosis: number
  readonly bestDay: number
  readonly worstDay: number
  readonly hitRate: number
  /** Traded notional over mean equity, a year. */
  readonly turnover: number
  readonly fills: number
  /** Orders that were refused, or got less than they asked for want of margin, and the reason that most of them have. */
  readonly refused: { readonly orders: number; readonly mostly: Reason | undefined }
  readonly exposure: { meanGross: number; meanNet: number; maxGross: number; timeInMarket: number }
  readonly capacityUsdt: number
  /** More fills met the cap on their bar's volume than the capacity leaves out: what they wanted is more than what they
   *  got, so the capacity is at most this. */
  readonly capacityIsBound: boolean
  readonly parts: PnlParts
  readonly bySymbol: readonly SymbolBreakdown[]
  readonly byMonth: readonly MonthBreakdown[]
  readonly byRegime: readonly ({ regime: Regime } & Slice)[]
  readonly benchmark: BenchmarkComparison | undefined
  /** 95 % intervals by the stationary bootstrap over days. */
  readonly intervals: Readonly<Record<'totalReturn' | 'sharpe' | 'maxDrawdown', Interval>> | undefined
  readonly deflated: { trials: number; variance: number; sharpe0: number; probability: number } | undefined
  readonly daily: DailyReturns
}

export interface BenchmarkComparison {
  readonly totalReturn: number
  readonly sharpe: number
  /** Of a day, as runs too short for a year have nothing else. */
  readonly dailySharpe: number
  readonly maxDrawdown: number
  readonly correlation: number
  readonly beta: number
  /** Mean return that beta does not explain, and the deviation of the difference: annual. */
  readonly alpha: number
  readonly trackingError: number
  readonly informationRatio: number
}

/** What of a run's numbers needs no more than the whole days of its account and what it came to. */
export type Headline = Pick<
  Metrics,
  | 'outcome'
  | 'days'
  | 'isAnnualised'
  | 'totalReturn'
  | 'annualReturn'
  | 'sharpe'
  | 'maxDrawdown'
  | 'drawdownDays'
  | 'turnover'
  | 'skew'
  | 'kurtosis'
  | 'fills'
  | 'parts'
  | 'daily'
>

export function headlineOf(run: {
  readonly outcome: BacktestResult['outcome']
  readonly cashDecimals: number
  readonly capitalCash: number
  /** At least the rows at midnight and the last one. */
  readonly equity: BacktestResult['equity']
  /** Over all rows of the run. */
  readonly meanEquityCash: number
  readonly fillCount: number
}): Headline {
  const { equity: curve, capitalCash } = run
  const usdt = 1 / pow10(run.cashDecimals)
  const last = curve.rows - 1
  const daily = dailyReturns(curve.tsMs, curve.equity)
  const { returns } = daily
  const days = returns.length
  // Nobody goes on from nothing: what a ruined account would have made in a year has no meaning.
  const isAnnualised = days >= annualDaysMin && run.outcome !== 'ruined'
  const drawdown = maxDrawdown(returns)
  const sharpe = estimateSharpe(returns, cryptoPeriodsPerYear)
  return {
    outcome: run.outcome,
    days,
    isAnnualised,
    totalReturn: curve.equity[last]! / capitalCash - 1,
    annualReturn: isAnnualised ? annualReturn(returns) : NaN,
    sharpe: isAnnualised ? sharpe : { ...sharpe, annual: NaN, annualAdjusted: NaN, annualError: NaN },
    maxDrawdown: drawdown.depth,
    drawdownDays: drawdown.longestPeriods,
    turnover: isAnnualised ? (curve.traded[last]! / run.meanEquityCash / days) * cryptoPeriodsPerYear : NaN,
    skew: skewness(returns),
    kurtosis: kurtosis(returns),
    fills: run.fillCount,
    parts: {
      pnl: (curve.equity[last]! - capitalCash) * usdt,
      pricePnl: curve.pricePnl[last]! * usdt,
      slippage: curve.slippage[last]! * usdt,
      fees: curve.fees[last]! * usdt,
      funding: curve.funding[last]! * usdt,
      liquidationFees: curve.liquidationFees[last]! * usdt,
    },
    daily,
  }
}

export function computeMetrics(
  result: BacktestResult,
  options: {
    /** Prices or equity of the benchmark; thirty days before the run tell the first regimes. */
    benchmark?: { tsMs: Float64Array; values: Float64Array }
    /** Sharpe ratios per day of all configurations of the sweep this run was chosen from. */
    trialSharpes?: Float64Array
    rng?: Rng
    draws?: number
  } = {},
): Metrics {
  const { equity: curve } = result
  const usdt = 1 / pow10(result.cashDecimals)
  const headline = headlineOf({
    ...result,
    meanEquityCash: mean(curve.equity),
    fillCount: result.fills.qty.filter((qty) => qty !== 0).length,
  })
  const { daily, days, isAnnualised, sharpe, skew, kurtosis } = headline
  const { returns } = daily
  const annual = (value: () => number): number => (isAnnualised ? value() : NaN)
  const benchmarkDays = options.benchmark && dailyReturns(options.benchmark.tsMs, options.benchmark.values)
  const sample = { sharpe: sharpe.sharpe, periods: days, skew, kurtosis }

  return {
    ...headline,
    capitalUsdt: result.capitalCash * usdt,
    endEquityUsdt: curve.equity[curve.rows - 1]! * usdt,
    volatility: annual(() => annualVolatility(returns)),
    sortino: annual(() => sortinoRatio(returns)),
    calmar: annual(() => calmarRatio(returns)),
    omega: omegaRatio(returns),
    cvar95: conditionalValueAtRisk(returns, 0.05),
    bestDay: days === 0 ? NaN : returns.reduce((a, b) => Math.max(a, b)),
    worstDay: days === 0 ? NaN : returns.reduce((a, b) => Math.min(a, b)),
    hitRate: hitRate(returns),
    exposure: exposureOf(result),
    refused: refusedOf(result),
    ...capacityOf(result),
    bySymbol: bySymbol(result),
    byMonth: byMonth(daily, curve, result.cashDecimals),
    byRegime: benchmarkDays ? byRegime(regimesOf(benchmarkDays, daily), returns) : [],
    benchmark: benchmarkDays && compare(returns, alignDays(benchmarkDays, daily), isAnnualised),
    intervals: options.rng && days > 1 ? intervalsOf(returns, options.rng, options.draws) : undefined,
    deflated: options.trialSharpes && deflate(sample, options.trialSharpes),
  }
}

function exposureOf(result: BacktestResult): Metrics['exposure'] {
  const { gross, net, equity, rows } = result.equity
  const grossShare = Float64Array.from({ length: rows }, (_, i) => gross[i]! / equity[i]!)
  const netShare = Float64Array.from({ length: rows }, (_, i) => net[i]! / equity[i]!)
  return {
    meanGross: mean(grossShare),
    meanNet: mean(netShare),
    maxGross: grossShare.reduce((a, b) => Math.max(a, b), 0),
    timeInMarket: gross.filter((value) => value > 0).length / rows,
  }
}

function refusedOf({ fills }: BacktestResult): Metrics['refused'] {
  const counts = new Map<Reason, number>()
  let orders = 0
  for (const [row, index] of fills.reason.entries()) {
    const reason = reasons[index]!
    if (outcomes[fills.outcome[row]!] !== 'rejected' && reason !== 'insufficientMargin') continue
    orders++
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a)
  return { orders, mostly: most?.[0] }
}

function capacityOf({ fills, capitalCash, cashDecimals }: BacktestResult): {
  capacityUsdt: number
  capacityIsBound: boolean
} {
  const shares = fills.volumeShare.filter((share) => share > 0).sort()
  const capped = fills.volumeShare.filter((share, i) => share > 0 && (fills.flags[i]! & fillFlags.volumeCapped) !== 0)
  return {
    capacityUsdt: (capitalCash / pow10(cashDecimals)) * (capacityShare / quantileSorted(shares, 1 - capacityLeftOut)),
    capacityIsBound: capped.length > capacityLeftOut * shares.length,
  }
}

function compare(returns: Float64Array, benchmark: Float64Array, isAnnualised: boolean): BenchmarkComparison {
  const both = Array.from(returns.keys()).filter((i) => !Number.isNaN(returns[i]!) && !Number.isNaN(benchmark[i]!))
  const own = Float64Array.from(both, (i) => returns[i]!)
  const other = Float64Array.from(both, (i) => benchmark[i]!)
  const [ownMean, otherMean] = [mean(own), mean(other)]
  const products = own.map((r, i) => (r - ownMean) * (other[i]! - otherMean))
  const covariance = sum(products) / (both.length - 1)
  const beta = covariance / variance(other)
  const difference = own.map((r, i) => r - other[i]!)
  const year = isAnnualised ? cryptoPeriodsPerYear : NaN
  return {
    totalReturn: growth(other) - 1,
    sharpe: isAnnualised ? sharpeRatio(other) : NaN,
    dailySharpe: otherMean / standardDeviation(other),
    maxDrawdown: maxDrawdown(other).depth,
    correlation: covariance / (standardDeviation(own) * standardDeviation(other)),
    beta,
    alpha: (ownMean - beta * otherMean) * year,
    trackingError: standardDeviation(difference) * Math.sqrt(year),
    informationRatio: isAnnualised ? sharpeRatio(difference) : NaN,
  }
}

function intervalsOf(returns: Float64Array, rng: Rng, draws: number | undefined): NonNullable<Metrics['intervals']> {
  const isAnnualised = returns.length >= annualDaysMin
  const statistics = {
    totalReturn: (sample: Float64Array) => growth(sample) - 1,
    sharpe: (sample: Float64Array) => (isAnnualised ? sharpeRatio(sample) : NaN),
    maxDrawdown: (sample: Float64Array) => maxDrawdown(sample).depth,
  }
  return bootstrapIntervals(returns, statistics, { rng, draws })
}

function deflate(sample: Parameters<typeof deflatedSharpe>[0], trialSharpes: Float64Array): Metrics['deflated'] {
  const count = trialSharpes.length
  const spread = count > 1 ? variance(trialSharpes) : 0
  return { trials: count, variance: spread, ...deflatedSharpe(sample, { count, variance: spread }) }
}
