import { z } from 'zod'

import { duration } from '../backtest/duration.ts'
import { defineStrategy } from '../backtest/strategy.ts'

/** Buys what rose most over the lookback and sells what rose least, in equal weights on both sides. */
export const crossSectionalMomentum = defineStrategy({
  name: 'crossSectionalMomentum',
  params: z.strictObject({
    lookback: duration.default('7d'),
    /** Symbols on each side; fewer where fewer have history. */
    perSide: z.int().positive().default(3),
    gross: z.number().positive().default(1),
  }),
  decisionEvery: '1d',

  onBar(ctx) {
    const { lookback, perSide, gross } = ctx.params
    const ranked = ctx.symbols
      .map((symbol) => ({ symbol, rise: ctx.close(symbol) / ctx.close(symbol, lookback) - 1 }))
      .filter(({ rise }) => !Number.isNaN(rise)) // too young: no close that far back
      .sort((a, b) => b.rise - a.rise || (a.symbol < b.symbol ? -1 : 1))

    const side = Math.min(perSide, Math.floor(ranked.length / 2))
    const weights: Record<string, number> = {}
    for (const { symbol } of ranked.slice(0, side)) weights[symbol] = gross / (2 * side)
    for (const { symbol } of ranked.slice(ranked.length - side)) weights[symbol] = -gross / (2 * side)
    ctx.setWeights(weights)
  },
})
