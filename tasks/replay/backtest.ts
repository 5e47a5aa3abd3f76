import { z } from 'zod'
import { backtestConfig } from '../../lib/backtest/config.ts'
import { runBacktest } from '../../lib/backtest/engine.ts'
import type { Strategy } from '../../lib/backtest/strategy.ts'
import { backtestInput } from '../../lib/market/backtestInput.ts'
import { equity, equityTable } from '../../lib/market/backtestOutputs.ts'
import { universe } from '../../lib/market/universe.ts'
import { funding } from '../../lib/tables/funding.ts'
import { klines } from '../../lib/tables/klines.ts'
import { makeTable } from '../../lib/tables/table.ts'
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
  output: equity,
  run: ({ universe: { symbols }, klines: bars, funding: settlements, strategy }, params, { log }) => {
    const { execution } = params
    const market = backtestInput(symbols, bars, settlements, {
      intervalMs: intervalMs(params.interval as Exclude<Parameters<typeof intervalMs>[0], '1M'>),
      cashDecimals: execution.cashDecimals,
    })
    const {
      equity: curve,
      cashDecimals,
      outcome,
      counts,
      log: lines,
    } = runBacktest({
      market,
      strategy,
      params: strategy.params.parse(params.strategy),
      config: execution,
      fromMs: monthStart(params.fromMonth),
      toMs: monthStart(nextMonth(params.toMonth)),
    })
    for (const line of lines) log(`${line.tsMs} ${line.message}`)
    log(
      `${outcome}: ${counts.decisions} decisions, ${counts.liquidations} liquidations, ${counts.fundingAtMark} settlements at mark`,
    )
    const usdt = (column: Float64Array): Float64Array => column.map((cash) => cash / 10 ** cashDecimals)
    return makeTable(equityTable, {
      tsMs: curve.tsMs,
      equityUsdt: usdt(curve.equity),
      grossUsdt: usdt(curve.gross),
      pricePnlUsdt: usdt(curve.pricePnl),
      slippageUsdt: usdt(curve.slippage),
      feesUsdt: usdt(curve.fees),
      fundingUsdt: usdt(curve.funding),
      tradedUsdt: usdt(curve.traded),
    })
  },
})
