import assert from 'node:assert/strict'
import type { TrialRun } from '../market/runs/trialFiles.ts'
import { sharpeRatio } from '../stats/returns.ts'
import type { Fold, TimeSpan } from './folds.ts'
import type { Selection } from './outputs.ts'
import type { SweepValues } from './points.ts'
import { foldReturns } from './spanReturns.ts'
import { firstHighest } from './summariseSweep.ts'

/** A training run, as far as it is judged. */
interface TrainingRun {
  readonly request: TimeSpan
  readonly result: Pick<TrialRun['result'], 'equity'>
}

/**
 * The point with the highest daily Sharpe ratio in training, net of all costs; the first of equals. Each training run
 * starts flat at the beginning of its span and is closed at its end: cut out of a run over the whole range it would begin
 * with positions that a strategy living then could have, and this one could not. Runs come point by point, and span by
 * span within a point.
 */
export function selectPoint(fold: Fold, points: readonly SweepValues[], runs: Iterable<TrainingRun>): Selection {
  const returns: Float64Array[][] = points.map(() => [])
  let count = 0
  for (const { request, result } of runs) {
    const span = fold.train[count % fold.train.length]!
    assert.ok(request.fromMs === span.fromMs && request.toMs === span.toMs, 'a training run covers its span')
    returns[Math.floor(count / fold.train.length)]!.push(foldReturns(result, span).returns)
    count++
  }
  assert.equal(count, points.length * fold.train.length, 'a training run for every point and span')
  const joined = returns.map((spans) => Float64Array.from(spans.flatMap((days) => [...days])))
  // A point that never traded has no Sharpe ratio; it counts as zero, which is what it earned.
  const sharpes = Float64Array.from(joined, (days) => sharpeRatio(days, 1) || 0)
  const index = firstHighest(sharpes)
  return {
    fold: fold.name,
    train: [...fold.train],
    test: fold.test,
    trainDays: joined[0]!.length,
    points: points.map((values, i) => ({ values, dailySharpe: sharpes[i]! })),
    chosen: { index, values: points[index]!, dailySharpe: sharpes[index]! },
  }
}
