import { z } from 'zod'
import { backtestConfig } from '../../lib/backtest/config.ts'
import { runBacktest } from '../../lib/backtest/engine.ts'
import type { Strategy } from '../../lib/backtest/strategy.ts'
import { encodeBacktest } from '../../lib/market/backtestFiles.ts'
import { backtestInput } from '../../lib/market/backtestInput.ts'
import { backtestRun } from '../../lib/market/backtestOutputs.ts'
import { universe } from '../../lib/market/universe.ts'
import { funding } from '../../lib/tables/funding.ts'
import { klines } from '../../lib/tables/klines.ts'
import { intervalMs, isInterval, monthStart, nextMonth } from '../../lib/time.ts'
import { codePort, defineTask, many } from '../../pipeline/engine/task.ts'

/** Runs a strategy over bars and settlements in event order. Execution assumptions are params: part of the key, shown
 *  in the manifest. */
export const backtest = defineTask({
  name: 'backtest',
  kind: 'pure',
  params: z.object({
    interval: z.string().refine((text) => isInterval(text) && text !== '1M', 'not an interval'),
    fromMonth: z.string(),
    /** Included. */
    toMonth: z.string(),
    strategy: z.record(z.string(), z.unknown()).default({}),
    execution: backtestConfig.prefault({}),
  }),
  inputs: { universe, klines: many(klines), funding: many(funding) },
  code: { strategy: codePort<Strategy>() },
  output: backtestRun,
  run: ({ universe: { symbols }, klines: bars, funding: settlements, strategy }, params, { log }) => {
    const { execution, interval } = params
    const market = backtestInput(symbols, bars, settlements, {
      intervalMs: intervalMs(interval as Exclude<Parameters<typeof intervalMs>[0], '1M'>),
      cashDecimals: execution.cashDecimals,
    })
    const range = { fromMs: monthStart(params.fromMonth), toMs: monthStart(nextMonth(params.toMonth)) }
    const strategyParams = strategy.params.parse(params.strategy)
    const result = runBacktest({ market, strategy, params: strategyParams, config: execution, ...range })
    const { outcome, counts } = result
    for (const line of result.log) log(`${line.tsMs} ${line.message}`)
    log(
      `${outcome}: ${counts.decisions} decisions, ${counts.liquidations} liquidations, ${counts.fundingAtMark} settlements at mark`,
    )
    const request = { strategy: { name: strategy.name, params: strategyParams }, interval, ...range, execution }
    return encodeBacktest({ request, result })
  },
})
