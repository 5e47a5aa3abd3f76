import { z } from 'zod'
import { tableArtifact } from '../../lib/artifact.ts'
import { checkStrategy as check } from '../../lib/backtest/checkStrategy.ts'
import type { Strategy } from '../../lib/backtest/strategy.ts'
import { backtestInput } from '../../lib/market/runs/backtestInput.ts'
import { backtestParams, describeRun, marketFacts } from '../../lib/market/runs/backtestParams.ts'
import { barTable } from '../../lib/market/runs/minuteBars.ts'
import { universe } from '../../lib/market/universe/universe.ts'
import { features, leaks as leaksArtifact } from '../../lib/tables/features.ts'
import { funding } from '../../lib/tables/funding.ts'
import { qa } from '../../lib/tables/qa.ts'
import { codePort, defineTask, many, optional } from '../../pipeline/engine/task.ts'

/** Tries a strategy on the data it is used on: another future must change nothing before it begins, nor another run over
 *  the same data anything at all. It takes what a backtest takes. What is caught is named with the instant and, where it can
 *  be told, the column and the symbol: `pipe check-lookahead` judges it. */
export const checkStrategy = defineTask({
  name: 'checkStrategy',
  kind: 'pure',
  params: backtestParams.safeExtend({
    /** How many instants of decision are tried: each is a backtest up to there. */
    cuts: z.int().positive().default(8),
    /** For strategies that mean to trade by the clock alone: deciding the same on other prices is no leak then. */
    allowsCalendar: z.boolean().default(false),
  }),
  inputs: {
    universe,
    minutes: many(tableArtifact(barTable)),
    funding: many(funding),
    qa: optional(many(qa)),
    features: optional(many(features)),
  },
  code: { strategy: codePort<Strategy>() },
  output: leaksArtifact,
  limits: { memoryMb: 1536, timeoutMs: 3_600_000 },
  run: ({ strategy, ...sources }, { cuts, allowsCalendar, ...asked }, { log, seed }) => {
    const prepared = backtestInput(sources, marketFacts(asked, strategy))
    const { fromMs, toMs, execution: config, strategy: described } = describeRun({ prepared, strategy }, asked, log)
    const { params } = described
    const options = { cuts, allowsCalendar, seed: seed('futures') }
    const { market } = prepared
    const { leaks, decisions, fills, cutsTsMs } = check({ market, strategy, params, config, fromMs, toMs }, options)
    log(`${decisions} decisions and ${fills} rows of fills, tried at ${cutsTsMs.length} instants`)
    return {
      features: [strategy.name],
      cuts: cutsTsMs.length,
      leaks: leaks.map(({ kind, tsMs, cutTsMs, symbol, column, says }) => ({
        kind,
        feature: strategy.name,
        group: 'strategy',
        symbol: symbol ?? '',
        ...(column === undefined ? {} : { column }),
        rowKnownAtMs: tsMs,
        cutMs: cutTsMs,
        what: says,
      })),
    }
  },
})
