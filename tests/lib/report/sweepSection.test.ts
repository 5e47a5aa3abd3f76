import { describe, expect, test } from 'vitest'
import { sweepCsv, walkForwardCsv } from '../../../lib/report/csv.ts'
import { Html } from '../../../lib/report/html.ts'
import { sweepSection } from '../../../lib/report/sweepSection.ts'
import { reportedPoint } from '../../../lib/report/sweepVerdict.ts'
import { caveats, verdictSentences } from '../../../lib/report/verdict.ts'
import { viewOf } from '../../../lib/report/view.ts'
import { walkForwardSection } from '../../../lib/report/walkForwardSection.ts'
import type { SweepRow, SweepSummary } from '../../../lib/sweep/outputs.ts'
import { type SweepValue, type SweepValues, sweptParams } from '../../../lib/sweep/points.ts'
import { sampleReport } from './sampleReport.ts'

const sample = sampleReport({ days: 100, isSwept: true })
const view = viewOf(sample)
const { sweep, walkForward } = sample as Required<typeof sample>
const text = (html: Html | undefined): string => (html === undefined ? '' : Html.markupOf(html))
const saidOf = (changes: Partial<typeof view>) => verdictSentences({ ...view, ...changes }).join(' ')

/** A sweep over these lists, whose Sharpe ratios rise with the points. */
function sweepOver(lists: Readonly<Record<string, readonly SweepValue[]>>): SweepSummary {
  let all: SweepValues[] = [{}]
  for (const [name, values] of Object.entries(lists)) {
    all = all.flatMap((before) => values.map((value) => ({ ...before, [name]: value })))
  }
  const row = sweep.points[0]!
  const points = all.map((values, i): SweepRow => ({ ...row, values, sharpe: i - 1, dailySharpe: (i - 1) / 19 }))
  return { ...sweep, params: sweptParams(all), points, best: points.length - 1 }
}
const shown = (lists: Parameters<typeof sweepOver>[0]) => text(sweepSection({ ...view, sweep: sweepOver(lists) }))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('the sweep on the page', () => {
  test('is a grid of two params, with the reported and the best point framed', () => {
    const markup = text(sweepSection(view))
    expect(markup.match(/<table class="heat grid">/g)).toHaveLength(1)
    expect(markup).toContain('gross ↓ perSide →') // the longer list downwards
    expect(markup.match(/<td class="hot-(up|down) now"/g)).toHaveLength(1)
    expect(markup.match(/<td class="hot-(up|down) best"/g)).toHaveLength(1)
    expect(markup).toContain('as reported')
    expect(markup.match(/title="gross [^"]*perSide/g)).toHaveLength(12)
  })

  test('tells points apart where all of them lost, and has the numbers of its shades', () => {
    const lost = sweepOver({ a: upTo(3), b: upTo(4) })
    const points = lost.points.map((point, i): SweepRow => ({ ...point, sharpe: -5.2 + (0.4 * i) / 11 }))
    const markup = text(sweepSection({ ...view, sweep: { ...lost, points } }))
    const grid = markup.slice(markup.indexOf('<table class="heat grid">'), markup.indexOf('heat-legend'))
    expect(new Set(grid.match(/--heat:[\d.]+/g)).size).toBe(12)
    expect(grid).not.toContain('hot-up')
    const legend = /heat-legend.*/.exec(markup)![0]
    expect(legend.match(/−\d\.\d\d/g)).toEqual(['−5.20', '−5.10', '−5.00', '−4.90', '−4.80'])
    expect(legend).toContain('nothing above zero')
  })

  test('is a strip of bars for one param', () => {
    const markup = shown({ perSide: [1, 2, 3, 4] })
    expect(markup).not.toContain('heat grid')
    expect(markup.match(/<td class="bars">/g)).toHaveLength(4)
  })

  test('is a grid for each value of a third', () => {
    const markup = shown({ a: [1, 2], b: upTo(4), c: upTo(3) })
    expect(markup.match(/<table class="heat grid">/g)).toHaveLength(2)
    expect(markup).toContain('<b>a 1</b>')
    expect(markup).toContain('b ↓ c →')
  })

  test('is one slice, and says so, where the grids would be too many', () => {
    const markup = shown({ a: upTo(5), b: upTo(5), c: upTo(5), d: upTo(5) })
    expect(markup.match(/<table class="heat grid">/g)).toHaveLength(1)
    expect(markup).toContain('25 grids are too many to show; this is the one through the best point, at c 4, d 4')
  })

  test('is a picture where numbers do not fit, and the table keeps the best', () => {
    const markup = shown({ a: upTo(50), b: upTo(20) })
    expect(markup).toContain('class="heat-picture"')
    expect(markup).toContain('b downwards from 0 to 19, a rightwards')
    expect(markup.match(/<path class="cell/g)!.length).toBeLessThan(26)
    expect(markup).toContain('<pattern id="hatch"') // what is below zero is told in grey too
    expect(markup).toContain('heat-legend')
    expect(markup).toContain('The 40 best of 1,000')
    expect(markup.match(/<tr/g)!.length).toBeLessThan(70)
    expect(markup.length).toBeLessThan(120_000)
  })

  test('says why there is no probability of overfitting', () => {
    const why = 'it needs 10 configurations to choose among, and there are 4'
    const few = { ...sweep, overfitting: undefined, overfittingAbsent: why }
    expect(text(sweepSection({ ...view, sweep: few }))).toContain(`overfitting: ${why}.`)
    expect(caveats({ ...view, sweep: few }).join()).toContain(why)
    expect(saidOf({ sweep: few })).not.toContain('overfitting')
  })

  test('is not there without one', () => {
    expect(sweepSection({ ...view, sweep: undefined })).toBeUndefined()
    expect(walkForwardSection({ ...view, walkForward: undefined })).toBeUndefined()
  })
})

describe('the verdict beyond the run', () => {
  test('states the probability of overfitting with its meaning', () => {
    const overfitting = { ...sweep.overfitting!, probability: 0.4321, configurations: 12 }
    expect(saidOf({ sweep: { ...sweep, overfitting } })).toContain(
      'The probability of backtest overfitting is 43%: so often the best of the 12 configurations on one half of the days was in the lower half on the other.',
    )
  })

  test('takes the deflated Sharpe ratio of the sweep where metrics know of no trials', () => {
    const point = reportedPoint(view)!
    expect(point.values).toEqual({ gross: 1, perSide: 2 })
    const alone = { ...view.metrics, deflated: undefined }
    expect(saidOf({ metrics: alone })).toContain('It is one of 12 configurations tried')
    expect(saidOf({})).not.toContain('one of 12')
    expect(caveats({ ...view, metrics: alone }).join()).not.toContain('nothing is deflated')
  })

  test('states what choosing by the past gave, before each test or around it', () => {
    expect(saidOf({})).toMatch(
      /Chosen anew on earlier days only before each of 8 tests, it (earned|lost) [\d.]+% out of sample in 80 days, with a daily Sharpe ratio of/,
    )
    const around = { ...walkForward, config: { training: 'around', test: '10d' } as const }
    expect(saidOf({ walkForward: around })).toContain('on all the other days for each of 8 tests')
    expect(saidOf({ walkForward: around })).toContain('cross-validated')
  })

  test('warns where the reported run was picked as the best, or is no point of the sweep', () => {
    const index = sweep.points.indexOf(reportedPoint(view)!)
    expect(caveats({ ...view, sweep: { ...sweep, best: index } }).join()).toContain('is the best point of its sweep')
    expect(caveats({ ...view, sweep: { ...sweep, strategy: 'another' } }).join()).toContain('not one of the points')
  })
})

describe('the walk-forward on the page', () => {
  test('has a row for each fold, what it chose, and the joined equity beside the reported run', () => {
    const markup = text(walkForwardSection(view))
    for (const fold of walkForward.folds) expect(markup).toContain(`perSide ${fold.chosen['perSide']}`)
    expect(markup.match(/<tr><th scope="row">20/g)).toHaveLength(8)
    expect(markup).toContain('randomControl as reported')
    expect(markup).toContain('the last 1d before a test is left out of training')
  })
})

describe('the tables beside the page', () => {
  test('have every point, and every tested day with its fold', () => {
    const lines = sweepCsv(sweep).trimEnd().split('\n')
    expect(lines[0]).toMatch(/^gross,perSide,totalReturn,/)
    expect(lines).toHaveLength(13)
    expect(new Set(lines.map((line) => line.split(',').length)).size).toBe(1)
    const point = { ...sweep.points[0]!, values: { gross: -0.5, perSide: '=1+1' } }
    const row = sweepCsv({ ...sweep, points: [point] }).split('\n')[1]
    expect(row).toMatch(/^-0\.5,"'=1\+1",/) // a spreadsheet adds up the one and shows the other
    const days = walkForwardCsv(walkForward).trimEnd().split('\n')
    expect(days).toHaveLength(81)
    expect(days[1]).toMatch(/^2024-01-17,2024-01-18T00:00:00\.000Z,/)
  })
})
