import type { FoldRow, WalkForward } from '../sweep/outputs.ts'
import { DAY_MS, dayOf } from '../time.ts'
import { count, ratio, signedPercent } from './format.ts'

const foldsMax = 12

/** The folds of a walk-forward for a terminal, in time, and all their tests as one: a heading, then a row each. The rest is
 *  on the page and in walkForward.csv. */
export function walkForwardTable({ folds, points, outOfSample }: WalkForward): string[][] {
  const names = Object.keys(folds[0]!.chosen)
  const left = folds.length - foldsMax
  const { days, isAnnualised, sharpe, sharpeError, dailySharpe, totalReturn } = outOfSample
  return [
    ['tested on', ...names, 'Sharpe in training', 'in its test', 'return'],
    ...folds
      .slice(0, foldsMax)
      .map((fold) => [
        `${dayOf(fold.test.fromMs)} to ${dayOf(fold.test.toMs - DAY_MS)}${endingOf(fold)}`,
        ...names.map((name) => String(fold.chosen[name])),
        ratio(fold.trainSharpe, 3),
        ratio(fold.testSharpe, 3),
        signedPercent(fold.totalReturn),
      ]),
    [`all ${count(days)} days`, ...names.map(() => ''), '', ratio(dailySharpe, 3), signedPercent(totalReturn)],
    ...(left > 0 ? [[`and ${count(left)} more`]] : []),
    [`Sharpe ratios per day; each fold chose the best of ${count(points)} in training`],
    ...(isAnnualised ? [[`out of sample, a year: Sharpe ratio ${ratio(sharpe)} ± ${ratio(sharpeError)}`]] : []),
  ]
}

const endingOf = ({ outcome }: FoldRow): string =>
  ({ completed: '', ruined: ', ruined', drawdownStop: ', drawdown limit' })[outcome]
