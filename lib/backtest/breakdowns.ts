import { mean, quantileSorted, standardDeviation } from '../stats/moments.ts'
import { growth, sharpeRatio } from '../stats/returns.ts'
import { DAY_MS, monthOf } from '../time.ts'
import type { DailyReturns } from './dailyReturns.ts'
import type { BacktestResult } from './engine.ts'
import type { EquityCurve } from './equityCurve.ts'
import { pow10 } from './scaled.ts'

export interface Slice {
  readonly days: number
  readonly totalReturn: number
  readonly meanDailyReturn: number
  readonly hitRate: number
  /** Annualised only for slices of 90 days and more, NaN otherwise. */
  readonly sharpe: number
}

/** The parts of what was earned, in USDT. Costs are negative. */
export interface PnlParts {
  readonly pnl: number
  readonly pricePnl: number
  readonly slippage: number
  readonly fees: number
  readonly funding: number
  readonly liquidationFees: number
}

export interface SymbolBreakdown extends PnlParts {
  readonly symbol: string
  readonly traded: number
}

export function bySymbol(result: BacktestResult): SymbolBreakdown[] {
  const usdt = 1 / pow10(result.cashDecimals)
  return result.perSymbol
    .filter((s) => s.tradedCash > 0)
    .map((s) => {
      const total = s.pricePnl + s.slippage + s.fees + s.funding + s.liquidationFees
      return {
        symbol: s.symbol,
        pnl: total * usdt,
        pricePnl: s.pricePnl * usdt,
        slippage: s.slippage * usdt,
        fees: s.fees * usdt,
        funding: s.funding * usdt,
        liquidationFees: s.liquidationFees * usdt,
        traded: s.tradedCash * usdt,
      }
    })
}

export interface MonthBreakdown extends PnlParts, Slice {
  readonly month: string
}

/** By the month that a day belongs to: its midnight close is the first instant of the next day. */
export function byMonth(daily: DailyReturns, curve: EquityCurve, cashDecimals: number): MonthBreakdown[] {
  const months: MonthBreakdown[] = []
  const rowAt = new Map(Array.from(curve.tsMs, (tsMs, row) => [tsMs, row]))
  const usdt = 1 / pow10(cashDecimals)
  for (let from = 0; from < daily.returns.length; ) {
    const month = monthOf(daily.closeTsMs[from]! - 1)
    let to = from + 1
    while (to < daily.returns.length && monthOf(daily.closeTsMs[to]! - 1) === month) to++
    const first = rowAt.get(daily.closeTsMs[from]! - DAY_MS)
    const last = rowAt.get(daily.closeTsMs[to - 1]!)
    const over = (column: Float64Array): number =>
      first === undefined || last === undefined ? NaN : (column[last]! - column[first]!) * usdt
    months.push({
      month,
      pnl: over(curve.equity),
      pricePnl: over(curve.pricePnl),
      slippage: over(curve.slippage),
      fees: over(curve.fees),
      funding: over(curve.funding),
      liquidationFees: over(curve.liquidationFees),
      ...sliceOf(daily.returns.subarray(from, to)),
    })
    from = to
  }
  return months
}

/** A day's regime, told by the benchmark's thirty days before it: rising or falling by their return, calm or wild by
 *  their volatility against its median over the run. It describes after the fact and is nothing to trade on. */
export type Regime = 'rising calm' | 'rising wild' | 'falling calm' | 'falling wild' | 'unknown'
const regimeDays = 30

export function regimesOf(benchmark: DailyReturns, daily: DailyReturns): Regime[] {
  const place = new Map(Array.from(benchmark.closeTsMs, (tsMs, i) => [tsMs, i]))
  const windows = Array.from(daily.closeTsMs, (tsMs) => {
    const at = place.get(tsMs)
    return at === undefined || at < regimeDays ? undefined : benchmark.returns.subarray(at - regimeDays, at)
  })
  const volatilities = windows.map((w) => (w === undefined ? NaN : standardDeviation(w)))
  const known = Float64Array.from(volatilities.filter((v) => !Number.isNaN(v))).sort()
  const median = quantileSorted(known, 0.5)
  return windows.map((w, i): Regime => {
    if (w === undefined || Number.isNaN(volatilities[i]!)) return 'unknown'
    const trend = growth(w) >= 1 ? 'rising' : 'falling'
    return volatilities[i]! > median ? `${trend} wild` : `${trend} calm`
  })
}

export function byRegime(regimes: readonly Regime[], returns: Float64Array): ({ regime: Regime } & Slice)[] {
  const names: Regime[] = ['rising calm', 'rising wild', 'falling calm', 'falling wild', 'unknown']
  return names
    .map((regime) => ({ regime, ...sliceOf(returns.filter((_, i) => regimes[i] === regime)) }))
    .filter((slice) => slice.days > 0)
}

function sliceOf(returns: Float64Array): Slice {
  const moved = returns.filter((r) => r !== 0 && !Number.isNaN(r))
  return {
    days: returns.length,
    totalReturn: growth(returns) - 1,
    meanDailyReturn: mean(returns),
    hitRate: moved.length === 0 ? NaN : moved.filter((r) => r > 0).length / moved.length,
    sharpe: returns.length < 90 ? NaN : sharpeRatio(returns),
  }
}
