import { tableArtifact } from '../../lib/artifact.ts'
import type { Strategy } from '../../lib/backtest/strategy.ts'
import { backtestInput } from '../../lib/market/runs/backtestInput.ts'
import { trialRun } from '../../lib/market/runs/backtestOutputs.ts'
import { backtestParams, marketFacts } from '../../lib/market/runs/backtestParams.ts'
import { barTable } from '../../lib/market/runs/minuteBars.ts'
import { performBacktest } from '../../lib/market/runs/performBacktest.ts'
import { encodeTrial, trialOf } from '../../lib/market/runs/trialFiles.ts'
import { universe } from '../../lib/market/universe/universe.ts'
import { features } from '../../lib/tables/features.ts'
import { funding } from '../../lib/tables/funding.ts'
import { qa } from '../../lib/tables/qa.ts'
import { codePort, defineTask, many, optional } from '../../pipeline/engine/task.ts'

/** A backtest that is one of many, such as a point of a sweep. It runs the same way and keeps what a comparison needs.
 *  Its ports stand written out as those of `backtest` do: a task that imported another would carry its code along. */
export const trial = defineTask({
  name: 'trial',
  kind: 'pure',
  params: backtestParams,
  inputs: {
    universe,
    minutes: many(tableArtifact(barTable)),
    funding: many(funding),
    qa: optional(many(qa)),
    /** The groups that make the columns the strategy declares. */
    features: optional(many(features)),
  },
  code: { strategy: codePort<Strategy>() },
  output: trialRun,
  // A strategy that loops for ever is stopped in the end.
  limits: { memoryMb: 1536, timeoutMs: 3_600_000 },
  prepare: {
    inputs: ['universe', 'minutes', 'funding', 'qa', 'features'],
    facts: (asked, { strategy }) => marketFacts(asked, strategy),
    make: backtestInput,
  },
  run: (given, asked, context) => encodeTrial(trialOf(performBacktest(given, asked, context))),
})
