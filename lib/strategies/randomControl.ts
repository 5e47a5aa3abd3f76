import { z } from 'zod'

import { defineStrategy } from '../backtest/strategy.ts'

/** The control: random long and short weights at the same pace and size as the others. What it earns is what chance and
 *  costs earn; a strategy that does not beat many seeds of it has shown nothing. */
export const randomControl = defineStrategy({
  name: 'randomControl',
  params: z.strictObject({
    perSide: z.int().positive().default(3),
    gross: z.number().positive().default(1),
  }),
  decisionEvery: '1d',

  onBar(ctx) {
    const { perSide, gross } = ctx.params
    const shuffled = [...ctx.symbols]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = Math.floor(ctx.random() * (i + 1))
      ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
    }
    const side = Math.min(perSide, Math.floor(shuffled.length / 2))
    const weights: Record<string, number> = {}
    for (const symbol of shuffled.slice(0, side)) weights[symbol] = gross / (2 * side)
    for (const symbol of shuffled.slice(shuffled.length - side)) weights[symbol] = -gross / (2 * side)
    ctx.setWeights(weights)
  },
})
