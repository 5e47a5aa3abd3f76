import { tableArtifact } from '../../lib/artifact.ts'
import { runBacktest } from '../../lib/backtest/engine.ts'
import type { Strategy } from '../../lib/backtest/strategy.ts'
import { encodeBacktest } from '../../lib/market/backtestFiles.ts'
import { backtestRun } from '../../lib/market/backtestOutputs.ts'
import { backtestParams, prepareBacktest } from '../../lib/market/backtestParams.ts'
import { barTable } from '../../lib/market/minuteBars.ts'
import { universe } from '../../lib/market/universe.ts'
import { replay } from '../../lib/tables/events.ts'
import { features } from '../../lib/tables/features.ts'
import { funding } from '../../lib/tables/funding.ts'
import { qa } from '../../lib/tables/qa.ts'
import { formatUtc } from '../../lib/time.ts'
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
  run: ({ strategy, ...sources }, asked, { log, reached }) => {
    const { request, ...prepared } = prepareBacktest(sources, strategy, asked, log)
    const { fromMs, toMs, execution: config } = request
    const result = runBacktest({ ...prepared, config, fromMs, toMs, onInstant: reached })
    for (const { tsMs, message } of result.log) log(`${formatUtc(tsMs)} ${message}`)
    const { outcome, counts } = result
    log(
      `${outcome}: ${counts.decisions} decisions, ${counts.liquidations} liquidations, ${counts.delistedPositions} positions delisted, ${counts.fundingAtMark} settlements at mark`,
    )
    return encodeBacktest({ request, result })
  },
})
