import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import { defineStrategy } from '../../../lib/backtest/strategy.ts'
import { barsOf, flatBar, freeConfig, hourMs, marketOf, startMs } from './markets.ts'
import { bothStories } from './reference/compared.ts'
import { randomRun } from './reference/randomRuns.ts'
import { referenceRun } from './reference/reference.ts'

const seeds = Array.from({ length: 40 }, (_, seed) => seed)

describe('the engine and a second implementation of its rules', () => {
  test('tell the same story of every order, to the last digit, and draw the same curve', () => {
    const lines = new Set<string>()
    for (const seed of seeds) {
      const { engine, reference } = bothStories(randomRun(seed))
      expect(engine, `seed ${seed}`).toEqual(reference)
      for (const line of engine) lines.add(/kind=\w+ outcome=\w+ reason=\w+/.exec(line)?.[0] ?? line)
    }
    // Seeds that met little would prove little.
    const met = (pattern: RegExp) => [...lines].some((line) => pattern.test(line))
    for (const kind of ['market', 'limit', 'stop']) {
      expect(met(new RegExp(`${kind} outcome=filled`)), kind).toBe(true)
      expect(met(new RegExp(`${kind} outcome=partial`)), kind).toBe(true)
    }
    const reasons = [
      'quarantine',
      'notInUniverse',
      'belowMinimum',
      'riskLimit',
      'insufficientMargin',
      'nothingToReduce',
    ]
    const ends = ['replaced', 'strategy', 'delisted', 'liquidated', 'drawdownStop', 'noPrice', 'runEnd']
    for (const reason of [...reasons, ...ends]) expect(met(new RegExp(`reason=${reason}$`)), reason).toBe(true)
    for (const outcome of ['completed', 'drawdownStop', 'ruined']) expect(lines, outcome).toContain(outcome)
  })

  test('agree that equity is cash and positions at mark, and why it changed, at every instant', () => {
    for (const seed of seeds.slice(0, 20)) {
      const request = randomRun(seed)
      const { curve, account } = referenceRun(request)
      const capital = curve[0]!.equity
      for (const row of curve) {
        expect(row.equity, `seed ${seed}`).toBe(row.cash + row.net)
        const parts = row.pricePnl + row.slippage + row.fees + row.funding + row.liquidationFees
        expect(row.equity - capital, `seed ${seed}`).toBe(parts)
      }
      expect(account.cash).toBe(curve.at(-1)!.cash)
    }
  })
})

test('only the instant of the decision is early: an open between decision and arrival is not', () => {
  const at = 1.5 * hourMs + startMs
  const funding = {
    tsMs: Float64Array.of(at),
    rateE18: BigInt64Array.of(0n),
    markPx: Float64Array.of(Number.NaN),
  }
  const rows = [flatBar(100), flatBar(100), flatBar(90), flatBar(80), flatBar(100)]
  const strategy = defineStrategy<unknown, undefined>({
    name: 'onSettlement',
    params: z.unknown(),
    decisionEvery: '1h',
    onFunding: (ctx) => ctx.order({ symbol: 'AUSDT', qty: 1 }),
  })
  const { fills } = runBacktest({
    market: marketOf({ AUSDT: { bars: barsOf(rows), funding } }),
    strategy,
    params: {},
    config: freeConfig({ latencyMs: 0.75 * hourMs }),
    fromMs: startMs,
    toMs: startMs + 5 * hourMs,
  })
  // It is there at 2:15, so not yet for the open of 2:00.
  expect([...fills.barOpenTsMs]).toEqual([startMs + 3 * hourMs])
})
