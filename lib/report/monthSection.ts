import { byMonth } from '../backtest/breakdowns.ts'
import { DAY_MS, monthStart, nextMonth } from '../time.ts'
import { percent, signedPercent, signedUsdt } from './format.ts'
import { heatFromZero } from './heatScale.ts'
import { type Html, html } from './html.ts'
import { breakable, colored, heatCell, row, table } from './table.ts'
import type { ReportView } from './view.ts'

interface MonthReturn {
  readonly month: string
  readonly days: number
  readonly totalReturn: number | null
}

/** Returns by calendar month, as coloured cells and as sums. */
export function monthSection(view: ReportView): Html {
  const { metrics, against, benchmark, run } = view
  const others: readonly MonthReturn[] =
    against && benchmark ? byMonth(against.daily, benchmark.result.equity, benchmark.result.cashDecimals) : []
  const most = [...metrics.byMonth, ...others].reduce((all, m) => Math.max(all, Math.abs(m.totalReturn ?? 0)), 0)
  const scale = heatFromZero(most)
  const years = [...new Set(metrics.byMonth.map(({ month }) => month.slice(0, 4)))]
  const shown = shownMonths(metrics.byMonth)
  const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
  const yearRow = (year: string, name: string, months: readonly MonthReturn[]): Html => {
    const ofYear = months.filter(({ month }) => month.startsWith(year))
    const total = ofYear.reduce((all, { totalReturn }) => all * (1 + (totalReturn ?? 0)), 1) - 1
    return html`<tr><th scope="row">${year} ${breakable(name)}</th>${shown.map((number) => {
      const found = ofYear.find(({ month }) => Number(month.slice(5)) === number)
      if (found === undefined) return html`<td></td>`
      const mark = isWhole(found) ? '' : '*'
      const title = `${found.month}, ${found.days} days`
      return heatCell(found.totalReturn ?? Number.NaN, `${signedPercent(found.totalReturn)}${mark}`, scale, { title })
    })}${heatCell(total, signedPercent(total), scale)}</tr>
`
  }
  const isPartial = metrics.byMonth.some((month) => !isWhole(month))
  return html`<section><h2 id="months">Months</h2>
<div class="scroll"><table class="heat"><thead><tr><th></th>${shown.map((number) => html`<th scope="col">${names[number - 1]}</th>`)}<th scope="col">Year</th></tr></thead>
<tbody>${years.map((year) => [
    yearRow(year, run.request.strategy.name, metrics.byMonth),
    against !== undefined && yearRow(year, against.name, others),
  ])}</tbody></table></div>
${isPartial && html`<p class="note">* not a whole month.</p>`}
${table(
  ['Month', 'Return', 'Days that gained', 'Price, USDT', 'Slippage', 'Fees', 'Funding', 'Net, USDT'],
  metrics.byMonth.map((m) =>
    row(m.month, [
      colored(m.totalReturn, signedPercent(m.totalReturn, 2)),
      percent(m.hitRate, 0),
      signedUsdt(m.pricePnl),
      signedUsdt(m.slippage),
      signedUsdt(m.fees),
      colored(m.funding, signedUsdt(m.funding)),
      colored(m.pnl, signedUsdt(m.pnl)),
    ]),
  ),
)}
</section>`
}

/** A calendar needs all twelve; a run within a year only its own. */
function shownMonths(months: readonly MonthReturn[]): number[] {
  const numbers = months.map(({ month }) => Number(month.slice(5)))
  const isOneYear = new Set(months.map(({ month }) => month.slice(0, 4))).size === 1
  return isOneYear ? numbers : Array.from({ length: 12 }, (_, i) => i + 1)
}

const isWhole = ({ month, days }: MonthReturn): boolean =>
  days === Math.round((monthStart(nextMonth(month)) - monthStart(month)) / DAY_MS)
