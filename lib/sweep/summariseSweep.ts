import assert from 'node:assert/strict'
import { headlineOf } from '../backtest/metrics.ts'
import type { TrialRun } from '../market/runs/trialFiles.ts'
import { deflatedSharpe, expectedMaxSharpe } from '../stats/deflatedSharpe.ts'
import { mean, variance } from '../stats/moments.ts'
import { probabilityOfOverfitting } from '../stats/overfitting.ts'
import type { SweepRow, SweepSummary } from './outputs.ts'
import { type SweepValues, sweptParams } from './points.ts'
import { spanReturns } from './spanReturns.ts'

/** Blocks of the cross-validation, and how many configurations it takes for its share of splits to mean anything. */
const blocks = 16
const configurationsMin = 10

interface Judged {
  readonly row: Omit<SweepRow, 'deflated'>
  /** Of the Sharpe ratio that is deflated: its days and the shape of its returns. */
  readonly sample: { readonly periods: number; readonly skew: number; readonly kurtosis: number }
}

/** What a sweep found and how much of it is luck. Runs come in the order of the points, one by one: there may be many. */
export function summariseSweep(points: readonly SweepValues[], runs: Iterable<TrialRun>): SweepSummary {
  const judged: Judged[] = []
  const daily: Float64Array[] = []
  let request: TrialRun['request'] | undefined
  for (const run of runs) {
    request ??= run.request
    assert.ok(run.request.fromMs === request.fromMs && run.request.toMs === request.toMs, 'runs over one range')
    judged.push(judge(points[judged.length]!, run))
    daily.push(spanReturns(run.result.equity, request).returns)
  }
  assert.ok(request !== undefined && judged.length === points.length, 'a run for every point')

  const sharpes = Float64Array.from(judged, ({ row }) => row.dailySharpe)
  const spread = sharpes.length > 1 ? variance(sharpes) : 0
  const trials = { count: sharpes.length, variance: spread }
  const days = judged.reduce((most, { sample }) => Math.max(most, sample.periods), 0)
  return {
    strategy: request.strategy.name,
    params: sweptParams(points),
    fromMs: request.fromMs,
    toMs: request.toMs,
    days,
    isAnnualised: judged.some(({ row }) => row.sharpe !== null),
    points: judged.map(({ row, sample }) => ({
      ...row,
      deflated: known(deflatedSharpe({ sharpe: row.dailySharpe, ...sample }, trials).probability),
    })),
    best: firstHighest(sharpes),
    trials: { ...trials, sharpe0: expectedMaxSharpe(trials.count, trials.variance) },
    ...judgeChoice(daily),
  }
}

function judge(values: SweepValues, { result }: TrialRun): Judged {
  const metrics = headlineOf(result)
  const row = {
    values,
    outcome: metrics.outcome,
    totalReturn: known(metrics.totalReturn),
    annualReturn: known(metrics.annualReturn),
    sharpe: known(metrics.sharpe.annual),
    sharpeError: known(metrics.sharpe.annualError),
    dailySharpe: metrics.sharpe.sharpe || 0,
    maxDrawdown: known(metrics.maxDrawdown),
    turnover: known(metrics.turnover),
    fees: known(metrics.parts.fees),
    slippage: known(metrics.parts.slippage),
    fills: metrics.fills,
  }
  return { row, sample: { periods: metrics.days, skew: metrics.skew, kurtosis: metrics.kurtosis } }
}

function judgeChoice(daily: readonly Float64Array[]): Pick<SweepSummary, 'overfitting' | 'overfittingAbsent'> {
  const days = daily[0]!.length
  if (daily.length < configurationsMin) {
    return {
      overfittingAbsent: `it needs ${configurationsMin} configurations to choose among, and there are ${daily.length}`,
    }
  }
  if (days < 2 * blocks) {
    return {
      overfittingAbsent: `it needs ${2 * blocks} days, two for each of its ${blocks} blocks, and there are ${days}`,
    }
  }
  if (daily.every((series) => series.every((value, i) => value === daily[0]![i]))) {
    return { overfittingAbsent: 'all configurations earned the same, so that there is nothing to choose' }
  }
  const found = probabilityOfOverfitting(daily, blocks)
  return {
    overfitting: {
      probability: found.probability,
      configurations: daily.length,
      blocks,
      splits: found.logits.length,
      days,
      inSample: mean(found.inSample),
      outOfSample: mean(found.outOfSample),
    },
  }
}

/** Equals go to the first: points are in one order for one sweep, so that the choice is too. */
export function firstHighest(values: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

export const known = (value: number): number | null => (Number.isFinite(value) ? value : null)
