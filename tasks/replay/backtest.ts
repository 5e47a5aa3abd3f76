import { z } from 'zod'
import { tableArtifact } from '../../lib/artifact.ts'
import { backtestConfig } from '../../lib/backtest/config.ts'
import { runBacktest } from '../../lib/backtest/engine.ts'
import type { Strategy } from '../../lib/backtest/strategy.ts'
import { encodeBacktest } from '../../lib/market/backtestFiles.ts'
import { backtestInput } from '../../lib/market/backtestInput.ts'
import { backtestRun } from '../../lib/market/backtestOutputs.ts'
import { barTable } from '../../lib/market/minuteBars.ts'
import { universe } from '../../lib/market/universe.ts'
import { funding } from '../../lib/tables/funding.ts'
import { dayStart, intervalMs, isDay } from '../../lib/time.ts'
import { codePort, defineTask, many } from '../../pipeline/engine/task.ts'

const day = z.string().refine(isDay, 'not a day such as 2026-03-01')

/** Runs a strategy over bars and settlements in event order. Execution assumptions are params: part of the key, shown
 *  in the manifest. */
export const backtest = defineTask({
  name: 'backtest',
  kind: 'pure',
  params: z.object({
    baseInterval: z.enum(['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h']).default('1m'),
    from: day,
    /** The first day that is not included. */
    to: day,
    strategy: z.record(z.string(), z.unknown()).default({}),
    execution: backtestConfig.prefault({}),
  }),
  inputs: {
    universe,
    minutes: many(tableArtifact(barTable)),
    funding: many(funding),
  },
  code: { strategy: codePort<Strategy>() },
  output: backtestRun,
  limits: { memoryMb: 1536 },
  run: ({ universe: chosen, minutes, funding: settlements, strategy }, params, { log }) => {
    const { execution, baseInterval } = params
    const range = { fromMs: dayStart(params.from), toMs: dayStart(params.to) }
    const market = backtestInput(
      { universe: chosen, minutes, funding: settlements },
      { intervalMs: intervalMs(baseInterval), cashDecimals: execution.cashDecimals, toMs: range.toMs },
    )
    const strategyParams = strategy.params.parse(params.strategy)
    const result = runBacktest({ market, strategy, params: strategyParams, config: execution, ...range })
    const { outcome, counts } = result
    for (const line of result.log) log(`${line.tsMs} ${line.message}`)
    log(
      `${outcome}: ${counts.decisions} decisions, ${counts.liquidations} liquidations, ${counts.fundingAtMark} settlements at mark`,
    )
    const request = {
      strategy: { name: strategy.name, params: strategyParams },
      interval: baseInterval,
      ...range,
      execution,
    }
    return encodeBacktest({ request, result })
  },
})
