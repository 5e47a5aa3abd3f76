import { tableArtifact } from '../../lib/artifact.ts'
import type { Strategy } from '../../lib/backtest/strategy.ts'
import { encodeBacktest } from '../../lib/market/runs/backtestFiles.ts'
import { backtestInput } from '../../lib/market/runs/backtestInput.ts'
import { backtestRun } from '../../lib/market/runs/backtestOutputs.ts'
import { backtestParams, marketFacts } from '../../lib/market/runs/backtestParams.ts'
import { barTable } from '../../lib/market/runs/minuteBars.ts'
import { performBacktest } from '../../lib/market/runs/performBacktest.ts'
import { universe } from '../../lib/market/universe/universe.ts'
import { replay } from '../../lib/tables/events.ts'
import { features } from '../../lib/tables/features.ts'
import { funding } from '../../lib/tables/funding.ts'
import { qa } from '../../lib/tables/qa.ts'
import { codePort, defineTask, many, optional } from '../../pipeline/engine/task.ts'

/** Runs a strategy over bars, settlements, verdicts and features in event order. Rows before the range are history it may
 *  look back on. */
export const backtest = defineTask({
  name: 'backtest',
  kind: 'pure',
  params: backtestParams,
  inputs: {
    universe,
    minutes: many(tableArtifact(barTable)),
    funding: many(funding),
    qa: optional(many(qa)),
    /** The groups that make the columns the strategy declares. */
    features: optional(many(features)),
    /** The event stream of the same range, whose digest the report shows. */
    replay: optional(replay),
  },
  code: { strategy: codePort<Strategy>() },
  output: backtestRun,
  // A strategy that loops for ever is stopped in the end.
  limits: { memoryMb: 1536, timeoutMs: 3_600_000 },
  prepare: {
    inputs: ['universe', 'minutes', 'funding', 'qa', 'features'],
    facts: (asked, { strategy }) => marketFacts(asked, strategy),
    make: backtestInput,
  },
  run: (given, asked, context) => encodeBacktest(performBacktest(given, asked, context)),
})
