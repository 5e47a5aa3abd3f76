import { fillFlags, reasons } from '../backtest/orders.ts'
import { HOUR_MS } from '../time.ts'
import { count, instant, percent, ratio, signedPercent } from './format.ts'
import { reportedPoint, sweepSentences, walkForwardSentence } from './sweepVerdict.ts'
import type { ReportView } from './view.ts'

/** How sure the sign of the Sharpe ratio is: its distance from zero in standard errors. */
const sureErrors = 1.96

/** The result in two or three sentences, none of which says more than the numbers do. */
export function verdictSentences(view: ReportView): string[] {
  const { run, metrics, against } = view
  const { strategy } = run.request
  const { sharpe, isAnnualised, outcome, totalReturn } = metrics
  const sentences: string[] = []
  if (outcome === 'ruined') sentences.push('The account was ruined: its equity fell to zero or below.')
  if (outcome === 'drawdownStop') sentences.push('The drawdown limit ended the run early, with all positions closed.')

  if (metrics.fills === 0) {
    const { orders = 0, mostly } = metrics.refused ?? {}
    const why =
      orders === 0 ? 'the strategy asked for nothing' : `all ${count(orders)} orders were refused, mostly ${mostly}`
    sentences.push(`Nothing was ever traded: ${why}.`)
  }

  const did = (totalReturn ?? 0) < 0 ? 'lost' : 'earned'
  const size = percent(Math.abs(totalReturn ?? Number.NaN))
  const beside =
    against === undefined
      ? ''
      : `, while ${against.name} ${returned(against.metrics.totalReturn)} with the same costs and dates`
  sentences.push(`${strategy.name} ${did} ${size} after all costs in ${metrics.days} days${beside}.`)

  const [value, error] = isAnnualised ? [sharpe.annual, sharpe.annualError] : [sharpe.sharpe, sharpe.error]
  if (value === null || error === null) {
    sentences.push('It has no Sharpe ratio: its equity never moved.')
    return [...sentences, ...beyond(view)]
  }
  const shown = `${isAnnualised ? 'Sharpe ratio' : 'daily Sharpe ratio'} of ${ratio(value)} with a standard error of ${ratio(error)}`
  if (Math.abs(value) < sureErrors * error) {
    sentences.push(`Its ${shown} cannot be told from zero: this is no evidence for or against an edge.`)
  } else if (value > 0) {
    sentences.push(`Its ${shown} is above zero beyond what chance explains, if it was the only configuration tried.`)
  } else sentences.push(`Its ${shown} is below zero beyond what chance explains.`)

  const { deflated } = metrics
  if (deflated !== undefined && deflated.trials > 1 && deflated.probability !== null) {
    sentences.push(
      `It is one of ${deflated.trials} configurations tried; the probability that it beats the best that luck would show among them (deflated Sharpe ratio) is ${percent(deflated.probability, 0)}.`,
    )
  }
  return [...sentences, ...beyond(view)]
}

/** What is known beyond the run itself: the other configurations, and choosing among them by the past. */
const beyond = (view: ReportView): string[] => [
  ...sweepSentences(view),
  ...(view.walkForward === undefined ? [] : [walkForwardSentence(view.walkForward)]),
]

