import type { BacktestResult } from '../backtest/engine.ts'
import { ceilTo, DAY_MS, floorTo } from '../time.ts'
import type { TimeSpan } from './folds.ts'

export interface SpanReturns {
  /** Midnight that ends day i. */
  readonly closeTsMs: Float64Array
  readonly returns: Float64Array
}

/**
 * Returns of every whole UTC day of a span, so that runs over one span have the same days whatever became of them: a run
 * that ended early (ruined, or out of data) earns nothing on the days that are left, and one whose data began late earned
 * nothing before. A midnight takes the last value at or before it.
 */
export function spanReturns(curve: BacktestResult['equity'], span: TimeSpan): SpanReturns {
  const fromMs = ceilTo(span.fromMs, DAY_MS)
  const days = Math.max(0, (floorTo(span.toMs, DAY_MS) - fromMs) / DAY_MS)
  const closeTsMs = Float64Array.from({ length: days }, (_, i) => fromMs + (i + 1) * DAY_MS)
  const returns = new Float64Array(days)
  let row = 0
  const valueAt = (tsMs: number): number => {
    while (row + 1 < curve.rows && curve.tsMs[row + 1]! <= tsMs) row++
    return curve.equity[row]!
  }
  let before = valueAt(fromMs)
  for (let i = 0; i < days; i++) {
    const value = valueAt(closeTsMs[i]!)
    returns[i] = before > 0 ? value / before - 1 : 0
    before = value
  }
  return { closeTsMs, returns }
}

/** What closing everything at the end would cost, in units of cash: what is still held, at the run's own mean cost of a
 *  traded USDT. The engine marks open positions at the end of its range and charges nothing for them; the next fold
 *  starts flat, so somebody has to pay. */
export function closingCost({ equity: curve }: Pick<BacktestResult, 'equity'>): number {
  const last = curve.rows - 1
  const held = curve.gross[last]!
  const traded = curve.traded[last]!
  if (!(held > 0 && traded > 0)) return 0
  return Math.max(0, (-(curve.fees[last]! + curve.slippage[last]!) / traded) * held)
}

/** As `spanReturns`, of a fold: flat at its end, and paid for on its last day. */
export function foldReturns(result: Pick<BacktestResult, 'equity'>, span: TimeSpan): SpanReturns {
  const days = spanReturns(result.equity, span)
  const last = days.returns.length - 1
  const end = result.equity.equity[result.equity.rows - 1]!
  if (last >= 0 && end > 0) days.returns[last] = (1 + days.returns[last]!) * (1 - closingCost(result) / end) - 1
  return days
}
