import assert from 'node:assert/strict'
import type { BacktestRun } from '../market/runs/backtestFiles.ts'
import {
  annualReturn,
  annualVolatility,
  calmarRatio,
  cryptoPeriodsPerYear,
  growth,
  hitRate,
  maxDrawdown,
  sharpeRatio,
  sortinoRatio,
} from '../stats/returns.ts'
import { estimateSharpe } from '../stats/sharpeError.ts'
import type { WalkForwardConfig } from './folds.ts'
import type { FoldRow, Selection, WalkForward } from './outputs.ts'
import { closingCost, foldReturns } from './spanReturns.ts'
import { known } from './summariseSweep.ts'

/** As in metrics: no annual figure of less. */
const annualDaysMin = 90

/** Chains the tests of all folds into one out-of-sample series. Every test starts with the capital and without positions,
 *  pays to enter, and is closed at its end; its returns go on from what the test before left. */
export function joinFolds(
  config: WalkForwardConfig,
  selections: readonly Selection[],
  tests: Iterable<BacktestRun>,
): WalkForward {
  const folds: FoldRow[] = []
  const closeTsMs: number[] = []
  const returns: number[] = []
  let strategy = ''
  for (const { request, result } of tests) {
    const chosen = selections[folds.length]!
    assert.ok(request.fromMs === chosen.test.fromMs && request.toMs === chosen.test.toMs, 'a test covers its span')
    const days = foldReturns(result, chosen.test)
    folds.push(foldRow(chosen, result, days.returns))
    closeTsMs.push(...days.closeTsMs)
    returns.push(...days.returns)
    strategy = request.strategy.name
  }
  assert.equal(folds.length, selections.length, 'a test for every selection')
  return {
    strategy,
    config,
    points: selections[0]!.points.length,
    folds,
    outOfSample: outOfSample(Float64Array.from(returns)),
    daily: { closeTsMs, returns },
  }
}

function foldRow(chosen: Selection, result: BacktestRun['result'], returns: Float64Array): FoldRow {
  const { equity: curve, capitalCash } = result
  const last = curve.rows - 1
  return {
    fold: chosen.fold,
    train: chosen.train,
    test: chosen.test,
    chosen: chosen.chosen.values,
    outcome: result.outcome,
    trainSharpe: chosen.chosen.dailySharpe,
    testSharpe: known(sharpeRatio(returns, 1)),
    totalReturn: known(growth(returns) - 1),
    maxDrawdown: known(maxDrawdown(returns).depth),
    fills: result.fills.qty.filter((qty) => qty !== 0).length,
    costs: (curve.fees[last]! + curve.slippage[last]! - closingCost(result)) / capitalCash,
  }
}

function outOfSample(returns: Float64Array): WalkForward['outOfSample'] {
  const isAnnualised = returns.length >= annualDaysMin
  const annual = (value: number): number | null => (isAnnualised ? known(value) : null)
  const sharpe = estimateSharpe(returns, cryptoPeriodsPerYear)
  const drawdown = maxDrawdown(returns)
  return {
    days: returns.length,
    isAnnualised,
    totalReturn: known(growth(returns) - 1),
    annualReturn: annual(annualReturn(returns)),
    volatility: annual(annualVolatility(returns)),
    sharpe: annual(sharpe.annual),
    sharpeError: annual(sharpe.annualError),
    dailySharpe: known(sharpe.sharpe),
    dailySharpeError: known(sharpe.error),
    sortino: annual(sortinoRatio(returns)),
    calmar: annual(calmarRatio(returns)),
    maxDrawdown: known(drawdown.depth),
    drawdownDays: drawdown.longestPeriods,
    hitRate: known(hitRate(returns)),
    worstDay: known(returns.reduce((a, b) => Math.min(a, b))),
  }
}
