import { describe, expect, test } from 'vitest'
import { computeMetrics } from '../../../lib/backtest/metrics.ts'
import type { BacktestRun } from '../../../lib/market/runs/backtestFiles.ts'
import { trialOf } from '../../../lib/market/runs/trialFiles.ts'
import { createRng } from '../../../lib/rng.ts'
import { deflatedSharpe } from '../../../lib/stats/deflatedSharpe.ts'
import { variance } from '../../../lib/stats/moments.ts'
import { growth, sharpeRatio } from '../../../lib/stats/returns.ts'
import { planFolds, type TimeSpan, walkForwardConfig } from '../../../lib/sweep/folds.ts'
import { joinFolds } from '../../../lib/sweep/joinFolds.ts'
import { selection as selectionType, sweepSummary, walkForward } from '../../../lib/sweep/outputs.ts'
import { expandSweep } from '../../../lib/sweep/points.ts'
import { selectPoint } from '../../../lib/sweep/selectPoint.ts'
import { closingCost, foldReturns, spanReturns } from '../../../lib/sweep/spanReturns.ts'
import { summariseSweep } from '../../../lib/sweep/summariseSweep.ts'
import { randomMarket } from '../backtest/markets.ts'
import { dayMs, daysFrom, runOver, trend } from './runs.ts'

const market = randomMarket(11, 4, 120 * 24)
const points = expandSweep({ lookbackBars: [6, 12, 24, 48, 96], side: ['long', 'short'] }, trend)
const values = points.map((point) => point.values)
const range = daysFrom(0, 110)
const runs = points.map(({ params }) => runOver(market, params, range))

/** A run with these returns a day, from whatever it did. */
function runWith(returns: readonly number[], span: TimeSpan, changes: Partial<BacktestRun['result']['equity']> = {}) {
  const capital = 1e13
  const closes = [capital]
  for (const r of returns) closes.push(Math.round(closes.at(-1)! * (1 + r)))
  const rows = closes.length
  const zero = new Float64Array(rows)
  const equity: BacktestRun['result']['equity'] = {
    rows,
    tsMs: Float64Array.from(closes, (_, i) => span.fromMs + i * dayMs),
    equity: Float64Array.from(closes),
    cash: Float64Array.from(closes),
    gross: zero,
    net: zero,
    pricePnl: zero,
    slippage: zero,
    fees: zero,
    funding: zero,
    liquidationFees: zero,
    traded: zero,
    ...changes,
  }
  const run = runs[0]!
  const made = { request: { ...run.request, ...span }, result: { ...run.result, capitalCash: capital, equity } }
  return made satisfies BacktestRun
}

describe('spanReturns', () => {
  const span = daysFrom(0, 4)

  test('has every day of the span: none moved before data and after an early end', () => {
    const { equity } = runWith([0.1, -0.5], { fromMs: span.fromMs + dayMs, toMs: span.toMs }).result
    const { closeTsMs, returns } = spanReturns(equity, span)
    expect([...returns]).toEqual([0, expect.closeTo(0.1), expect.closeTo(-0.5), 0])
    expect([...closeTsMs]).toEqual([1, 2, 3, 4].map((day) => span.fromMs + day * dayMs))
  })

  test('a ruined account earns nothing more', () => {
    expect([...spanReturns(runWith([-1, 0], span).result.equity, span).returns]).toEqual([-1, 0, 0, 0])
  })

  test('is what metrics take for daily returns of a whole run', () => {
    for (const run of runs) {
      expect([...spanReturns(run.result.equity, range).returns]).toEqual([...computeMetrics(run.result).daily.returns])
    }
  })
})

describe('a fold is closed at its end', () => {
  const span = daysFrom(0, 2)
  const held = { gross: [0, 1e13, 5e12], traded: [0, 1e13, 2e13], fees: [0, -5e9, -1e10], slippage: [0, -1e9, -2e9] }
  const columns = Object.fromEntries(Object.entries(held).map(([name, all]) => [name, Float64Array.from(all)]))

  test('what is still held costs what trading it cost so far', () => {
    const { result } = runWith([0, 0], span, columns)
    expect(closingCost(result)).toBeCloseTo(5e12 * (1.2e10 / 2e13), 3)
    expect([...foldReturns(result, span).returns]).toEqual([0, expect.closeTo(-3e9 / 1e13, 12)])
  })

  test('who is flat, or never traded, pays nothing', () => {
    expect(closingCost(runWith([0, 0], span, { ...columns, gross: new Float64Array(3) }).result)).toBe(0)
    expect(closingCost(runWith([0, 0], span).result)).toBe(0)
  })
})

