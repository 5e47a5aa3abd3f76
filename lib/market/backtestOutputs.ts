import { z } from 'zod'
import { jsonArtifact, tableArtifact } from '../artifact.ts'
import { defineTable, f64, tsMs } from '../tables/schema.ts'

/** The account over time. Parts are cumulative, and capital plus all parts is the equity of the row. */
export const equityTable = defineTable({
  name: 'equity',
  version: 1,
  columns: {
    tsMs: tsMs(),
    equityUsdt: f64({ unit: 'USDT' }),
    grossUsdt: f64({ unit: 'USDT' }),
    pricePnlUsdt: f64({ unit: 'USDT' }),
    slippageUsdt: f64({ unit: 'USDT' }),
    feesUsdt: f64({ unit: 'USDT' }),
    fundingUsdt: f64({ unit: 'USDT' }),
    tradedUsdt: f64({ unit: 'USDT' }),
  },
  sortKey: ['tsMs'],
})
export const equity = tableArtifact(equityTable)

/** What a backtest amounts to, net of everything. Conventions: daily UTC closes, simple returns, 365 days a year. */
export const metrics = jsonArtifact(
  'metrics',
  z.object({
    days: z.number(),
    netReturn: z.number(),
    annualVolatility: z.number(),
    sharpe: z.number(),
    sharpeStandardError: z.number(),
    maxDrawdown: z.number(),
    costs: z.object({ feesUsdt: z.number(), slippageUsdt: z.number(), fundingUsdt: z.number() }),
    turnover: z.number(),
  }),
)
