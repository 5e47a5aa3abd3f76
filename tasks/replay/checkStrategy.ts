import { z } from 'zod'
import { tableArtifact } from '../../lib/artifact.ts'
import { runBacktest } from '../../lib/backtest/engine.ts'
import { firstDifference, withOtherFuture } from '../../lib/backtest/lookahead.ts'
import type { Strategy } from '../../lib/backtest/strategy.ts'
import { backtestParams, prepareBacktest } from '../../lib/market/backtestParams.ts'
import { barTable } from '../../lib/market/minuteBars.ts'
import { universe } from '../../lib/market/universe.ts'
import { createRng } from '../../lib/rng.ts'
import { features, leaks } from '../../lib/tables/features.ts'
import { funding } from '../../lib/tables/funding.ts'
import { qa } from '../../lib/tables/qa.ts'
import { codePort, defineTask, many, optional } from '../../pipeline/engine/task.ts'

/** Tries a strategy on the data it is used on: with another future it must have decided and booked the same up to now. It
 *  takes what a backtest takes, without execution or range of its own. */
export const checkStrategy = defineTask({
  name: 'checkStrategy',
  kind: 'pure',
  params: backtestParams.safeExtend({
    /** How many instants are tried: each is a backtest. */
    cuts: z.number().int().positive().default(3),
  }),
  inputs: {
    universe,
    minutes: many(tableArtifact(barTable)),
    funding: many(funding),
    qa: optional(many(qa)),
    features: optional(many(features)),
  },
  code: { strategy: codePort<Strategy>() },
  output: leaks,
  limits: { memoryMb: 1536, timeoutMs: 3_600_000 },
  run: ({ strategy, ...sources }, { cuts, ...asked }, { log, seed }) => {
    const { request, ...prepared } = prepareBacktest(sources, strategy, asked, log)
    const { fromMs, toMs, execution: config } = request
    const whole = runBacktest({ ...prepared, config, fromMs, toMs })
    const rng = createRng(seed('cuts'))
    const { intervalMs } = prepared.market
    for (let tried = 0; tried < cuts; tried++) {
      const cutMs = fromMs + intervalMs * (1 + rng.below((toMs - fromMs) / intervalMs))
      const market = withOtherFuture(prepared.market, cutMs, rng)
      const what = firstDifference(whole, runBacktest({ ...prepared, market, config, fromMs, toMs }), cutMs)
      if (what === undefined) continue
      const leak = { kind: 'looksAhead' as const, feature: strategy.name, group: 'strategy', symbol: '' }
      return { features: [strategy.name], cuts, leaks: [{ ...leak, rowKnownAtMs: cutMs, cutMs, what }] }
    }
    return { features: [strategy.name], cuts, leaks: [] }
  },
})
