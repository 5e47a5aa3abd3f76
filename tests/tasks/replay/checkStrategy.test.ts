import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineStrategy, type Strategy } from '../../../lib/backtest/strategy.ts'
import { createRng } from '../../../lib/rng.ts'
import { encodeFeatures, leaks } from '../../../lib/tables/features.ts'
import { HOUR_MS } from '../../../lib/time.ts'
import { checkStrategy } from '../../../tasks/replay/checkStrategy.ts'
import { filesOf, runTask } from '../../support/runTask.ts'
import { flat, listed, minuteRows, startMs } from './sampleBars.ts'

const days = 20
const rng = createRng(4)
let price = 100
const bars = Array.from({ length: days * 24 }, () => {
  price = Math.max(10, price * (1 + 0.01 * rng.normal()))
  return flat(Math.round(price * 100) / 100)
})
const closes = Float64Array.from(bars, ({ prices }) => prices[3])

const groupOf = (signal: Float64Array) => {
  const openTsMs = closes.map((_, i) => startMs + i * HOUR_MS)
  const { name, bytes } = encodeFeatures('AUSDT', openTsMs, { signal })
  return filesOf({ [name]: bytes })
}

const follows = defineStrategy({
  name: 'follows',
  params: z.object({}),
  decisionEvery: '1h',
  columns: ['signal'],
  onBar: (ctx) => {
    const signal = ctx.column('AUSDT', 'signal')
    if (!Number.isNaN(signal)) ctx.setWeight('AUSDT', signal > 0 ? 1 : -1)
  },
}) as Strategy

function check(strategy: Strategy, signal: Float64Array, more: Record<string, unknown> = {}) {
  const inputs = {
    universe: { symbols: [listed('AUSDT')], rejected: [] },
    minutes: [minuteRows('AUSDT', bars)],
    funding: [],
    features: [groupOf(signal)],
    strategy,
  }
  const params = { baseInterval: '1h', from: '2026-03-01', to: '2026-03-21', ...more }
  return leaks.schema.parse(runTask(checkStrategy, inputs as never, params as never))
}

describe('the task checkStrategy', () => {
  test('finds nothing in an honest strategy on an honest column', () => {
    const past = closes.map((px, i) => px / (closes[i - 5] ?? px) - 1)
    expect(check(follows, past)).toEqual({ features: ['follows'], cuts: 8, leaks: [] })
  })

  test('names the column that was computed with its own future, and the symbol', () => {
    const future = closes.map((px, i) => (closes[i + 1] ?? px) / px - 1)
    expect(check(follows, future).leaks).toMatchObject([
      { kind: 'columnForetells', feature: 'follows', group: 'strategy', column: 'signal', symbol: 'AUSDT' },
    ])
  })

  test('names the instant at which a strategy does otherwise than the time before', () => {
    let runs = 0
    const fickle = { ...follows, name: 'fickle', initialState: () => ++runs, onBar: follows.onBar! } as Strategy
    const turning: Strategy = {
      ...fickle,
      onBar: (ctx) => ctx.setWeight('AUSDT', ctx.nowMs >= startMs + 48 * HOUR_MS ? (ctx.state as number) / 100 : 0),
    }
    const [leak] = check(turning, closes).leaks
    expect(leak).toMatchObject({ kind: 'remembers', rowKnownAtMs: startMs + 48 * HOUR_MS, symbol: 'AUSDT' })
  })
})
