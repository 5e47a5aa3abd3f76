import { z } from 'zod'
import { backtestRun } from '../../lib/market/runs/backtestOutputs.ts'
import { decodedRuns } from '../../lib/sweep/decodedRuns.ts'
import { walkForwardConfig } from '../../lib/sweep/folds.ts'
import { joinFolds } from '../../lib/sweep/joinFolds.ts'
import { selection, walkForward as walkForwardArtifact } from '../../lib/sweep/outputs.ts'
import { defineTask, many } from '../../pipeline/engine/task.ts'

/** The tests of all folds one after another, and what each fold chose. */
export const walkForward = defineTask({
  name: 'walkForward',
  kind: 'pure',
  params: z.object({ config: walkForwardConfig }),
  /** Both in the order of the folds. */
  inputs: { selections: many(selection), tests: many(backtestRun) },
  output: walkForwardArtifact,
  run: ({ selections, tests }, { config }) => joinFolds(config, selections, decodedRuns(tests)),
})
