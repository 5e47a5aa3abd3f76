import type { Coverage } from '../../../lib/market/coverage/coverage.ts'
import { Html, html, trusted } from '../../../lib/report/html.ts'
import { countText, instantText, percentText } from '../human.ts'
import { gapCells, labelOf, monthsOf, reasonTexts, signOf } from './picture.ts'
import type { StatusOf } from './statusOf.ts'

const light = `--paper: #fff; --ink: #14181f; --soft: #5b6573; --rule: #dfe3e9; --complete: #2f9e78; --venueGap: #d9a514;
  --partly: #7fa8ec; --notFetched: #c9d8f5; --failed: #c4372d;`
const dark = `--paper: #0f1319; --ink: #e7ebf1; --soft: #97a2b2; --rule: #2a3341; --complete: #2b8a69; --venueGap: #b98a14;
  --partly: #4a75c4; --notFetched: #26395c; --failed: #d9534a;`
const style = `
:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }
body { margin: 0 auto; max-width: 1200px; padding: 24px 20px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums; }
h1 { margin: 0; font-size: 24px; } h2 { margin: 36px 0 4px; font-size: 18px; } p { margin: 4px 0 12px; color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: 3px 8px; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th { color: var(--soft); font-weight: 500; }
td.number { text-align: right; }
td.why { white-space: normal; min-width: 20ch; }
table.months th.month { padding: 3px 0; font-size: 10px; writing-mode: vertical-rl; }
table.months td.month { padding: 0; min-width: 12px; border: 1px solid var(--paper); text-align: center; color: var(--ink); }
.complete { background: var(--complete); } .venueGap { background: var(--venueGap); } .partly { background: var(--partly); }
.notFetched { background: var(--notFetched); } .failed { background: var(--failed); }
.key i { display: inline-block; width: 12px; height: 12px; margin: 0 5px -1px 14px; }
@media print { body { max-width: none; -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
`

/** One file that needs nothing else: what `pipe status` shows, with each month's figures under the pointer. */
export function statusPage(all: readonly StatusOf[]): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Completeness</title>
<style>${trusted(style)}</style>
</head>
<body>
<h1>What is here, and what is not</h1>
<p class="key"><i class="complete"></i>complete<i class="venueGap"></i>${reasonTexts.venueGap}<i class="partly"></i>partly fetched<i class="notFetched"></i>${reasonTexts.notFetched}<i class="failed"></i>${reasonTexts.failed}, blank: ${reasonTexts.notListed}</p>
${all.map(pipelineSection)}
</body>
</html>
`
  return Html.markupOf(page)
}

function pipelineSection(status: StatusOf): Html {
  const months = monthsOf(status.series)
  const gaps = status.series.flatMap((one) => one.gaps.map((gap) => ({ one, gap })))
  return html`<h2>${status.pipeline}</h2>
<p>run ${status.run}, ${status.outcome}, data as of ${instantText(status.nowTsMs)}</p>
<div class="scroll"><table class="months">
<thead><tr><th>data set</th><th>symbol</th>${months.map((month) => html`<th class="month">${month}</th>`)}<th>here</th><th>rows</th></tr></thead>
<tbody>
${status.series.map((one) => seriesRow(one, months))}
</tbody></table></div>
<h2>Gaps of ${status.pipeline}</h2>
${
  gaps.length === 0
    ? html`<p>There are none.</p>`
    : html`<div class="scroll"><table><thead><tr><th>data set</th><th>symbol</th><th>from</th><th>to</th><th>rows</th><th>why</th></tr></thead>
<tbody>
${gaps.map(({ one, gap }) => {
  const [from, to, rows, why] = gapCells(gap)
  return html`<tr><td>${labelOf(one)}</td><td>${one.symbol}</td><td>${from}</td><td>${to}</td><td class="number">${rows}</td><td class="why">${why}</td></tr>
`
})}</tbody></table></div>`
}
`
}

function seriesRow(one: Coverage, months: readonly string[]): Html {
  const byMonth = new Map(one.months.map((month) => [month.month, month]))
  const cells = months.map((name) => {
    const month = byMonth.get(name)
    if (month === undefined) return html`<td class="month" title="${name}: ${reasonTexts.notListed}"></td>`
    const title = `${name}: ${countText(month.rows)} of ${countText(month.expected)} rows`
    const why = month.worst === undefined ? '' : `, ${reasonTexts[month.worst]}`
    return html`<td class="month ${signOf(month)}" title="${title}${why}"></td>`
  })
  return html`<tr><td>${labelOf(one)}</td><td>${one.symbol}</td>${cells}<td class="number">${percentText(one.rows, one.expected)}</td><td class="number">${countText(one.rows)}</td></tr>
`
}
