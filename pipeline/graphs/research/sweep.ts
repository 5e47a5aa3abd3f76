import type { Strategy } from '../../../lib/backtest/strategy.ts'
import type { trialRun } from '../../../lib/market/runs/backtestOutputs.ts'
import type { TimeSpan } from '../../../lib/sweep/folds.ts'
import type { sweepSummary as sweepSummaryArtifact } from '../../../lib/sweep/outputs.ts'
import { expandSweep, type SweepGrid, type SweepPoint } from '../../../lib/sweep/points.ts'
import { sweepSummary } from '../../../tasks/research/sweepSummary.ts'
import type { Graph, NodeHandle } from '../../engine/graph.ts'

/** Places one trial of the pipeline: decisions in [fromMs, toMs), everything else as the pipeline has it. */
export type TrialAt = (
  at: readonly string[],
  strategyParams: Readonly<Record<string, unknown>>,
  range: TimeSpan,
) => NodeHandle<typeof trialRun>

export interface SweepPlan {
  readonly trialAt: TrialAt
  readonly sweep: SweepGrid
  readonly strategy: Pick<Strategy, 'name' | 'params'>
  /** Params that are not swept over. */
  readonly base?: Readonly<Record<string, unknown>>
  readonly range: TimeSpan
  readonly pointsMax?: number
}

export interface PlacedSweep {
  readonly points: readonly SweepPoint[]
  /** One for each point, in their order. */
  readonly runs: readonly NodeHandle<typeof trialRun>[]
  readonly summary: NodeHandle<typeof sweepSummaryArtifact>
}

/** One trial for each point, at `[sweep,lookback:7d,perSide:3]`: a value more runs its own points and no other. */
export function addSweep(graph: Graph, { trialAt, sweep, strategy, base, range, pointsMax }: SweepPlan): PlacedSweep {
  const points = expandSweep(sweep, strategy, { base, pointsMax })
  const runs = points.map(({ at, params }) => trialAt(['sweep', ...at], params, range))
  const summary = graph.add(sweepSummary, { params: { points: points.map(({ values }) => values) }, inputs: { runs } })
  return { points, runs, summary }
}
