import { expect, test } from 'vitest'
import type { MetricsJson } from '../../../lib/market/runs/backtestOutputs.ts'
import { verdictTable } from '../../../lib/report/verdictTable.ts'

const metrics = {
  outcome: 'completed',
  days: 120,
  isAnnualised: true,
  capitalUsdt: 100_000,
  totalReturn: 0.0712,
  annualReturn: null,
  sharpe: { sharpe: 0.05, error: 0.09, annual: 0.98, annualError: 1.7 },
  maxDrawdown: -0.2,
  parts: { fees: -1500, slippage: -300, funding: 45 },
  exposure: { timeInMarket: 0.934 },
  fills: 1728,
} as unknown as MetricsJson

test('the numbers people ask for first, a dash for what does not exist, costs as shares of the capital', () => {
  expect(verdictTable(metrics)).toEqual([
    ['120 days', 'run'],
    ['total return', '+7.1%'],
    ['return a year', '–'],
    ['Sharpe ratio', '0.98 ± 1.70'],
    ['deepest drawdown, at daily closes', '−20.0%'],
    ['fees', '−1.5%'],
    ['slippage', '−0.3%'],
    ['funding', '0.0%'],
    ['time in the market', '93%'],
    ['fills', '1,728'],
  ])
})

test('a run of days that are too few for a year says so, and the benchmark has a column of its own', () => {
  const table = verdictTable({
    ...metrics,
    isAnnualised: false,
    benchmark: {
      totalReturn: -0.055,
      sharpe: null,
      dailySharpe: -0.014,
      maxDrawdown: -0.19,
    } as MetricsJson['benchmark'],
  })
  expect(table[0]).toEqual(['120 days', 'run', 'benchmark'])
  expect(table[1]).toEqual(['total return', '+7.1%', '−5.5%'])
  expect(table[3]).toEqual(['daily Sharpe ratio', '0.05 ± 0.09', '−0.01'])
})

test('a run whose equity never moved has no Sharpe ratio, and no error of it', () => {
  const sharpe = { ...metrics.sharpe, annual: null, annualError: null }
  expect(verdictTable({ ...metrics, sharpe })[3]).toEqual(['Sharpe ratio', '–'])
})

test('a run that ended before its time says so first', () => {
  expect(verdictTable({ ...metrics, outcome: 'ruined' })[1]).toEqual(['ended early', 'ruined'])
  expect(verdictTable({ ...metrics, outcome: 'drawdownStop' })[1]).toEqual(['ended early', 'drawdown limit'])
})

test('orders that were refused are told, with what most of them were refused for', () => {
  const refused = { orders: 1210, mostly: 'belowMinimum' } as const
  expect(verdictTable({ ...metrics, refused }).at(-1)).toEqual(['orders refused or cut', '1,210, mostly belowMinimum'])
  expect(verdictTable({ ...metrics, refused: { orders: 0 } })).toEqual(verdictTable(metrics))
})
