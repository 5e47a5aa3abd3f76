import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineStrategy, type Strategy } from '../../../lib/backtest/strategy.ts'
import type { NamedBytes } from '../../../lib/market/runs/backtestFiles.ts'
import type { MetricsJson } from '../../../lib/market/runs/backtestOutputs.ts'
import { verdictTable } from '../../../lib/report/verdictTable.ts'
import { report } from '../../../tasks/deliver/report.ts'
import { backtest } from '../../../tasks/replay/backtest.ts'
import { metrics } from '../../../tasks/replay/metrics.ts'
import { filesOf, runTask } from '../../support/runTask.ts'
import { flat, listed, minuteRows } from './sampleBars.ts'

const context = { seed: () => '0', log: () => {} }
const setOf = (files: readonly NamedBytes[]) =>
  filesOf(Object.fromEntries(files.map(({ name, bytes }) => [name, bytes])))

/** Three times what it has, in a contract that loses half of its price from one bar to the next. */
const allIn = defineStrategy({
  name: 'allIn',
  params: z.object({}),
  decisionEvery: '1h',
  onBar: (ctx) => ctx.setWeights({ AUSDT: 3 }),
}) as Strategy
const execution = { capitalUsdt: 10_000, leverageMax: 3, slippage: { model: 'fixedBps', bps: 0 }, volumeShareMax: 1 }

function ruinedIn(hour: number) {
  const bars = Array.from({ length: 72 }, (_, i) => flat(i < hour ? 100 : 50))
  const inputs = {
    universe: { symbols: [listed('AUSDT')], rejected: [] },
    minutes: [minuteRows('AUSDT', bars)],
    funding: [],
    strategy: allIn,
  }
  const params = { baseInterval: '1h', from: '2026-03-01', to: '2026-03-04', execution }
  return setOf(runTask(backtest, inputs as never, params as never, context) as NamedBytes[])
}

// From the third hour, when it first holds anything that can be lost, to the last.
describe.each([3, 15, 23])('an account that is ruined in hour %i of its first day', (hour) => {
  const run = ruinedIn(hour)
  const found = runTask(metrics, { run } as never, { bootstrapDraws: 100 } as never, context) as MetricsJson

  test('has numbers all the same: what it came to, and nothing that takes days to tell', () => {
    expect(found).toMatchObject({ outcome: 'ruined', isAnnualised: false, volatility: null })
    expect(found.totalReturn).toBeLessThanOrEqual(-1)
    expect(found.parts.pnl).toBeCloseTo(found.endEquityUsdt - found.capitalUsdt, 8)
    expect(found.intervals).toBeUndefined()
    expect(verdictTable(found)[1]).toEqual(['ended early', 'ruined'])
  })

  test('has a report that says so', () => {
    const given = { run, metrics: found, benchmark: run, variants: [run] }
    const [page] = runTask(report, given as never, {} as never, context) as NamedBytes[]
    const text = new TextDecoder().decode(page!.bytes)
    expect(text).toContain('The account was ruined: its equity fell to zero or below.')
    expect(text).not.toMatch(/NaN|Infinity|undefined/)
  })
})
