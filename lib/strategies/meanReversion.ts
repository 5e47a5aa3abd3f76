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
      if (Number.isNaN(ctx.close(symbol, lookback))) continue // too young: no close that far back
      const z = zScore(ctx.closes(symbol, lookback))
      const held = ctx.position(symbol).weight
      if (held === 0 && Math.abs(z) >= entryZ) ctx.setWeight(symbol, z > 0 ? -weight : weight)
      else if (held > 0 && z >= -exitZ) ctx.setWeight(symbol, 0)
      else if (held < 0 && z <= exitZ) ctx.setWeight(symbol, 0)
    }
  },
})

/** Of the last value among all; 0 where nothing moved. */
function zScore(values: readonly number[]): number {
  const count = values.length
  let sum = 0
  for (let i = 0; i < count; i++) sum += values[i]!
  const mean = sum / count
  let squares = 0
  for (let i = 0; i < count; i++) squares += (values[i]! - mean) * (values[i]! - mean)
  const deviation = Math.sqrt(squares / (count - 1))
  return deviation > 0 ? (values[count - 1]! - mean) / deviation : 0
}
