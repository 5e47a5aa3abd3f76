import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { encodeBacktest } from '../../../../lib/market/runs/backtestFiles.ts'
import { backtestRun, trialRun } from '../../../../lib/market/runs/backtestOutputs.ts'
import { encodeTrial, trialOf } from '../../../../lib/market/runs/trialFiles.ts'
import type { SweepSummary, WalkForward } from '../../../../lib/sweep/outputs.ts'
import { definePipeline } from '../../../../pipeline/engine/graph.ts'
import { defineTask } from '../../../../pipeline/engine/task.ts'
import { addSweep, type TrialAt } from '../../../../pipeline/graphs/research/sweep.ts'
import { addWalkForward, type RunAt } from '../../../../pipeline/graphs/research/walkForward.ts'
import { randomMarket } from '../../../lib/backtest/markets.ts'
import { daysFrom, runOver, trend } from '../../../lib/sweep/runs.ts'
import { EngineLab } from '../../../support/engineLab.ts'

const market = randomMarket(3, 3, 60 * 24)

const tinyRun = defineTask({
  name: 'tinyRun',
  kind: 'pure',
  params: z.object({ strategy: z.record(z.string(), z.unknown()), fromMs: z.number(), toMs: z.number() }),
  inputs: {},
  output: backtestRun,
  run: (_inputs, { strategy, fromMs, toMs }) => encodeBacktest(runOver(market, strategy, { fromMs, toMs })),
})

const tinyTrial = defineTask({
  ...tinyRun,
  name: 'tinyTrial',
  output: trialRun,
  run: (_inputs, { strategy, fromMs, toMs }) => encodeTrial(trialOf(runOver(market, strategy, { fromMs, toMs }))),
})

const tiny = definePipeline(
  'tiny',
  z.object({
    lookbacks: z.array(z.number()),
    days: z.number().default(40),
    around: z.boolean().default(false),
    runsMax: z.number().optional(),
  }),
  (graph, { lookbacks, days, around, runsMax }) => {
    const runAt: RunAt = (at, strategy, range) => graph.add(tinyRun, { at, params: { strategy, ...range } })
    const trialAt: TrialAt = (at, strategy, range) => graph.add(tinyTrial, { at, params: { strategy, ...range } })
    const shared = { trialAt, sweep: { lookbackBars: lookbacks, gross: [0.5, 1] }, strategy: trend }
    const swept = addSweep(graph, { ...shared, range: daysFrom(0, days) })
    const rolling = { training: 'rolling', train: '14d', test: '7d', purge: '1d' } as const
    const folds = around ? ({ training: 'around', test: '20d', embargo: '2d' } as const) : rolling
    const walked = addWalkForward(graph, { ...shared, runAt, range: daysFrom(0, days), folds, runsMax })
    graph.target('sweep', swept.summary)
    graph.target('walkForward', walked.summary)
  },
)

let lab: EngineLab
beforeAll(() => {
  lab = new EngineLab()
})
afterAll(() => lab[Symbol.asyncDispose]())

describe('a sweep in a pipeline', () => {
  test('is one node a point; a value more runs its own points and the summary, a value less only the summary', async () => {
    const first = await lab.run(tiny, ['sweep'], {}, { lookbacks: [24, 48] })
    expect(first.outcome).toBe('ok')
    expect([...lab.executed].sort()).toEqual([
      'sweepSummary',
      'tinyTrial[sweep,gross:0.5,lookbackBars:24]',
      'tinyTrial[sweep,gross:0.5,lookbackBars:48]',
      'tinyTrial[sweep,gross:1,lookbackBars:24]',
      'tinyTrial[sweep,gross:1,lookbackBars:48]',
    ])
    await lab.run(tiny, ['sweep'], {}, { lookbacks: [72, 24, 48] })
    expect([...lab.executed].sort()).toEqual([
      'sweepSummary',
      'tinyTrial[sweep,gross:0.5,lookbackBars:72]',
      'tinyTrial[sweep,gross:1,lookbackBars:72]',
    ])
    await lab.run(tiny, ['sweep'], {}, { lookbacks: [72, 48] })
    expect(lab.executed).toEqual(['sweepSummary'])
    await lab.run(tiny, ['sweep'], {}, { lookbacks: [48, 24] })
    expect(lab.executed).toEqual([]) // the same points in another order
  })

  test('its table has the points in their order, with what each did', async () => {
    const run = await lab.run(tiny, ['sweep'], {}, { lookbacks: [48, 24] })
    const summary = lab.value(run, 'sweepSummary') as SweepSummary
    expect(summary.points.map(({ values }) => values)).toEqual([
      { gross: 0.5, lookbackBars: 24 },
      { gross: 0.5, lookbackBars: 48 },
      { gross: 1, lookbackBars: 24 },
      { gross: 1, lookbackBars: 48 },
    ])
    expect(summary.trials.count).toBe(4)
    expect(summary.overfittingAbsent).toContain('10 configurations')
  })
})

describe('a walk-forward in a pipeline', () => {
  const fold = (day: string, rest: string) => `${rest === 'test' ? 'tinyRun' : 'tinyTrial'}[fold,${day},${rest}]`

  test('trains every point for each fold, and tests the one that was chosen', async () => {
    const run = await lab.run(tiny, ['walkForward'], {}, { lookbacks: [24, 48] })
    expect(run.outcome).toBe('ok')
    const { folds, daily } = lab.value(run, 'walkForward') as WalkForward
    expect(folds.map((row) => row.fold)).toEqual(['2024-01-16', '2024-01-23', '2024-01-30'])
    expect(lab.executed.filter((address) => address.includes('train')).length).toBe(3 * 4)
    for (const { fold: day } of folds) {
      expect(lab.executed).toContain(fold(day, 'test'))
      expect(lab.executed).toContain(fold(day, 'train,gross:0.5,lookbackBars:24'))
    }
    expect(daily.returns.length).toBe(21)
    expect(folds.every(({ costs, fills }) => fills > 0 && costs < 0)).toBe(true)
  })

  test('a longer range adds its folds and leaves the others as they are', async () => {
    await lab.run(tiny, ['walkForward'], {}, { lookbacks: [24, 48], days: 47 })
    expect(lab.executed.every((address) => address === 'walkForward' || address.includes('2024-02-06'))).toBe(true)
    expect(lab.executed).toContain(fold('2024-02-06', 'test'))
    await lab.run(tiny, ['walkForward'], {}, { lookbacks: [24, 48], days: 49 })
    expect(lab.executed).toEqual([])
  })

  test('trains before and after a test where it cross-validates', async () => {
    const run = await lab.run(tiny, ['walkForward'], {}, { lookbacks: [24], days: 60, around: true })
    expect(run.outcome).toBe('ok')
    const { folds } = lab.value(run, 'walkForward') as WalkForward
    expect(folds.map(({ train }) => train.length)).toEqual([1, 2, 1])
    expect(lab.executed).toContain(fold('2024-01-21', 'train,gross:1,lookbackBars:24'))
    expect(lab.executed).toContain(fold('2024-01-21', 'train,after,gross:1,lookbackBars:24'))
    expect(lab.executed).not.toContain(fold('2024-01-01', 'train,after,gross:1,lookbackBars:24'))
  })

  test('refuses more training backtests than allowed, with where they come from', async () => {
    const asked = lab.plan(tiny, ['walkForward'], {}, { lookbacks: [24, 48], runsMax: 11 })
    await expect(asked).rejects.toThrow('3 folds of 4 points are 12 training backtests, and 11 are allowed')
  })
})
