import { joinReports, type SymbolQuality } from '../../qa/joinReports.ts'
import type { QaReport } from '../../tables/qa.ts'
import { HOUR_MS } from '../../time.ts'
import { count, instant, percent, ratio } from '../format.ts'
import { type Html, html } from '../html.ts'
import { wholePage } from '../page.ts'
import { pageScript } from '../pageScript.ts'
import { type DayRange, qualityCalendar } from './calendar.ts'
import { qualityScript } from './script.ts'
import { qualityStyle } from './style.ts'
import { dayTable, findingTable, kindTable, maskTable, symbolTable } from './tables.ts'
import { lengthText, policiesOf, statuses } from './words.ts'

/** What quality control said of every symbol and day, as one page that needs nothing but itself. The same reports give the
 *  same bytes, whatever order and pieces they come in. */
export function renderQuality(reports: readonly QaReport[]): string {
  const quality = joinReports(reports)
  if (reports.length === 0) return emptyPage()
  const range: DayRange = {
    fromMs: reports.reduce((least, { fromMs }) => Math.min(least, fromMs), Number.POSITIVE_INFINITY),
    toMs: reports.reduce((most, { toMs }) => Math.max(most, toMs), 0),
  }
  const [from, to] = [instant(range.fromMs).slice(0, 10), instant(range.toMs).slice(0, 10)]
  const intervalsMs = [...new Set(quality.map(({ intervalMs }) => intervalMs))].sort((a, b) => a - b)
  return wholePage({
    title: `Data quality, ${from} to ${to}`,
    heading: 'Data quality',
    sub: `${count(quality.length)} symbols, bars of ${intervalsMs.map(lengthText).join(' and ')}, ${from} to before ${to}, UTC`,
    links: [
      ['calendar', 'Calendar'],
      ['kinds', 'Findings by kind'],
      ['findings', 'Findings'],
      ['masks', 'Kept from orders'],
      ['symbols', 'By symbol'],
      ['days', 'Day by day'],
    ],
    sections: [
      summary(quality),
      qualityCalendar(quality, range),
      kindTable(quality),
      findingTable(quality),
      maskTable(quality),
      symbolTable(quality),
      dayTable(quality),
    ],
    script: pageScript + qualityScript,
    style: qualityStyle,
  })
}

function summary(quality: readonly SymbolQuality[]): Html {
  const days = quality.flatMap((symbol) => symbol.days)
  const told = statuses
    .map((status) => [status, days.filter((day) => day.status === status).length] as const)
    .filter(([status, found]) => found > 0 || status === 'ok')
  const sum = (metric: keyof (typeof days)[number]['metrics']) =>
    days.reduce((all, day) => all + day.metrics[metric], 0)
  const expected = sum('expectedBars')
  const maskedHours =
    quality.flatMap(({ masks }) => masks).reduce((all, mask) => all + mask.toMs - mask.fromMs, 0) / HOUR_MS
  const share = (bars: number): string => (expected === 0 ? '–' : percent(bars / expected, 2))
  const ok = days.filter(({ status }) => status === 'ok').length
  return html`<section aria-label="Summary">
<p class="verdict">Of ${count(days.length)} symbol-days ${told.map(
    ([status, found], i) =>
      `${i === 0 ? '' : i === told.length - 1 ? ' and ' : ', '}${count(found)} ${found === 1 ? 'is' : 'are'} ${status}`,
  )}. New orders are kept away for ${ratio(maskedHours, 1)} symbol-hours. No bar was removed.</p>
<dl class="tiles">
${tile('Symbol-days ok', days.length === 0 ? '–' : percent(ok / days.length, 1), `${count(ok)} of ${count(days.length)}`)}
${tile('Bars missing', share(sum('missingBars')), `${count(sum('missingBars'))} of ${count(expected)}`)}
${tile('Bars in an outage', share(sum('outageBars')), count(sum('outageBars')))}
${tile('Bars masked', share(sum('maskedBars')), `${ratio(maskedHours, 1)} symbol-hours`)}
${tile('Findings', count(quality.reduce((all, { findings }) => all + findings.length, 0)), `${count(sum('outlierBars'))} outliers, tagged only`)}
</dl>
<p class="note">A day is tagged where something was found that keeps no orders away, and absent where it has no bar at all. A verdict
counts only from when it could be known. ${policiesOf(quality)}</p></section>`
}

const tile = (name: string, number: string, more: string): Html =>
  html`<div class="tile"><dt>${name}</dt><dd><div class="number">${number}</div><div class="more">${more}</div></dd></div>`

const emptyPage = (): string =>
  wholePage({
    title: 'Data quality',
    heading: 'Data quality',
    sub: 'No symbol was looked at',
    links: [],
    sections: [html`<p class="empty">There are no bars in the range, and so nothing to say of them.</p>`],
    script: pageScript,
  })
