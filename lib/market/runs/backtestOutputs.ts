import { z } from 'zod'
import { filesArtifact, jsonArtifact } from '../../artifact.ts'
import { reasons } from '../../backtest/orders.ts'

/** All that a backtest left behind: `run.json`, `equity.parquet` and `fills.parquet`. See backtestFiles.ts. */
export const backtestRun = filesArtifact('backtestRun')

/** What is left of a run that is one of many: `run.json` and `days.parquet`. See trialFiles.ts. */
export const trialRun = filesArtifact('trialRun')

/** The page, and the same numbers as tables beside it. */
export const report = filesArtifact('report')

/** Null is a number that does not exist: annual figures of runs under 90 days, ratios over nothing. */
const number = z.number().nullable()
const parts = {
  pnl: number,
  pricePnl: number,
  slippage: number,
  fees: number,
  funding: number,
  liquidationFees: number,
}
const slice = { days: z.number(), totalReturn: number, meanDailyReturn: number, hitRate: number, sharpe: number }
const interval = z.object({ low: number, high: number, level: z.number(), draws: z.number(), meanBlock: z.number() })

/** What a backtest amounts to, net of everything. Conventions: daily UTC closes, simple returns, 365 days a year, no
 *  risk-free rate, one degree of freedom taken off; sums are in USDT. */
export const metricsSchema = z.object({
  outcome: z.enum(['completed', 'drawdownStop', 'ruined']),
  days: z.number(),
  isAnnualised: z.boolean(),
  capitalUsdt: z.number(),
  endEquityUsdt: z.number(),
  totalReturn: number,
  annualReturn: number,
  volatility: number,
  sharpe: z.object({
    sharpe: number,
    errorIid: number,
    error: number,
    lags: z.number(),
    annual: number,
    annualAdjusted: number,
    annualError: number,
    periods: z.number(),
  }),
  sortino: number,
  calmar: number,
  omega: number,
  maxDrawdown: number,
  drawdownDays: number,
  cvar95: number,
  skew: number,
  kurtosis: number,
  bestDay: number,
  worstDay: number,
  hitRate: number,
  turnover: number,
  fills: z.number(),
  /** Absent in what was made before it was told. */
  refused: z.object({ orders: z.number(), mostly: z.enum(reasons).optional() }).optional(),
  exposure: z.object({ meanGross: number, meanNet: number, maxGross: number, timeInMarket: number }),
  capacityUsdt: number,
  /** Absent in what was made before it was told. */
  capacityIsBound: z.boolean().optional(),
  parts: z.object(parts),
  bySymbol: z.array(z.object({ symbol: z.string(), ...parts, traded: number })),
  byMonth: z.array(z.object({ month: z.string(), ...parts, ...slice })),
  byRegime: z.array(z.object({ regime: z.string(), ...slice })),
  benchmark: z
    .object({
      totalReturn: number,
      sharpe: number,
      /** Absent in what was made before it was told. */
      dailySharpe: number.optional(),
      maxDrawdown: number,
      correlation: number,
      beta: number,
      alpha: number,
      trackingError: number,
      informationRatio: number,
    })
    .optional(),
  intervals: z.object({ totalReturn: interval, sharpe: interval, maxDrawdown: interval }).optional(),
  deflated: z.object({ trials: z.number(), variance: number, sharpe0: number, probability: number }).optional(),
})
export type MetricsJson = z.infer<typeof metricsSchema>
export const metrics = jsonArtifact('metrics', metricsSchema)
