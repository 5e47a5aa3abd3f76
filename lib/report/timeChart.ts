import assert from 'node:assert/strict'

import { timeTicks, valueAxis } from './axis.ts'
import { percent, ratio, short, signedPercent, signedUsdt, usdt } from './format.ts'
import { type Html, html, jsonElement } from './html.ts'
import { areaPath, boxHeight, boxWidth, linePath, type Scale, thinned, yOf } from './shape.ts'

/** Decides how values are written on the axis, in the legend and under the pointer. */
export type Unit = 'percent' | 'ratio' | 'usdt'

export interface Line {
  readonly name: string
  /** One for each instant; NaN where there is none. */
  readonly values: ArrayLike<number>
  /** A class of the style sheet that sets the colour. */
  readonly color: string
  readonly isFilled?: boolean
}

export interface TimeChart {
  /** What it shows, for those who cannot see it. */
  readonly label: string
  readonly tsMs: ArrayLike<number>
  readonly lines: readonly Line[]
  readonly unit: Unit
  /** Keeps this value inside the axis, and draws it stronger. */
  readonly base?: number
  readonly isLow?: boolean
}

const pointsMax = 1200

/** Lines over time: shapes as SVG, labels as text of the page, so that both fit any width. Without a script it is whole;
 *  with one, the legend follows the pointer. */
export function timeChart(chart: TimeChart): Html {
  const rows = thinned(chart.tsMs.length, pointsMax)
  const tsMs = rows.map((row) => chart.tsMs[row]!)
  const lines = chart.lines.map((line) => {
    assert.equal(line.values.length, chart.tsMs.length)
    return { ...line, values: rows.map((row) => line.values[row]!) }
  })
  const known = lines.flatMap(({ values }) => values.filter((value) => Number.isFinite(value)))
  if (known.length === 0 || tsMs.length < 2) {
    return html`<p class="empty">${chart.label}: the run is too short to draw this.</p>`
  }
  const { base } = chart
  const least = known.reduce((a, b) => Math.min(a, b), base ?? known[0]!)
  const most = known.reduce((a, b) => Math.max(a, b), base ?? known[0]!)
  const axis = valueAxis(least, most, chart.isLow ? 3 : 5)
  const scale: Scale = { fromMs: tsMs[0]!, toMs: tsMs.at(-1)!, low: axis.low, high: axis.high }
  const ticks = timeTicks(scale.fromMs, scale.toMs)
  const gridPath = axis.ticks.map(({ value }) => `M0 ${yOf(scale, value)}H${boxWidth}`).join('')
  const monthPath = ticks.map(({ place }) => `M${Math.round(place * boxWidth * 10) / 10} 0V${boxHeight}`).join('')

  return html`<figure class="chart${chart.isLow ? ' low' : ''}" tabindex="0" role="group" aria-label="${chart.label}">
<figcaption class="legend">${lines.map(
    ({ name, color, values }) =>
      html`<span class="key ${color}"><i></i>${name} <b>${legendText(lastKnown(values), chart.unit)}</b></span>`,
  )}<span class="when"></span></figcaption>
<div class="plot"><div class="values" aria-hidden="true">${axis.ticks.map(
    ({ place, value }) =>
      html`<span style="bottom:${round(place)}%">${axisText(value, chart.unit, axis.digits)}</span>`,
  )}</div><div class="box"><svg viewBox="0 0 ${boxWidth} ${boxHeight}" preserveAspectRatio="none" aria-hidden="true"><path class="grid" d="${gridPath}${monthPath}"/>${
    base !== undefined && html`<path class="base" d="M0 ${yOf(scale, base)}H${boxWidth}"/>`
  }${lines.map(
    (line) =>
      line.isFilled &&
      html`<path class="area ${line.color}" d="${areaPath(scale, tsMs, line.values, base ?? axis.low)}"/>`,
  )}${lines
    .toReversed()
    .map(
      (line) => html`<path class="line ${line.color}" d="${linePath(scale, tsMs, line.values)}"/>`,
    )}</svg><div class="cursor" hidden></div></div><div class="times" aria-hidden="true">${ticks.map(
    ({ place, label }) => html`<span class="${edge(place)}" style="left:${round(place)}%">${label}</span>`,
  )}</div></div>
${jsonElement({
  unit: chart.unit,
  tsMs: evenly(tsMs) ?? tsMs,
  values: lines.map(({ values }) => values.map((value) => (Number.isFinite(value) ? significant(value) : null))),
})}</figure>`
}

/** As the script writes them too (pageScript.ts). */
function legendText(value: number, unit: Unit): string {
  if (unit === 'percent') return signedPercent(value)
  return unit === 'ratio' ? ratio(value) : signedUsdt(value)
}

function axisText(value: number, unit: Unit, digits: number): string {
  if (unit === 'percent') return percent(value, Math.max(0, digits - 2))
  return unit === 'ratio' ? ratio(value, digits) : Math.abs(value) < 1e6 ? usdt(value, digits) : short(value)
}

const round = (place: number): number => Math.round(place * 1e4) / 100

/** A label at an end stays inside. */
const edge = (place: number): string => (place < 0.06 ? 'first' : place > 0.94 ? 'last' : '')

/** Six digits: more than a screen can show. */
const significant = (value: number): number => Number(value.toPrecision(6))

function lastKnown(values: readonly number[]): number {
  for (let i = values.length - 1; i >= 0; i--) if (Number.isFinite(values[i]!)) return values[i]!
  return Number.NaN
}

/** Instants at one distance are told by the first and the distance. */
function evenly(tsMs: readonly number[]): { fromMs: number; stepMs: number } | undefined {
  const stepMs = tsMs[1]! - tsMs[0]!
  const isEven = tsMs.every((ts, i) => i === 0 || ts - tsMs[i - 1]! === stepMs)
  return isEven ? { fromMs: tsMs[0]!, stepMs } : undefined
}
