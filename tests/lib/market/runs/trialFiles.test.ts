import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dailyReturns } from '../../../../lib/backtest/dailyReturns.ts'
import { computeMetrics, headlineOf } from '../../../../lib/backtest/metrics.ts'
import { decodeTrial, encodeTrial, trialOf } from '../../../../lib/market/runs/trialFiles.ts'
import { closingCost, foldReturns, spanReturns } from '../../../../lib/sweep/spanReturns.ts'
import { randomMarket } from '../../backtest/markets.ts'
import { filesOf } from '../../report/sampleReport.ts'
import { dayMs, daysFrom, runOver } from '../../sweep/runs.ts'

describe('a trial', () => {
  const run = runOver(randomMarket(5, 4, 120 * 24), { lookbackBars: 12 }, daysFrom(0, 110))
  const trial = trialOf(run)

  test('says of whole days, costs and fills what the run says, to the last digit', () => {
    const { result } = run
    const headline = headlineOf(trial.result)
    expect(headline.fills).toBeGreaterThan(20)
    expect(computeMetrics(result)).toMatchObject(headline)
    expect(closingCost(trial.result)).toBe(closingCost(result))
    expect(trial.result.equity.rows).toBe(111)
    expect(result.equity.rows).toBe(110 * 24 + 1)
  })

  test('is given back by its files, without the fills', () => {
    const files = encodeTrial(trial)
    expect(files.map(({ name }) => name)).toEqual(['days.parquet', 'run.json'])
    expect(decodeTrial(filesOf(files))).toEqual(trial)
  })

  test('has the same days for any curve, with holes in it or without, and over any span', () => {
    const curve = fc.array(
      fc.record({ hours: fc.integer({ min: 1, max: 60 }), equity: fc.integer({ min: -5, max: 1e6 }) }),
      {
        minLength: 1,
        maxLength: 60,
      },
    )
    fc.assert(
      fc.property(curve, fc.integer({ min: -2, max: 20 }), fc.integer({ min: 1, max: 20 }), (rows, from, days) => {
        let tsMs = daysFrom(0, 0).fromMs
        const stamps = Float64Array.from(rows, ({ hours }) => (tsMs += hours * (dayMs / 24)))
        const values = Float64Array.from(rows, ({ equity }) => equity)
        const zero = new Float64Array(rows.length)
        const equity = {
          ...run.result.equity,
          rows: rows.length,
          tsMs: stamps,
          equity: values,
          cash: zero,
          gross: zero,
        }
        const full = { ...run, result: { ...run.result, equity } }
        const thin = trialOf(full)
        const span = daysFrom(from, days)
        expect(spanReturns(thin.result.equity, span)).toEqual(spanReturns(equity, span))
        expect(foldReturns(thin.result, span)).toEqual(foldReturns(full.result, span))
        const { tsMs: thinTsMs, equity: thinValues } = thin.result.equity
        expect(dailyReturns(thinTsMs, thinValues)).toEqual(dailyReturns(stamps, values))
      }),
      { numRuns: 200 },
    )
  })
})
