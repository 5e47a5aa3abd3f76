import { z } from 'zod'
import { defineStrategy } from '../../../lib/backtest/strategy.ts'

/** Buys the three that rose most over the lookback and sells the three that rose least, once a day. */
export const momentum = defineStrategy({
  name: 'sweptMomentum',
  params: z.strictObject({ lookbackBars: z.int().positive() }),
  decisionEvery: '1d',
  onBar(ctx) {
    const ranked = ctx.symbols
      .map((symbol) => ({ symbol, rise: ctx.close(symbol) / ctx.close(symbol, ctx.params.lookbackBars) - 1 }))
      .filter(({ rise }) => !Number.isNaN(rise))
      .sort((a, b) => b.rise - a.rise || (a.symbol < b.symbol ? -1 : 1))
    const side = Math.min(3, Math.floor(ranked.length / 2))
    const weights: Record<string, number> = {}
    for (const { symbol } of ranked.slice(0, side)) weights[symbol] = 1 / (2 * side)
    for (const { symbol } of ranked.slice(ranked.length - side)) weights[symbol] = -1 / (2 * side)
    ctx.setWeights(weights)
  },
})
