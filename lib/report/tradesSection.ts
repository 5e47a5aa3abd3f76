import { fromUnits } from '../backtest/instrument.ts'
import { orderKinds, outcomes, reasons } from '../backtest/orders.ts'
import { count, percent, ratio, short, signedUsdt } from './format.ts'
import { type Html, html } from './html.ts'
import { positionTables } from './positionSection.ts'
import { priceChart } from './priceChart.ts'
import { bar, colored, row, table } from './table.ts'
import type { ReportView } from './view.ts'

/** Beyond these, a page shows numbers only. */
const picturesMax = 12

export function tradesSection(view: ReportView): Html {
  const { metrics, prices } = view
  const byTraded = [...metrics.bySymbol].sort(
    (a, b) => (b.traded ?? 0) - (a.traded ?? 0) || (a.symbol < b.symbol ? -1 : 1),
  )
  const pictured = byTraded.slice(0, picturesMax).flatMap(({ symbol, pnl }) => {
    const series = prices.find((candidate) => candidate.symbol === symbol)
    return series === undefined ? [] : [pictureOf(view, series, pnl)]
  })
  return html`<section><h2 id="trades">Trades</h2>
${symbolTable(view)}
${
  pictured.length > 0 &&
  html`<h3>Trades on price</h3>
<p class="note">Closes, with fills where they were made (the last of those that would cover each other): <span class="up">●</span> bought, <span class="down">●</span> sold. The ground is
<span class="up">green</span> while long and <span class="down">red</span> while short.${
    byTraded.length > picturesMax && ` The ${picturesMax} most traded of ${byTraded.length} symbols.`
  }</p>
<div class="multiples">${pictured}</div>`
}
${positionTables(view)}
<h3>What became of the orders</h3>
${orderTable(view)}
<p class="downloads"><a href="fills.csv">fills.csv</a> has every order's story, row by row; <a href="equity.csv">equity.csv</a> the account
over time. Both are beside this page, and as Parquet too, whose columns <code>pipe query</code> has as well: <code>timeUtc</code>
is <code>tsMs</code> there, <code>decisionUtc</code> and <code>activeUtc</code> are <code>decisionTsMs</code> and <code>activeTsMs</code>, and a name
that ends in <code>Usdt</code> goes without it (<code>feeUsdt</code> is <code>fee</code>). <code>pipe schema fills</code> says what each means.</p>
</section>`
}

function pictureOf({ run }: ReportView, series: ReportView['prices'][number], pnl: number | null): Html {
  const { fills, symbols, instruments } = run.result
  const s = symbols.indexOf(series.symbol)
  const instrument = instruments[s]!
  const rows = Array.from(fills.symbol.keys()).filter((i) => fills.symbol[i] === s && fills.qty[i] !== 0)
  return priceChart({
    series,
    fromMs: run.request.fromMs,
    toMs: run.request.toMs,
    fills: rows.map((i) => ({
      tsMs: fills.tsMs[i]!,
      px: fromUnits(fills.fillPx[i]!, instrument.pxDecimals),
      isBuy: fills.qty[i]! > 0,
      positionQty: fills.positionQty[i]!,
    })),
    note: html`${count(rows.length)} fills, ${colored(pnl, signedUsdt(pnl))} USDT`,
  })
}

function symbolTable({ metrics, run }: ReportView): Html {
  const { fills, symbols } = run.result
  const sorted = [...metrics.bySymbol].sort((a, b) => (b.pnl ?? 0) - (a.pnl ?? 0) || (a.symbol < b.symbol ? -1 : 1))
  const values = sorted.map(({ pnl }) => pnl ?? 0)
  const low = values.reduce((a, b) => Math.min(a, b), 0)
  const high = values.reduce((a, b) => Math.max(a, b), 0)
  if (sorted.length === 0) return html`<p class="empty">Nothing was traded.</p>`
  return table(
    ['Symbol', 'Fills', 'Maker', 'Traded', 'Price, USDT', 'Slippage', 'Fees', 'Funding', 'Net', ''],
    sorted.map((s) => {
      const index = symbols.indexOf(s.symbol)
      const rows = Array.from(fills.symbol.keys()).filter((i) => fills.symbol[i] === index && fills.qty[i] !== 0)
      const makers = rows.filter((i) => fills.isMaker[i] === 1).length
      return html`<tr><th scope="row">${s.symbol}</th>${[
        count(rows.length),
        rows.length === 0 ? '–' : percent(makers / rows.length, 0),
        short(s.traded),
        signedUsdt(s.pricePnl),
        signedUsdt(s.slippage),
        signedUsdt(s.fees),
        signedUsdt(s.funding),
        colored(s.pnl, signedUsdt(s.pnl)),
      ].map((cell) => html`<td>${cell}</td>`)}<td class="bars">${bar(s.pnl, low, high)}</td></tr>
`
    }),
  )
}

function orderTable({ run }: ReportView): Html {
  const { fills } = run.result
  const counts = new Map<string, number>()
  for (let i = 0; i < fills.rows; i++) {
    const reason = reasons[fills.reason[i]!]!
    const key = `${orderKinds[fills.kind[i]!]} ${outcomes[fills.outcome[i]!]}${reason === 'none' ? '' : `: ${reason}`}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  if (sorted.length === 0) return html`<p class="empty">No order was placed.</p>`
  return table(
    ['What happened', 'Rows', 'Share'],
    sorted.map(([name, rows]) => row(name, [count(rows), `${ratio((rows / fills.rows) * 100, 1)}%`])),
  )
}
