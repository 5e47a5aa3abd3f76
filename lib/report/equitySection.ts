import type { DailyReturns } from '../backtest/dailyReturns.ts'
import { mean, standardDeviation } from '../stats/moments.ts'
import { cryptoPeriodsPerYear, drawdowns } from '../stats/returns.ts'
import { DAY_MS } from '../time.ts'
import { type Html, html } from './html.ts'
import { type Line, timeChart } from './timeChart.ts'
import type { ReportView } from './view.ts'

/** Equity and drawdown on the run's own days; the benchmark where it has the same day. */
export function equitySection({ daily, against, run }: ReportView): Html {
  const tsMs = [...(daily.closeTsMs.length === 0 ? [] : [daily.closeTsMs[0]! - DAY_MS]), ...daily.closeTsMs]
  const names = { own: run.request.strategy.name, other: against?.name ?? '' }
  const grown = (days: DailyReturns): number[] => {
    const at = new Map(Array.from(days.values, (value, i) => [(days.closeTsMs[0] ?? 0) + (i - 1) * DAY_MS, value]))
    return tsMs.map((ts) => (at.get(ts) ?? Number.NaN) / days.values[0]! - 1)
  }
  const under = (days: DailyReturns): number[] => {
    const depth = drawdowns(days.returns)
    const at = new Map(Array.from(days.closeTsMs, (ts, i) => [ts, depth[i]!]))
    return tsMs.map((ts, i) => (i === 0 ? 0 : (at.get(ts) ?? Number.NaN)))
  }
  const lines = (valuesOf: (days: DailyReturns) => number[], isFilled: boolean): Line[] => [
    { name: names.own, values: valuesOf(daily), color: 'own', isFilled },
    ...(against === undefined ? [] : [{ name: names.other, values: valuesOf(against.daily), color: 'other' }]),
  ]
  return html`<section><h2 id="equity">Equity and drawdown</h2>
<p class="note">Gain on the capital at the start, at daily closes, net of everything; below, the distance from the highest close so far.</p>
${timeChart({ label: 'Gain over time', tsMs, lines: lines(grown, true), unit: 'percent', base: 0 })}
${timeChart({ label: 'Drawdown over time', tsMs, lines: lines(under, true), unit: 'percent', base: 0, isLow: true })}
</section>`
}

/** The annual ratio needs windows that may be annualised; a shorter run gets the plain one, and one of a single window none. */
export function rollingSection({ daily, against, run }: ReportView): Html | undefined {
  const isLong = daily.returns.length >= 180
  const windowDays = isLong ? 90 : 30
  if (daily.returns.length <= windowDays) return undefined
  const scale = isLong ? Math.sqrt(cryptoPeriodsPerYear) : 1
  const lineOf = (days: DailyReturns): number[] => {
    const at = new Map(Array.from(rolling(days.returns, windowDays), (value, i) => [days.closeTsMs[i]!, value * scale]))
    return Array.from(daily.closeTsMs, (ts) => at.get(ts) ?? Number.NaN)
  }
  const lines: Line[] = [
    { name: run.request.strategy.name, values: lineOf(daily), color: 'own' },
    ...(against === undefined ? [] : [{ name: against.name, values: lineOf(against.daily), color: 'other' }]),
  ]
  return html`<section><h2 id="rolling">Rolling Sharpe ratio</h2>
<p class="note">${
    isLong
      ? `Over the ${windowDays} days before, annualised.`
      : `Mean over deviation of the daily returns of the ${windowDays} days before. Not annualised: the windows are shorter than 90 days.`
  } A standard error is about ${isLong ? '2.0' : '0.18'}: most of what moves here is noise.</p>
${timeChart({ label: 'Rolling Sharpe ratio', tsMs: daily.closeTsMs, lines, unit: 'ratio', base: 0, isLow: true })}
</section>`
}

function rolling(returns: Float64Array, windowDays: number): number[] {
  return Array.from(returns, (_, i) => {
    if (i + 1 < windowDays) return Number.NaN
    const window = returns.subarray(i + 1 - windowDays, i + 1)
    const deviation = standardDeviation(window)
    return deviation > 0 ? mean(window) / deviation : Number.NaN
  })
}
