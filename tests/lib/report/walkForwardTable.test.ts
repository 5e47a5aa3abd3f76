import { expect, test } from 'vitest'
import { walkForwardTable } from '../../../lib/report/walkForwardTable.ts'
import { DAY_MS, dayOf } from '../../../lib/time.ts'
import { sampleReport } from './sampleReport.ts'

const walked = sampleReport({ days: 100, isSwept: true }).walkForward!

test('each fold in time with its dates, what it chose and what that showed, and then all of them as one', () => {
  const [heading, ...rows] = walkForwardTable(walked)
  const params = Object.keys(walked.folds[0]!.chosen)
  expect(heading).toEqual(['tested on', ...params, 'Sharpe in training', 'in its test', 'return'])
  const { test: first, chosen, trainSharpe } = walked.folds[0]!
  expect(rows[0]!.slice(0, params.length + 2)).toEqual([
    `${dayOf(first.fromMs)} to ${dayOf(first.toMs - DAY_MS)}`,
    ...params.map((name) => String(chosen[name])),
    trainSharpe.toFixed(3).replace('-', '−'),
  ])
  const table = rows.filter((row) => row.length > 1)
  expect(table).toHaveLength(walked.folds.length + 1)
  expect(table.at(-1)![0]).toBe(`all ${walked.outOfSample.days} days`)
  expect(rows.flatMap((row) => (row.length === 1 ? row : []))[0]).toBe(
    `Sharpe ratios per day; each fold chose the best of ${walked.points} in training`,
  )
})

test('of many folds the first, and how many more; a fold that ended early says so', () => {
  const folds = Array.from({ length: 20 }, () => ({
    ...walked.folds[0]!,
    outcome: 'ruined' as const,
    testSharpe: null,
  }))
  const rows = walkForwardTable({ ...walked, folds })
  expect(rows.filter((row) => row.length > 1)).toHaveLength(1 + 12 + 1)
  expect(rows).toContainEqual(['and 8 more'])
  expect(rows[1]![0]).toMatch(/, ruined$/)
  expect(rows[1]!.at(-2)).toBe('–')
})

test('annual numbers only of days that are enough for them', () => {
  const said = (isAnnualised: boolean) =>
    walkForwardTable({ ...walked, outOfSample: { ...walked.outOfSample, isAnnualised, sharpe: 1, sharpeError: 0.5 } })
  expect(said(true)).toContainEqual(['out of sample, a year: Sharpe ratio 1.00 ± 0.50'])
  expect(said(false).flat().join()).not.toContain('a year')
})
