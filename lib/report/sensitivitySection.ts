import { dailyReturns } from '../backtest/dailyReturns.ts'
import { pow10 } from '../backtest/scaled.ts'
import type { BacktestRun, RunRequest } from '../market/runs/backtestFiles.ts'
import { cryptoPeriodsPerYear, maxDrawdown, sharpeRatio } from '../stats/returns.ts'
import { count, percent, ratio, signedPercent, signedUsdt } from './format.ts'
import { type Html, html } from './html.ts'
import { colored, row, table } from './table.ts'
import type { ReportView } from './view.ts'

/** The same run under other assumptions and parameters: what the result owes to each. */
export function sensitivitySection({ run, variants, metrics }: ReportView): Html | undefined {
  if (variants.length === 0) return undefined
  const line = (name: string, { result }: BacktestRun, kind: string): Html => {
    const { equity, capitalCash, cashDecimals } = result
    const { returns } = dailyReturns(equity.tsMs, equity.equity)
    const last = equity.rows - 1
    const total = equity.equity[last]! / capitalCash - 1
    const usdt = 1 / pow10(cashDecimals)
    const periods = metrics.isAnnualised ? cryptoPeriodsPerYear : 1
    return row(
      name,
      [
        colored(total, signedPercent(total, 2)),
        ratio(sharpeRatio(returns, periods)),
        percent(maxDrawdown(returns).depth, 1),
        signedUsdt((equity.fees[last]! + equity.slippage[last]!) * usdt),
        signedUsdt(equity.funding[last]! * usdt),
      ],
      kind,
    )
  }
  return html`<section><h2 id="sensitivity">Sensitivity</h2>
<p class="note">The same run with one thing changed. A result that turns with a basis point of cost, or with a neighbouring
parameter, is not one to rely on.</p>
${table(
  [
    'Changed',
    'Return',
    metrics.isAnnualised ? 'Sharpe' : 'Daily Sharpe',
    'Max. drawdown',
    'Fees and slippage',
    'Funding',
  ],
  [
    line('as reported', run, 'now'),
    ...variants.map((variant) =>
      line(changesBetween(run.request, variant.request).join(', ') || 'nothing', variant, ''),
    ),
  ],
)}
</section>`
}

/** `takerBps 5 → 10`: every leaf that differs, by the last part of its name. */
export function changesBetween(from: RunRequest, to: RunRequest): string[] {
  const before = leavesOf({ params: from.strategy.params, execution: from.execution, interval: from.interval })
  const after = leavesOf({ params: to.strategy.params, execution: to.execution, interval: to.interval })
  const paths = [...new Set([...before.keys(), ...after.keys()])]
  return paths
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => `${nameOf(path)} ${before.get(path) ?? 'none'} → ${after.get(path) ?? 'none'}`)
}

/** The last part, and the one before it where the last says too little. */
function nameOf(path: string): string {
  const [last = '', before = ''] = path.split('.').toReversed()
  return last.length > 5 || before === '' ? last : `${before} ${last}`
}

function leavesOf(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (typeof value === 'number') return into.set(path, Number.isInteger(value) ? count(value) : String(value))
  if (typeof value !== 'object' || value === null) return into.set(path, String(value))
  for (const [name, entry] of Object.entries(value)) leavesOf(entry, path === '' ? name : `${path}.${name}`, into)
  return into
}
