import { z } from 'zod'
import { defineStrategy } from '../../../lib/backtest/strategy.ts'

/** Leans against moves that are large beside the lookback's, every hour. */
export const reversion = defineStrategy({
  name: 'sweptReversion',
  params: z.strictObject({ lookbackBars: z.int().min(3) }),
  decisionEvery: '1h',
  onBar(ctx) {
    for (const symbol of ctx.symbols) {
      const closes = ctx.closes(symbol, 24)
      const before = ctx.close(symbol, ctx.params.lookbackBars)
      if (Number.isNaN(before)) continue
      let sum = 0
      for (let i = 0; i < closes.length; i++) sum += closes[i]!
      const drift = closes.at(-1)! / (sum / closes.length) - 1
      const held = ctx.position(symbol).weight
      if (held === 0 && Math.abs(drift) > 0.06) ctx.setWeight(symbol, drift > 0 ? -0.1 : 0.1)
      else if (held !== 0 && drift > 0 === held > 0) ctx.setWeight(symbol, 0)
    }
  },
})
