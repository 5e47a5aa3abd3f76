import { z } from 'zod'
import { dailyReturns } from '../../lib/backtest/dailyReturns.ts'
import { computeMetrics } from '../../lib/backtest/metrics.ts'
import { Fault } from '../../lib/fault.ts'
import { decodeBacktest } from '../../lib/market/runs/backtestFiles.ts'
import { backtestRun, metrics as metricsArtifact } from '../../lib/market/runs/backtestOutputs.ts'
import { metricsJson } from '../../lib/market/runs/metricsJson.ts'
import { createRng } from '../../lib/rng.ts'
import { cryptoPeriodsPerYear } from '../../lib/stats/returns.ts'
import { estimateSharpe } from '../../lib/stats/sharpeError.ts'
import { sweepSummary } from '../../lib/sweep/outputs.ts'
import { defineTask, optional } from '../../pipeline/engine/task.ts'

/** The numbers people compare. `sweep` is the one this run was chosen from: with its configurations the Sharpe ratio is
 *  deflated by what the best of so many would show by luck. */
export const metrics = defineTask({
  name: 'metrics',
  kind: 'pure',
  params: z.object({
    bootstrapDraws: z.int().min(100).max(100_000).default(1000),
    seed: z.int().min(0).default(1),
    /** The run's own place among the points of the sweep, where it is one of them. */
    ownPoint: z.int().min(0).optional(),
  }),
  inputs: { run: backtestRun, benchmark: optional(backtestRun), sweep: optional(sweepSummary) },
  output: metricsArtifact,
  run: ({ run, benchmark, sweep }, { bootstrapDraws, ownPoint }, { seed }) => {
    const { result } = decodeBacktest(run)
    const against = benchmark && decodeBacktest(benchmark).result.equity
    const others = sweep?.points.filter((_, point) => point !== ownPoint).map(({ dailySharpe }) => dailySharpe)
    const computed = computeMetrics(result, {
      benchmark: against && { tsMs: against.tsMs, values: against.equity },
      trialSharpes: others && Float64Array.from([ownSharpe(result.equity), ...others]),
      rng: createRng(seed('bootstrap')),
      draws: bootstrapDraws,
    })
    // No more days make a ruined account longer, and what it came to is known.
    if (computed.days >= 2 || result.outcome === 'ruined') return metricsJson(computed)
    throw new Fault({
      code: 'failed',
      what: `the equity curve has ${computed.days} whole days, and metrics need two`,
      todo: 'run the backtest over more days',
    })
  },
})

/** A configuration that never traded was tried all the same, and showed nothing. */
const ownSharpe = (curve: { tsMs: Float64Array; equity: Float64Array }): number =>
  estimateSharpe(dailyReturns(curve.tsMs, curve.equity).returns, cryptoPeriodsPerYear).sharpe || 0