describe('summariseSweep', () => {
  const summary = summariseSweep(values, runs.map(trialOf))

  test('fits its schema, and repeats what metrics say of each run', () => {
    expect(sweepSummary.schema.parse(summary)).toEqual(summary)
    summary.points.forEach((row, i) => {
      const metrics = computeMetrics(runs[i]!.result)
      expect(row.values).toEqual(values[i])
      expect(row.sharpe).toBe(metrics.sharpe.annual)
      expect(row.annualReturn).toBe(metrics.annualReturn)
      expect(row.maxDrawdown).toBe(metrics.maxDrawdown)
      expect(row.turnover).toBe(metrics.turnover)
      expect(row.fees).toBe(metrics.parts.fees)
      expect(row.fills).toBe(metrics.fills)
    })
  })

  test('deflates by the number and the variance of these very points', () => {
    const sharpes = Float64Array.from(runs, ({ result }) => computeMetrics(result).sharpe.sharpe)
    expect(summary.trials.count).toBe(10)
    expect(summary.trials.variance).toBe(variance(sharpes))
    const { days, skew, kurtosis, sharpe } = computeMetrics(runs[3]!.result)
    const sample = { sharpe: sharpe.sharpe, periods: days, skew, kurtosis }
    const want = deflatedSharpe(sample, { count: 10, variance: variance(sharpes) })
    expect(summary.points[3]!.deflated).toBe(want.probability)
    expect(summary.trials.sharpe0).toBe(want.sharpe0)
    expect(computeMetrics(runs[3]!.result, { trialSharpes: sharpes }).deflated?.probability).toBe(want.probability)
    expect(sharpes[summary.best]).toBe(Math.max(...sharpes))
  })

  test('knows the probability of overfitting of ten configurations, and says why there is none of fewer', () => {
    expect(summary.overfitting).toMatchObject({ configurations: 10, blocks: 16, splits: 12_870, days: 110 })
    const nine = summariseSweep(values.slice(1), runs.slice(1).map(trialOf))
    expect(nine.overfitting).toBeUndefined()
    expect(nine.overfittingAbsent).toBe('it needs 10 configurations to choose among, and there are 9')
    const same = summariseSweep(
      values,
      values.map(() => trialOf(runs[0]!)),
    )
    expect(same.overfitting).toBeUndefined()
    expect(same.overfittingAbsent).toMatch('all configurations earned the same')
    const short = daysFrom(0, 31)
    const brief = summariseSweep(
      values,
      points.map(({ params }) => trialOf(runOver(market, params, short))),
    )
    expect(brief.overfittingAbsent).toBe('it needs 32 days, two for each of its 16 blocks, and there are 31')
    expect(brief.isAnnualised).toBe(false)
    expect(brief.points.every((row) => row.sharpe === null && row.annualReturn === null)).toBe(true)
  })

  test('skill that was planted is believed, luck is not', () => {
    const days = (drift: number, k: number) => {
      const rng = createRng(5, k)
      return Array.from({ length: 320 }, () => drift + 0.01 * rng.normal())
    }
    const grid = expandSweep({ gross: Array.from({ length: 12 }, (_, k) => k) }, trend).map((point) => point.values)
    const span = daysFrom(0, 320)
    const of = (drift: (k: number) => number) =>
      summariseSweep(
        grid,
        grid.map((_, k) => trialOf(runWith(days(drift(k), k), span))),
      )
    const skilled = of((k) => (k === 4 ? 0.004 : 0))
    expect(skilled.best).toBe(4)
    expect(skilled.overfitting!.probability).toBeLessThan(0.01)
    expect(skilled.points[4]!.deflated).toBeGreaterThan(0.95)
    const lucky = of(() => 0)
    expect(lucky.overfitting!.probability).toBeGreaterThan(0.2)
    expect(lucky.points[lucky.best]!.deflated).toBeLessThan(0.9)
    expect(lucky.overfitting!.inSample).toBeGreaterThan(lucky.overfitting!.outOfSample)
  })

  test('a point that never trades counts as a trial that showed nothing', () => {
    const idle = expandSweep({ gross: [0, 1] }, trend)
    const table = summariseSweep(
      idle.map((point) => point.values),
      idle.map(({ params }) => trialOf(runOver(market, params, range))),
    )
    expect(table.points[0]).toMatchObject({ dailySharpe: 0, sharpe: null, fills: 0, deflated: null })
    expect(table.trials.count).toBe(2)
    expect(sweepSummary.schema.parse(table)).toEqual(table)
  })

  test('runs over other days than the first, or a run too few, are no sweep', () => {
    expect(() => summariseSweep(values, [...runs.slice(1), runOver(market, {}, daysFrom(0, 50))].map(trialOf))).toThrow(
      'one range',
    )
    expect(() => summariseSweep(values, runs.slice(1).map(trialOf))).toThrow('every point')
  })
})

