import { z } from 'zod'

import { duration } from '../backtest/duration.ts'
import { defineStrategy } from '../backtest/strategy.ts'

/** Leans against moves: enters when a close is far from its recent mean, leaves when it is back. */
export const meanReversion = defineStrategy({
  name: 'meanReversion',
  params: z.strictObject({
    lookback: duration.default('2d'),
    entryZ: z.number().positive().default(2),
    exitZ: z.number().min(0).default(0.5),
    /** Of equity, for each position. */
    weight: z.number().positive().default(0.1),
  }),
  decisionEvery: '1h',

  onBar(ctx) {
    const { lookback, entryZ, exitZ, weight } = ctx.params
    for (const symbol of ctx.symbols) {
      const deviation = ctx.deviation(symbol, lookback)
      if (Number.isNaN(deviation)) continue // a bar is missing, or it is too young: what is held stays
      const z = deviation > 0 ? (ctx.close(symbol) - ctx.mean(symbol, lookback)) / deviation : 0
      const held = ctx.position(symbol).weight
      if (held === 0 && Math.abs(z) >= entryZ) ctx.setWeight(symbol, z > 0 ? -weight : weight)
      else if (held > 0 && z >= -exitZ) ctx.setWeight(symbol, 0)
      else if (held < 0 && z <= exitZ) ctx.setWeight(symbol, 0)
    }
  },
})
