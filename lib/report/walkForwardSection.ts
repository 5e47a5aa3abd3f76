import { alignDays, type DailyReturns } from '../backtest/dailyReturns.ts'
import { mean } from '../stats/moments.ts'
import type { FoldRow, WalkForward } from '../sweep/outputs.ts'
import { DAY_MS, dayOf } from '../time.ts'
import { count, percent, ratio, signedPercent } from './format.ts'
import { type Html, html } from './html.ts'
import { pointText } from './sweepVerdict.ts'
import { colored, pairs, row, table } from './table.ts'
import { type Line, timeChart } from './timeChart.ts'
import type { ReportView } from './view.ts'

/** What choosing by the past would have given: the tests of all folds, one after another. */
export function walkForwardSection({ walkForward, daily, against, run }: ReportView): Html | undefined {
  if (walkForward === undefined) return undefined
  const { folds, outOfSample, points } = walkForward
  const closeTsMs = walkForward.daily.closeTsMs
  const days: DailyReturns = {
    closeTsMs: Float64Array.from(closeTsMs),
    returns: Float64Array.from(walkForward.daily.returns),
    values: new Float64Array(0),
  }
  const tsMs = [closeTsMs[0]! - DAY_MS, ...closeTsMs]
  const lines: Line[] = [
    { name: 'chosen by the past', values: gainOf(days.returns), color: 'own', isFilled: true },
    { name: `${run.request.strategy.name} as reported`, values: gainOf(alignDays(daily, days)), color: 'third' },
    ...(against === undefined
      ? []
      : [{ name: against.name, values: gainOf(alignDays(against.daily, days)), color: 'other' }]),
  ]
  const trained = mean(folds.map(({ trainSharpe }) => trainSharpe))
  const tested = mean(folds.flatMap(({ testSharpe }) => (testSharpe === null ? [] : [testSharpe])))
  return html`<section><h2 id="walk-forward">Walk-forward</h2>
<p class="note">${methodText(walkForward)} ${count(points)} points are compared by their daily Sharpe ratio in training, net of all costs; of equals the
first is taken. Every training and every test is a backtest of its own: it starts with the capital and without positions, pays to enter,
and what it still holds at the end is closed at its own mean cost.</p>
${timeChart({ label: 'Gain on the tested days', tsMs, lines, unit: 'percent', base: 0 })}
<div class="columns"><div>${pairs([
    ['Tested days', count(outOfSample.days)],
    ['Return', colored(outOfSample.totalReturn, signedPercent(outOfSample.totalReturn, 2))],
    ['Annual return (CAGR)', signedPercent(outOfSample.annualReturn, 2)],
    ['Volatility, annual', percent(outOfSample.volatility, 2)],
    ['Sharpe ratio, annual', ratio(outOfSample.sharpe)],
    ['… its standard error', ratio(outOfSample.sharpeError)],
  ])}</div><div>${pairs([
    ['Maximum drawdown', percent(outOfSample.maxDrawdown, 2)],
    ['Worst day', signedPercent(outOfSample.worstDay, 2)],
    ['Days that gained', percent(outOfSample.hitRate)],
    ['Daily Sharpe ratio', ratio(outOfSample.dailySharpe, 3)],
    ['… of the chosen in training, mean', ratio(trained, 3)],
    ['… of the same in their tests, mean', ratio(tested, 3)],
  ])}</div></div>
<h3>Folds</h3>
<div class="folds">${table(
    [
      'Trained on',
      'Tested on',
      'Chosen',
      'Sharpe in training',
      'Sharpe in test',
      'Return',
      'Max. drawdown',
      'Costs',
      'Fills',
    ],
    folds.map(foldLine),
  )}</div>
<p class="note">Sharpe ratios per day, costs as a share of the capital. A choice that changes from fold to fold says that the parameter means little.
<a href="walkForward.csv">walkForward.csv</a> has the tested days.</p>
</section>`
}

function foldLine(fold: FoldRow): Html {
  const spans = fold.train.map(({ fromMs, toMs }) => `${dayOf(fromMs)} to ${dayOf(toMs - DAY_MS)}`)
  return row(
    spans.map((span, i) => html`${i > 0 && html`<br>`}${span}`),
    [
      `${dayOf(fold.test.fromMs)} to ${dayOf(fold.test.toMs - DAY_MS)}${fold.outcome === 'completed' ? '' : ` (${fold.outcome})`}`,
      pointText(fold.chosen),
      ratio(fold.trainSharpe, 3),
      colored(fold.testSharpe, ratio(fold.testSharpe, 3)),
      colored(fold.totalReturn, signedPercent(fold.totalReturn, 2)),
      percent(fold.maxDrawdown),
      percent(fold.costs, 2),
      count(fold.fills),
    ],
  )
}

function methodText({ config }: WalkForward): string {
  const { training, train, test, step, purge, embargo } = config
  const gaps = [
    purge !== undefined && `the last ${purge} before a test is left out of training`,
    embargo !== undefined && training === 'around' && `and the first ${embargo} after it`,
  ].filter((gap) => gap !== false)
  const how = {
    rolling: `Each test of ${test} is preceded by ${train} of training`,
    anchored: `Each test of ${test} is preceded by all there is before it for training, ${train} at least`,
    around: `Each test of ${test} is trained on everything else, before and after: a cross-validation that nobody could have traded`,
  }[training]
  const every = step === undefined || step === test ? '' : `, a test every ${step}`
  return `${[`${how}${every}`, ...gaps].join('; ')}.`
}

/** Growth of what was earned so far, with the beginning; a day without a value earns nothing. */
function gainOf(returns: Float64Array): number[] {
  let wealth = 1
  return [0, ...Array.from(returns, (r) => (wealth *= 1 + (Number.isNaN(r) ? 0 : r)) - 1)]
}
