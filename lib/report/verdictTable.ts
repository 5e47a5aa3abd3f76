import type { MetricsJson } from '../market/runs/backtestOutputs.ts'
import { count, percent, ratio, signedPercent } from './format.ts'

const endings = { ruined: 'ruined', drawdownStop: 'drawdown limit' } as const

/** The handful of numbers people ask for first: a heading, then a row each, the benchmark's beside the run's own. Costs
 *  are shares of the capital. */
export function verdictTable(metrics: MetricsJson): string[][] {
  const { benchmark, sharpe, parts, capitalUsdt, isAnnualised, refused } = metrics
  const ofCapital = (usdt: number | null) => signedPercent(usdt === null ? null : usdt / capitalUsdt)
  const [own, error] = isAnnualised ? [sharpe.annual, sharpe.annualError] : [sharpe.sharpe, sharpe.error]
  const rows: [name: string, own: string, other?: string][] = [
    ...(metrics.outcome === 'completed' ? [] : [['ended early', endings[metrics.outcome]] as [string, string]]),
    ['total return', signedPercent(metrics.totalReturn), signedPercent(benchmark?.totalReturn)],
    ['return a year', signedPercent(metrics.annualReturn)],
    [
      isAnnualised ? 'Sharpe ratio' : 'daily Sharpe ratio',
      own === null ? ratio(own) : `${ratio(own)} ± ${ratio(error)}`,
      ratio(isAnnualised ? benchmark?.sharpe : benchmark?.dailySharpe),
    ],
    ['deepest drawdown, at daily closes', signedPercent(metrics.maxDrawdown), signedPercent(benchmark?.maxDrawdown)],
    ['fees', ofCapital(parts.fees)],
    ['slippage', ofCapital(parts.slippage)],
    ['funding', ofCapital(parts.funding)],
    ['time in the market', percent(metrics.exposure.timeInMarket, 0)],
    ['fills', count(metrics.fills)],
    ...(refused === undefined || refused.orders === 0
      ? []
      : [['orders refused or cut', `${count(refused.orders)}, mostly ${refused.mostly}`] as [string, string]]),
  ]
  const columns = benchmark === undefined ? 2 : 3
  return [[`${metrics.days} days`, 'run', 'benchmark'], ...rows].map((row) =>
    Array.from({ length: columns }, (_, i) => row[i] ?? ''),
  )
}
