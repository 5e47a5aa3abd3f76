import type { SymbolQuality } from '../qa/joinReports.ts'
import { DAY_MS, dayStart, HOUR_MS } from '../time.ts'
import { count, ratio } from './format.ts'
import { type Html, html } from './html.ts'
import { type Lane, laneChart } from './laneChart.ts'
import { policiesOf, statusColors } from './quality/words.ts'
import type { Span } from './spans.ts'
import { pairs, row, table } from './table.ts'
import type { ReportView } from './view.ts'

/** What quality control said of each day, what it was about, and what it kept from being traded. */
export function qualitySection({ quality, run }: ReportView): Html | undefined {
  if (quality.length === 0) return undefined
  const { fromMs, toMs } = run.request
  const lanes = quality.map((symbol): Lane => {
    const ofStatus = (status: keyof typeof statusColors): Span[] =>
      symbol.days
        .filter((day) => day.status === status)
        .map((day): Span => [dayStart(day.day), dayStart(day.day) + DAY_MS])
        .filter(([from, to]) => to > fromMs && from < toMs)
    const statuses = Object.keys(statusColors) as (keyof typeof statusColors)[]
    const told = statuses.map((status) => [status, ofStatus(status)] as const).filter(([, spans]) => spans.length > 0)
    return {
      name: symbol.symbol,
      note: told.map(([status, spans]) => `${spans.length} days ${status}`).join(', '),
      blocks: told.map(([status, spans]) => ({ color: statusColors[status], spans })),
    }
  })
  return html`<section><h2 id="quality">Data quality</h2>
<p class="note">What was found, day by day; a verdict counts only from when it could be known. ${policiesOf(quality)} Quality control removes no
bar. "pipe run qa" makes a page with every interval and every day.</p>
${totals(quality, run.request)}
<p class="legend">${(Object.keys(statusColors) as (keyof typeof statusColors)[]).map(
    (status) => html`<span class="key ${statusColors[status]}"><i></i>${status}</span>`,
  )}</p>
${laneChart(lanes, { fromMs, toMs })}
${table(['Symbol', 'Days', 'Days with findings', 'Findings', 'Hours without orders', 'Kinds'], quality.map(qualityRow))}
</section>`
}

/** What was found and what was done about it, over all symbols. */
function totals(quality: readonly SymbolQuality[], { fromMs, toMs }: { fromMs: number; toMs: number }): Html {
  const days = quality.flatMap((symbol) => symbol.days)
  const sumOf = (name: keyof SymbolQuality['days'][number]['metrics']): number =>
    days.reduce((all, { metrics }) => all + metrics[name], 0)
  const hoursOf = (action: 'quarantine' | 'reject'): number =>
    quality
      .flatMap(({ masks }) => masks)
      .filter((mask) => mask.action === action)
      .reduce((all, mask) => all + Math.max(0, Math.min(toMs, mask.toMs) - Math.max(fromMs, mask.fromMs)), 0) / HOUR_MS
  const statuses = Object.keys(statusColors).reverse() as (keyof typeof statusColors)[]
  return html`<div class="columns"><div>${pairs([
    ['Policy', [...new Set(quality.flatMap(({ policies }) => policies))].join(', ')],
    ['Symbol-days looked at', count(days.length)],
    ...statuses.map((status) => [`… ${status}`, count(days.filter((day) => day.status === status).length)] as const),
  ])}</div><div>${pairs([
    ['Bars expected', count(sumOf('expectedBars'))],
    ['… missing', count(sumOf('missingBars'))],
    ['… in an outage', count(sumOf('outageBars'))],
    ['… unsound', count(sumOf('unsoundBars'))],
    ['… outliers, tagged only', count(sumOf('outlierBars'))],
    ['Symbol-hours without new orders: quarantined', ratio(hoursOf('quarantine'), 1)],
    ['… rejected', ratio(hoursOf('reject'), 1)],
  ])}</div></div>`
}

function qualityRow({ symbol, days, findings, masks }: SymbolQuality): Html {
  const kinds = new Map<string, number>()
  for (const { kind } of findings) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  const maskedMs = masks.reduce((all, { fromMs, toMs }) => all + toMs - fromMs, 0)
  const sorted = [...kinds].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  return row(symbol, [
    count(days.length),
    count(days.filter(({ status }) => status !== 'ok').length),
    count(findings.length),
    ratio(maskedMs / HOUR_MS, 1),
    sorted.map(([kind, times]) => `${kind} ${times}`).join(', ') || '–',
  ])
}
