import type { SweepRow, SweepSummary, WalkForward } from '../sweep/outputs.ts'
import { percent, ratio } from './format.ts'
import type { ReportView } from './view.ts'

/** The point of the sweep that the page is about, where it is one of them. */
export function reportedPoint({ run, sweep }: Pick<ReportView, 'run' | 'sweep'>): SweepRow | undefined {
  const { params, name } = run.request.strategy
  if (sweep === undefined || sweep.strategy !== name || typeof params !== 'object' || params === null) return undefined
  const own = params as Readonly<Record<string, unknown>>
  return sweep.points.find(({ values }) => Object.entries(values).every(([key, value]) => own[key] === value))
}

/** `lookback 7d, perSide 3` */
export const pointText = (values: SweepRow['values']): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

/** What the sweep says about choosing from it, each number with its meaning. */
export function sweepSentences(view: ReportView): string[] {
  const { sweep, metrics } = view
  if (sweep === undefined) return []
  const said: string[] = []
  const point = reportedPoint(view)
  // Metrics that know their trials say it themselves.
  if (metrics.deflated === undefined && point?.deflated != null) {
    said.push(
      `It is one of ${sweep.trials.count} configurations tried; the probability that it beats the best that luck would show among them (deflated Sharpe ratio) is ${percent(point.deflated, 0)}.`,
    )
  }
  if (sweep.overfitting !== undefined) said.push(overfittingSentence(sweep.overfitting))
  return said
}

function overfittingSentence({ probability, configurations }: NonNullable<SweepSummary['overfitting']>): string {
  return `The probability of backtest overfitting is ${percent(probability, 0)}: so often the best of the ${configurations} configurations on one half of the days was in the lower half on the other.`
}

export function walkForwardSentence({ outOfSample, folds, config }: WalkForward): string {
  const { totalReturn, isAnnualised, days } = outOfSample
  const [value, error] = isAnnualised
    ? [outOfSample.sharpe, outOfSample.sharpeError]
    : [outOfSample.dailySharpe, outOfSample.dailySharpeError]
  const size = percent(Math.abs(totalReturn ?? Number.NaN))
  const did = (totalReturn ?? 0) < 0 ? 'lost' : 'earned'
  const on = config.training === 'around' ? 'on all the other days for' : 'on earlier days only before'
  const sharpe =
    value === null
      ? 'without a Sharpe ratio, since it never moved'
      : `with a ${isAnnualised ? '' : 'daily '}Sharpe ratio of ${ratio(value)} ± ${ratio(error)}`
  const kind = config.training === 'around' ? 'cross-validated' : 'out of sample'
  return `Chosen anew ${on} each of ${folds.length} tests, it ${did} ${size} ${kind} in ${days} days, ${sharpe}.`
}