/** What a reader must know before believing the numbers, taken from the run itself. */
export function caveats(view: ReportView): string[] {
  const { run, metrics, daily, against, hasSurvivorship, quality, sweep, replay } = view
  const { result, request } = run
  const { fills, counts } = result
  const found: string[] = []
  const flagged = (flag: number) => fills.flags.filter((flags, i) => (flags & flag) !== 0 && fills.qty[i] !== 0).length
  const share = (part: number) => `${count(part)} of ${count(metrics.fills)} fills`

  // The run carries the stamp itself: a page without its universe says so too.
  if (hasSurvivorship === true || request.data?.universe.hasSurvivorship === true) {
    found.push(
      'The universe is made of symbols that live today: what died before is missing, and the past looks better for it.',
    )
  }
  if (metrics.outcome === 'ruined') {
    found.push('Nothing is annualised: the account did not live on. Its last day ends with what was left of it.')
  } else if (!metrics.isAnnualised) {
    found.push(`${metrics.days} days are too few to annualise anything; figures are for the period as it was.`)
  } else if (metrics.days < 365) {
    found.push(`${metrics.days} days are less than a year: annual figures extrapolate, and no season was seen twice.`)
  }
  if (metrics.deflated === undefined && sweep === undefined) {
    found.push('How many configurations were tried before this one is not known here, so nothing is deflated for it.')
  }
  const point = reportedPoint(view)
  if (sweep !== undefined && sweep.points.length > 1) {
    if (point === undefined) found.push('The reported run is not one of the points of the sweep.')
    if (point !== undefined && point === sweep.points[sweep.best]) {
      found.push('The reported run is the best point of its sweep, which is known only afterwards: expect less of it.')
    }
    if (sweep.overfittingAbsent !== undefined) {
      found.push(`No probability of backtest overfitting: ${sweep.overfittingAbsent}.`)
    }
  }
  if (against === undefined) found.push('There is no benchmark to compare with.')
  const sameInstant = flagged(fillFlags.sameInstantOpen)
  if (sameInstant > 0) {
    found.push(
      `${share(sameInstant)} took the open of the decision's own instant: ${request.interval} bars are coarser than the ${request.execution.latencyMs} ms latency.`,
    )
  }
  const forWantOfMargin = fills.reason.filter((reason) => reasons[reason] === 'insufficientMargin').length
  if (forWantOfMargin > 0) {
    found.push(
      `${count(forWantOfMargin)} orders did not get all they asked for: the account has margin for ${request.execution.leverageMax} times its equity.`,
    )
  }
  const capped = flagged(fillFlags.volumeCapped)
  if (capped > 0) {
    found.push(`${share(capped)} met the cap of ${percent(request.execution.volumeShareMax, 0)} of a bar's volume.`)
  }
  const touched = flagged(fillFlags.bothTouched)
  if (touched > 0) found.push(`${share(touched)} were in bars that touched both sides; the worse order was taken.`)
  if (counts.fundingAtMark > 0) {
    found.push(`${count(counts.fundingAtMark)} funding settlements had no published price and were paid at the mark.`)
  }
  if (counts.marksAtClose > 0) {
    found.push(`${count(counts.marksAtClose)} bars of held symbols had no mark price and were marked at their close.`)
  }
  if (counts.liquidations > 0) found.push(`${count(counts.liquidations)} liquidations.`)
  if (counts.delistedPositions > 0) {
    found.push(`${positions(counts.delistedPositions)} closed by a delisting, at the last mark with trades.`)
  }
  if (counts.dataEndedPositions > 0) {
    found.push(`${positions(counts.dataEndedPositions)} closed because the symbol's data ends.`)
  }
  const { data } = run.request
  for (const { column, fromMs } of data?.lateColumns ?? []) {
    const when = fromMs === null ? 'never had a value' : `had no value before ${instant(fromMs)}`
    found.push(
      `The column ${column} ${when}: the strategy could only wait. "warmupDays" gives it days to look back on.`,
    )
  }
  if (data !== undefined && data.unsoundBars > 0) {
    found.push(`${count(data.unsoundBars)} bars were left out: their prices cannot be right.`)
  }
  if (data !== undefined && data.universe.withoutBars.length > 0) {
    found.push(`Without a single bar, and so left out: ${data.universe.withoutBars.join(', ')}.`)
  }
  if (replay !== undefined && data?.eventStream !== undefined && replay.digest !== data.eventStream.digest) {
    found.push('The event stream shown here is not the one the run was stamped with.')
  }
  const maskedMs = quality.reduce((all, { masks }) => masks.reduce((sum, m) => sum + m.toMs - m.fromMs, all), 0)
  if (maskedMs > 0) {
    found.push(`Quality control kept orders away for ${count(Math.round(maskedMs / HOUR_MS))} symbol-hours in all.`)
  }
  const dependence = bestDays(daily.returns)
  if (dependence !== undefined) found.push(dependence)
  return found
}

/** A result that rests on a handful of days is another result than one that does not. */
function bestDays(returns: Float64Array): string | undefined {
  if (returns.length < 60) return undefined
  const days = 5
  const known = returns.filter((r) => !Number.isNaN(r)).sort()
  const product = (values: Float64Array): number => values.reduce((all, r) => all * (1 + r), 1) - 1
  const without = product(known.subarray(0, known.length - days))
  return `Without its ${days} best days it would have returned ${signedPercent(without)} instead of ${signedPercent(product(known))}.`
}

function returned(value: number | null): string {
  if (value === null) return 'returned nothing measurable'
  return `${value < 0 ? 'lost' : 'earned'} ${percent(Math.abs(value))}`
}

const positions = (n: number): string => `${count(n)} ${n === 1 ? 'position was' : 'positions were'}`
