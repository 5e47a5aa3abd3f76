import { z } from 'zod'
import { trialRun } from '../../lib/market/runs/backtestOutputs.ts'
import { decodedTrials } from '../../lib/market/runs/trialFiles.ts'
import { timeSpan } from '../../lib/sweep/folds.ts'
import { selection } from '../../lib/sweep/outputs.ts'
import { sweepValue } from '../../lib/sweep/points.ts'
import { selectPoint as select } from '../../lib/sweep/selectPoint.ts'
import { defineTask, many } from '../../pipeline/engine/task.ts'

/** Chooses a fold's point by training net Sharpe: the list its test grows from. */
export const selectPoint = defineTask({
  name: 'selectPoint',
  kind: 'pure',
  params: z.object({
    fold: z.string(),
    train: z.array(timeSpan).min(1),
    test: timeSpan,
    points: z.array(z.record(z.string(), sweepValue)).min(1),
  }),
  /** Point by point, and within a point span by span. */
  inputs: { runs: many(trialRun) },
  output: selection,
  run: ({ runs }, { fold, train, test, points }) => select({ name: fold, train, test }, points, decodedTrials(runs)),
})
