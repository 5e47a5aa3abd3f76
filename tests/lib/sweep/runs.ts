import { z } from 'zod'
import { backtestConfig } from '../../../lib/backtest/config.ts'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import type { MarketInput } from '../../../lib/backtest/market.ts'
import { defineStrategy } from '../../../lib/backtest/strategy.ts'
import type { BacktestRun } from '../../../lib/market/runs/backtestFiles.ts'
import type { TimeSpan } from '../../../lib/sweep/folds.ts'
import { startMs } from '../backtest/markets.ts'

export const dayMs = 86_400_000
export const daysFrom = (from: number, days: number): TimeSpan => ({
  fromMs: startMs + from * dayMs,
  toMs: startMs + (from + days) * dayMs,
})

/** Holds what rose over the lookback, long or short: two params and a default to sweep over. */
export const trend = defineStrategy({
  name: 'trend',
  params: z.strictObject({
    lookbackBars: z.int().positive().default(24),
    side: z.enum(['long', 'short']).default('long'),
    gross: z.number().min(0).default(1),
  }),
  decisionEvery: '1d',
  onBar(ctx) {
    const { lookbackBars, side, gross } = ctx.params
    const rose = ctx.symbols.filter((symbol) => ctx.close(symbol) > ctx.close(symbol, lookbackBars))
    const weight = (side === 'long' ? gross : -gross) / Math.max(1, rose.length)
    ctx.setWeights(Object.fromEntries(rose.map((symbol) => [symbol, weight])))
  },
})

export function runOver(
  market: MarketInput,
  params: Readonly<Record<string, unknown>>,
  range: TimeSpan,
  execution: Record<string, unknown> = {},
): BacktestRun {
  const config = backtestConfig.parse(execution)
  const parsed = trend.params.parse(params)
  return {
    request: { strategy: { name: trend.name, params: parsed }, interval: '1h', ...range, execution: config },
    result: runBacktest({ market, strategy: trend, params: parsed, config, ...range }),
  }
}
