import { z } from 'zod'

import { defineStrategy } from '../backtest/strategy.ts'

/** Holds the side that is paid: short where funding is high, long where it is low or negative, long and short in equal
 *  sums. Rates of 1h, 4h and 8h intervals are comparable only as the 8-hour equivalent, which is what it reads. */
export const fundingCarry = defineStrategy({
  name: 'fundingCarry',
  params: z.strictObject({
    perSide: z.int().positive().default(3),
    gross: z.number().positive().default(1),
    /** Under this difference, in basis points per 8 hours, carrying does not pay for the trading. */
    minSpreadBps: z.number().min(0).default(1),
  }),
  decisionEvery: '8h',
  columns: ['funding_8h_eq'],

  onBar(ctx) {
    const { perSide, gross, minSpreadBps } = ctx.params
    const ranked = ctx.symbols
      .map((symbol) => ({ symbol, rate: ctx.column(symbol, 'funding_8h_eq') }))
      .filter(({ rate }) => !Number.isNaN(rate))
      .sort((a, b) => a.rate - b.rate || (a.symbol < b.symbol ? -1 : 1))

    const side = Math.min(perSide, Math.floor(ranked.length / 2))
    const weights: Record<string, number> = {}
    for (let i = 0; i < side; i++) {
      const low = ranked[i]!
      const high = ranked[ranked.length - 1 - i]!
      if ((high.rate - low.rate) * 1e4 < minSpreadBps) break
      weights[low.symbol] = gross / (2 * side)
      weights[high.symbol] = -gross / (2 * side)
    }
    ctx.setWeights(weights)
  },
})
