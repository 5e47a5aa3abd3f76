import { percent, ratio, signedPercent, signedUsdt } from './format.ts'
import { type Html, html } from './html.ts'
import { bar, colored, table } from './table.ts'
import { timeChart } from './timeChart.ts'
import type { ReportView } from './view.ts'

export function exposureSection({ run, metrics }: ReportView): Html {
  const { equity } = run.result
  const over = (column: Float64Array) => column.map((value, i) => value / equity.equity[i]!)
  const { meanGross, meanNet, maxGross, timeInMarket } = metrics.exposure
  return html`<section><h2 id="exposure">Exposure</h2>
<p class="note">Sum of all positions over equity, and longs less shorts. On average ${ratio(meanGross)} gross and ${ratio(meanNet)} net,
${ratio(maxGross)} gross at most; in the market ${percent(timeInMarket, 0)} of the time.</p>
${timeChart({
  label: 'Exposure over time',
  tsMs: equity.tsMs,
  lines: [
    { name: 'gross', values: over(equity.gross), color: 'own', isFilled: true },
    { name: 'net', values: over(equity.net), color: 'third' },
  ],
  unit: 'ratio',
  base: 0,
  isLow: true,
})}
</section>`
}

/** What was earned, taken apart: the parts sum to the result, to the last digit of the ledger. */
export function costSection(view: ReportView): Html {
  const { run, metrics, usdt } = view
  const { equity } = run.result
  const { parts, capitalUsdt } = metrics
  const inUsdt = (column: Float64Array) => column.map((cash) => cash * usdt)
  const named: [string, number | null][] = [
    ['Price, at reference prices', parts.pricePnl],
    ['Slippage', parts.slippage],
    ['Fees', parts.fees],
    ['Funding', parts.funding],
    ['Liquidation fees', parts.liquidationFees],
    ['Net', parts.pnl],
  ]
  const values = named.map(([, value]) => value ?? 0)
  const low = Math.min(0, ...values)
  const high = Math.max(0, ...values)
  return html`<section><h2 id="costs">Costs and funding</h2>
<p class="note">Price counts what the positions earned at the prices the market showed; what fills were worse than those is
slippage. The five parts sum to the result exactly: the ledger is kept in whole numbers and checked after every event.</p>
<div class="columns"><div>${table(
    ['', 'USDT', 'Of capital', ''],
    named.map(
      ([
        name,
        value,
      ]) => html`<tr${name === 'Net' && html` class="total"`}><th scope="row">${name}</th><td>${colored(value, signedUsdt(value))}</td><td>${signedPercent(value === null ? null : value / capitalUsdt, 2)}</td><td class="bars">${bar(value, low, high)}</td></tr>
`,
    ),
  )}</div>
<div>${fundingTable(view)}</div></div>
${timeChart({
  label: 'Parts of the result over time, cumulative',
  tsMs: equity.tsMs,
  lines: [
    { name: 'net', values: equity.equity.map((cash) => (cash - run.result.capitalCash) * usdt), color: 'own' },
    { name: 'price', values: inUsdt(equity.pricePnl), color: 'other' },
    { name: 'funding', values: inUsdt(equity.funding), color: 'third' },
    { name: 'fees', values: inUsdt(equity.fees), color: 'down' },
    { name: 'slippage', values: inUsdt(equity.slippage), color: 'fourth' },
  ],
  unit: 'usdt',
  base: 0,
})}
</section>`
}

/** A carry that one symbol earned alone is another result than one of all. */
function fundingTable({ metrics }: ReportView): Html {
  const settled = metrics.bySymbol.flatMap(({ symbol, funding }) =>
    funding === null || funding === 0 ? [] : [{ symbol, funding }],
  )
  if (settled.length === 0) return html``
  settled.sort((a, b) => b.funding - a.funding || (a.symbol < b.symbol ? -1 : 1))
  const low = Math.min(0, settled.at(-1)!.funding)
  const high = Math.max(0, settled[0]!.funding)
  return table(
    ['Funding by symbol', 'USDT', 'Of capital', ''],
    settled.map(
      ({ symbol, funding }) =>
        html`<tr><th scope="row">${symbol}</th><td>${colored(funding, signedUsdt(funding))}</td><td>${signedPercent(funding / metrics.capitalUsdt, 2)}</td><td class="bars">${bar(funding, low, high)}</td></tr>
`,
    ),
  )
}
