import { z } from 'zod'
import { Fault } from '../../lib/fault.ts'
import { equity, metrics as metricsArtifact } from '../../lib/market/backtestOutputs.ts'
import { annualVolatility, cryptoPeriodsPerYear, growth, maxDrawdown } from '../../lib/stats/returns.ts'
import { estimateSharpe } from '../../lib/stats/sharpeError.ts'
import { DAY_MS } from '../../lib/time.ts'
import { defineTask } from '../../pipeline/engine/task.ts'

/** Daily closes to the numbers people compare. */
export const metrics = defineTask({
  name: 'metrics',
  kind: 'pure',
  params: z.object({ capitalUsdt: z.number().default(100_000) }),
  inputs: { equity },
  output: metricsArtifact,
  run: ({ equity: { columns, rowCount } }, { capitalUsdt }) => {
    const closes: number[] = [capitalUsdt]
    for (let row = 0; row < rowCount; row++)
      if (columns.tsMs[row]! % DAY_MS === 0 && row > 0) closes.push(columns.equityUsdt[row]!)
    if (closes.length < 3)
      throw new Fault({
        code: 'failed',
        what: `the equity curve has ${closes.length - 1} daily closes, and metrics need two`,
        todo: 'run the backtest over more days',
      })
    const returns = Float64Array.from(closes.slice(1), (close, i) => close / closes[i]! - 1)
    const sharpe = estimateSharpe(returns, cryptoPeriodsPerYear)
    const last = rowCount - 1
    return {
      days: returns.length,
      netReturn: growth(returns) - 1,
      annualVolatility: annualVolatility(returns),
      sharpe: sharpe.annual,
      sharpeStandardError: sharpe.annualError,
      maxDrawdown: maxDrawdown(returns).depth,
      costs: {
        feesUsdt: columns.feesUsdt[last]!,
        slippageUsdt: columns.slippageUsdt[last]!,
        fundingUsdt: columns.fundingUsdt[last]!,
      },
      turnover: columns.tradedUsdt[last]! / capitalUsdt,
    }
  },
})
