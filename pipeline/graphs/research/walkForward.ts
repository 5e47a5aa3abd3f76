import type { Strategy } from '../../../lib/backtest/strategy.ts'
import { Fault } from '../../../lib/fault.ts'
import type { backtestRun } from '../../../lib/market/runs/backtestOutputs.ts'
import { type Fold, planFolds, type TimeSpan, type WalkForwardConfig } from '../../../lib/sweep/folds.ts'
import type { selection, walkForward as walkForwardArtifact } from '../../../lib/sweep/outputs.ts'
import { expandSweep, type SweepGrid } from '../../../lib/sweep/points.ts'
import { selectPoint } from '../../../tasks/research/selectPoint.ts'
import { walkForward } from '../../../tasks/research/walkForward.ts'
import type { Collection, Graph, NodeHandle } from '../../engine/graph.ts'
import type { TrialAt } from './sweep.ts'

/** Places one backtest of the pipeline, kept with all its fills. */
export type RunAt = (...what: Parameters<TrialAt>) => NodeHandle<typeof backtestRun>

export interface WalkForwardPlan {
  /** The training. */
  readonly trialAt: TrialAt
  /** The tests. */
  readonly runAt: RunAt
  readonly sweep: SweepGrid
  readonly strategy: Pick<Strategy, 'name' | 'params'>
  /** Params that are not swept over. */
  readonly base?: Readonly<Record<string, unknown>>
  readonly range: TimeSpan
  readonly folds: WalkForwardConfig
  /** Training backtests at most: folds times points. */
  readonly runsMax?: number
}

export interface PlacedWalkForward {
  readonly folds: readonly Fold[]
  readonly selections: readonly NodeHandle<typeof selection>[]
  readonly tests: readonly Collection<typeof backtestRun>[]
  readonly summary: NodeHandle<typeof walkForwardArtifact>
}

/**
 * For each fold: a training trial for each point at `[fold,2026-03-01,train,lookback:7d]`, the selection, and the
 * test of the point it chose at `[fold,2026-03-01,test]`, which is placed once the choice is known. All of them start flat.
 */
export function addWalkForward(graph: Graph, plan: WalkForwardPlan): PlacedWalkForward {
  const { trialAt, runAt, base = {}, runsMax = 10_000 } = plan
  const points = expandSweep(plan.sweep, plan.strategy, { base })
  const folds = planFolds(plan.folds, plan.range)
  const runs = folds.reduce((all, { train }) => all + train.length * points.length, 0)
  if (runs > runsMax) {
    throw new Fault({
      code: 'usage',
      what: `${folds.length} folds of ${points.length} points are ${runs} training backtests, and ${runsMax} are allowed`,
      where: 'walkForward',
      todo: 'try fewer values, or make step longer',
    })
  }
  const placed = folds.map((fold) => {
    const at = ['fold', fold.name]
    const { name, train, test } = fold
    const trained = points.flatMap((point) =>
      train.map((span, i) => trialAt([...at, 'train', ...(i === 0 ? [] : ['after']), ...point.at], point.params, span)),
    )
    const chosen = graph.add(selectPoint, {
      at: [name],
      params: { fold: name, train: [...train], test, points: points.map(({ values }) => values) },
      inputs: { runs: trained },
    })
    const tested = graph.each(
      chosen,
      (value) => [value.chosen],
      ({ values }) => runAt([...at, 'test'], { ...base, ...values }, test),
    )
    return { chosen, tested }
  })
  const selections = placed.map(({ chosen }) => chosen)
  const tests = placed.map(({ tested }) => tested)
  const summary = graph.add(walkForward, { params: { config: plan.folds }, inputs: { selections, tests } })
  return { folds, selections, tests, summary }
}