describe('walk-forward', () => {
  const config = walkForwardConfig.parse({ train: '40d', test: '20d', purge: '1d' })
  const folds = planFolds(config, range)
  const trained = (fold: (typeof folds)[number]) =>
    points.flatMap(({ params }) => fold.train.map((span) => runOver(market, params, span)))
  const selections = folds.map((fold) => selectPoint(fold, values, trained(fold)))
  const tests = selections.map((chosen) => runOver(market, chosen.chosen.values, chosen.test))

  test('chooses the highest training Sharpe ratio, net of costs', () => {
    for (const [i, chosen] of selections.entries()) {
      expect(selectionType.schema.parse(chosen)).toEqual(chosen)
      const sharpes = trained(folds[i]!).map((run, k) => {
        expect(run.result.equity.equity[0]).toBe(run.result.capitalCash) // starts flat, with the capital
        expect(run.result.equity.gross[0]).toBe(0)
        return [sharpeRatio(foldReturns(run.result, folds[i]!.train[0]!).returns, 1), k] as const
      })
      const [best] = [...sharpes].sort((a, b) => b[0] - a[0])
      expect(chosen.chosen).toEqual({ index: best![1], values: values[best![1]], dailySharpe: best![0] })
    }
  })

  test('fees decide a choice too', () => {
    const fold = { name: 'x', train: [daysFrom(0, 4)], test: daysFrom(4, 2) }
    const span = fold.train[0]!
    const gross = [0.01, 0.03, 0.01, 0.03]
    const chosen = selectPoint(fold, values.slice(0, 2), [
      runWith(
        gross.map((r) => r - 0.005),
        span,
      ), // the same before its costs
      runWith(
        gross.map((r) => r - 0.001),
        span,
      ),
    ])
    expect(chosen.chosen.index).toBe(1)
  })

  test('of equals the first point is chosen, and one that never traded counts as zero', () => {
    const fold = { name: 'x', train: [daysFrom(0, 3)], test: daysFrom(3, 2) }
    const span = fold.train[0]!
    const three = values.slice(0, 3)
    const same = [0.01, -0.02, 0.03]
    expect(
      selectPoint(
        fold,
        three,
        [same, same, same].map((r) => runWith(r, span)),
      ).chosen.index,
    ).toBe(0)
    const idle = [0, 0, 0]
    const losing = [-0.01, 0.001, -0.02]
    expect(
      selectPoint(
        fold,
        three,
        [losing, idle, losing].map((r) => runWith(r, span)),
      ).chosen,
    ).toMatchObject({
      index: 1,
      dailySharpe: 0,
    })
  })

  test('training around a test joins both spans', () => {
    const fold = { name: 'x', train: [daysFrom(0, 2), daysFrom(5, 3)], test: daysFrom(2, 2) }
    const early = [0.01, -0.02]
    const late = [0.03, 0.01, 0]
    const chosen = selectPoint(fold, values.slice(0, 1), [
      runWith(early, fold.train[0]!),
      runWith(late, fold.train[1]!),
    ])
    expect(chosen.trainDays).toBe(5)
    expect(chosen.chosen.dailySharpe).toBeCloseTo(sharpeRatio(Float64Array.from([...early, ...late]), 1), 9)
  })

  test('chains the tests: each starts with the capital and goes on from what the one before left', () => {
    const joined = joinFolds(config, selections, tests)
    expect(walkForward.schema.parse(joined)).toEqual(joined)
    expect(joined.folds.map(({ fold }) => fold)).toEqual(folds.map(({ name }) => name))
    expect(joined.daily.returns.length).toBe(60)
    const product = joined.folds.reduce((all, { totalReturn }) => all * (1 + totalReturn!), 1) - 1
    expect(joined.outOfSample.totalReturn).toBeCloseTo(product, 12)
    expect(joined.outOfSample.totalReturn).toBe(growth(Float64Array.from(joined.daily.returns)) - 1)
    expect(joined.outOfSample).toMatchObject({ days: 60, isAnnualised: false, sharpe: null, annualReturn: null })
    joined.folds.forEach((row, i) => {
      const { result } = tests[i]!
      expect(result.equity.gross[0]).toBe(0)
      expect(row.costs).toBeLessThan(0)
      // What the engine marked, less what closing costs.
      const last = result.equity.rows - 1
      const closed = (result.equity.equity[last]! - closingCost(result)) / result.capitalCash - 1
      expect(row.totalReturn).toBeCloseTo(closed, 9)
    })
  })

  test('a test of other days than its selection says is no test of it', () => {
    expect(() => joinFolds(config, selections, tests.toReversed())).toThrow('covers its span')
    expect(() => joinFolds(config, selections, tests.slice(1))).toThrow()
  })

  test('what happens after a training span changes no choice', () => {
    const cut = randomMarket(11, 4, 120 * 24)
    const untilMs = folds[0]!.test.fromMs
    for (const { bars } of cut.symbols) {
      for (let i = 0; i < bars.openTsMs.length; i++) {
        if (bars.openTsMs[i]! < untilMs) continue
        bars.openPx[i] = bars.highPx[i] = bars.lowPx[i] = bars.closePx[i] = 5_000_000
      }
    }
    const other = points.flatMap(({ params }) => folds[0]!.train.map((span) => runOver(cut, params, span)))
    expect(selectPoint(folds[0]!, values, other)).toEqual(selections[0])
  })
})
