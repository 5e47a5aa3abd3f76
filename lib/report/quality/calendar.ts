import type { SymbolQuality } from '../../qa/joinReports.ts'
import { DAY_MS, dayOf, dayStart } from '../../time.ts'
import { timeTicks } from '../axis.ts'
import { count } from '../format.ts'
import { type Html, html, jsonElement } from '../html.ts'
import { metricColumns, statusColors, statuses, worstText } from './words.ts'

/** Whole UTC days, from the first to before the last. */
export interface DayRange {
  readonly fromMs: number
  readonly toMs: number
}

/** A lane for each symbol and a cell for each day; the numbers behind them come along as JSON, for the script to tell
 *  under the pointer. */
export function qualityCalendar(quality: readonly SymbolQuality[], range: DayRange): Html {
  const days = (range.toMs - range.fromMs) / DAY_MS
  const ticks = timeTicks(range.fromMs, range.toMs, days > 200 ? 12 : 8)
  const times = html`<div class="times" aria-hidden="true">${ticks.map(({ place, label }) => {
    const edge = place < 0.04 ? 'first' : place > 0.96 ? 'last' : ''
    return html`<span class="${edge}" style="left:${Math.round(place * 1e4) / 100}%">${label}</span>`
  })}</div>`
  return html`<section><h2 id="calendar">Calendar</h2>
<p class="note">A lane for each symbol, a cell for each UTC day.<span class="hint"> Point at a cell, tap it, or move with the arrow keys.</span></p>
<p class="legend statuses">${statuses.map((status) => html`<span class="key ${statusColors[status]}"><i></i>${status}</span>`)}</p>
<figure class="calendar" tabindex="0" role="group" aria-label="Status by symbol and day">
<div class="scroll"><div class="days" style="--days:${days}"><span></span>${times}
${quality.map((symbol, s) => lane(symbol, s, range, days))}<span></span>${times}</div></div>
<figcaption class="told" aria-live="polite" hidden></figcaption>
${jsonElement(calendarData(quality, range))}</figure></section>`
}

function lane({ symbol, days }: SymbolQuality, s: number, range: DayRange, width: number): Html {
  const told = statuses
    .map((status) => [status, days.filter((day) => day.status === status).length] as const)
    .filter(([, found]) => found > 0)
  const note = told.map(([status, found]) => `${count(found)} days ${status}`).join(', ')
  const paths = told.map(([status]) => {
    const places = days.filter((day) => day.status === status).map((day) => (dayStart(day.day) - range.fromMs) / DAY_MS)
    return html`<path class="block ${statusColors[status]}" d="${stretches(places)}"/>`
  })
  return html`<span class="lane-name">${symbol}</span><div class="lane" data-symbol="${s}"><svg viewBox="0 0 ${width} 1" preserveAspectRatio="none" role="img" aria-label="${symbol}: ${note}">${paths}</svg><i class="at" hidden></i></div>
`
}

/** Days that follow each other are one shape. */
function stretches(places: readonly number[]): string {
  let path = ''
  for (let i = 0; i < places.length; ) {
    let end = i + 1
    while (end < places.length && places[end] === places[end - 1]! + 1) end++
    path += `M${places[i]} 0h${end - i}v1h-${end - i}z`
    i = end
  }
  return path
}

/** All numbers of all days, small: most of them are the same day after day. */
function calendarData(quality: readonly SymbolQuality[], { fromMs, toMs }: DayRange) {
  const minuteOf = (tsMs: number): number => (tsMs - fromMs) / 60_000
  const kinds = [...new Set(quality.flatMap(({ findings }) => findings.map(({ kind }) => kind)))].sort()
  return {
    from: dayOf(fromMs),
    days: (toMs - fromMs) / DAY_MS,
    statuses,
    kinds,
    metrics: metricColumns.map(([name]) => name),
    symbols: quality.map(({ symbol, days, findings, masks }) => ({
      name: symbol,
      first: days.length === 0 ? 0 : (dayStart(days[0]!.day) - fromMs) / DAY_MS,
      status: runsOf(days.map(({ status }) => statuses.indexOf(status))),
      values: metricColumns.map(([, metric]) => runsOf(days.map(({ metrics }) => Math.round(metrics[metric])))),
      findings: findings.map((finding) => [
        kinds.indexOf(finding.kind),
        minuteOf(finding.fromMs),
        minuteOf(finding.toMs),
        finding.bars,
        worstText(finding),
      ]),
      masks: masks.map((mask) => [minuteOf(mask.fromMs), minuteOf(mask.toMs), mask.action]),
    })),
  }
}

/** Value and how often, again and again; as they are where that would be longer. */
function runsOf(values: readonly number[]): { readonly runs: number[] } | readonly number[] {
  const runs: number[] = []
  for (const value of values) {
    if (runs.length > 0 && runs.at(-2) === value) runs[runs.length - 1]!++
    else runs.push(value, 1)
  }
  return runs.length < values.length ? { runs } : values
}
