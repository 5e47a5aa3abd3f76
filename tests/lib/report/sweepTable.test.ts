import { expect, test } from 'vitest'
import { sweepTable } from '../../../lib/report/sweepTable.ts'
import { sampleReport } from './sampleReport.ts'

const sweep = sampleReport({ days: 100, isSwept: true }).sweep!

test('the best five points of a sweep, the best first, and what is to be thought of them', () => {
  const [heading, ...rows] = sweepTable(sweep)
  expect(heading).toEqual(['gross', 'perSide', 'Sharpe ratio', 'total return', 'deepest drawdown', 'deflated Sharpe'])
  const points = rows.filter((row) => row.length > 1)
  const sharpes = points.map((row) => Number(row[2]!.replace('−', '-')))
  expect(sharpes).toHaveLength(5)
  expect(sharpes).toEqual(sharpes.toSorted((a, b) => b - a))
  const best = sweep.points[sweep.best]!
  expect(points[0]!.slice(0, 2)).toEqual([String(best.values['gross']), String(best.values['perSide'])])
  expect(rows.at(-2)).toEqual(['and 7 more'])
  expect(rows.at(-1)![0]).toMatch(/^probability of overfitting \d+%$/)
})

test('under ninety days nothing is made annual, and where all are shown none is left', () => {
  const few = { ...sweep, isAnnualised: false, points: sweep.points.slice(0, 2), overfitting: undefined }
  const table = sweepTable(few)
  expect(table).toHaveLength(3)
  expect(table[0]).toContain('daily Sharpe ratio')
})
