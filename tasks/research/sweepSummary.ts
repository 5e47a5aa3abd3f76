import { z } from 'zod'
import { trialRun } from '../../lib/market/runs/backtestOutputs.ts'
import { decodedTrials } from '../../lib/market/runs/trialFiles.ts'
import { sweepSummary as sweepSummaryArtifact } from '../../lib/sweep/outputs.ts'
import { sweepValue } from '../../lib/sweep/points.ts'
import { summariseSweep } from '../../lib/sweep/summariseSweep.ts'
import { defineTask, many } from '../../pipeline/engine/task.ts'

/** What each point of a sweep gave, and how much of the best is luck: deflated Sharpe ratios with N and V of this sweep,
 *  and the probability of backtest overfitting. */
export const sweepSummary = defineTask({
  name: 'sweepSummary',
  kind: 'pure',
  params: z.object({ points: z.array(z.record(z.string(), sweepValue)).min(1) }),
  /** In the order of the points. */
  inputs: { runs: many(trialRun) },
  output: sweepSummaryArtifact,
  run: ({ runs }, { points }) => summariseSweep(points, decodedTrials(runs)),
})
