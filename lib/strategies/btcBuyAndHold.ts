import { z } from 'zod'

import { defineStrategy } from '../backtest/strategy.ts'

/** The benchmark: buys once and holds. What a cleverer strategy has to beat, costs included. */
export const btcBuyAndHold = defineStrategy({
  name: 'btcBuyAndHold',
  params: z.strictObject({
    symbol: z.string().default('BTCUSDT'),
    weight: z.number().positive().default(1),
  }),
  decisionEvery: '1d',
  initialState: () => ({ bought: false }),

  onBar(ctx) {
    const { symbol, weight } = ctx.params
    if (ctx.state.bought || !ctx.symbols.includes(symbol)) return
    ctx.setWeight(symbol, weight)
    ctx.state.bought = true
  },
})
