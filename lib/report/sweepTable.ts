import type { SweepSummary } from '../sweep/outputs.ts'
import { count, percent, ratio, signedPercent } from './format.ts'

const rowsMax = 5

/** The best points of a sweep for a terminal, the best first, and how much of that is luck: a heading, then a row each. All of
 *  them are on the page and in sweep.csv. */
export function sweepTable({ points, params, isAnnualised, overfitting }: SweepSummary): string[][] {
  const byRank = [...points].sort((a, b) => b.dailySharpe - a.dailySharpe)
  const names = params.map(({ name }) => name)
  const digits = isAnnualised ? 2 : 3
  const heading = [
    ...names,
    isAnnualised ? 'Sharpe ratio' : 'daily Sharpe ratio',
    'total return',
    'deepest drawdown',
    'deflated Sharpe',
  ]
  const rows = byRank
    .slice(0, rowsMax)
    .map(({ values, sharpe, dailySharpe, totalReturn, maxDrawdown, deflated }) => [
      ...names.map((name) => String(values[name])),
      ratio(isAnnualised ? sharpe : dailySharpe, digits),
      signedPercent(totalReturn),
      signedPercent(maxDrawdown),
      percent(deflated, 0),
    ])
  const left = points.length - rows.length
  return [
    heading,
    ...rows,
    ...(left > 0 ? [[`and ${count(left)} more`]] : []),
    ...(overfitting === undefined ? [] : [[`probability of overfitting ${percent(overfitting.probability, 0)}`]]),
  ]
}
