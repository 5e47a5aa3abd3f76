import { runBacktest } from '../../backtest/engine.ts'
import type { Strategy } from '../../backtest/strategy.ts'
import type { ReplaySummary } from '../../tables/events.ts'
import { formatUtc } from '../../time.ts'
import type { BacktestRun } from './backtestFiles.ts'
import type { PreparedMarket } from './backtestInput.ts'
import { type BacktestParams, describeRun } from './backtestParams.ts'

/** Runs a strategy over a market and tells how it went. */
export function performBacktest(
  given: {
    readonly prepared: PreparedMarket
    readonly strategy: Strategy
    readonly replay?: ReplaySummary | undefined
  },
  asked: BacktestParams,
  { log, reached }: { log(message: string): void; reached?(tsMs: number): void },
): BacktestRun {
  const request = describeRun(given, asked, log)
  const { fromMs, toMs, execution: config } = request
  const { strategy, prepared } = given
  const { params } = request.strategy
  const result = runBacktest({ market: prepared.market, strategy, params, config, fromMs, toMs, onInstant: reached })
  for (const { tsMs, message } of result.log) log(`${formatUtc(tsMs)} ${message}`)
  const { outcome, counts } = result
  log(
    `${outcome}: ${counts.decisions} decisions, ${counts.liquidations} liquidations, ${counts.delistedPositions} positions delisted, ${counts.fundingAtMark} settlements at mark`,
  )
  return { request, result }
}
