import { timeTicks } from './axis.ts'
import { type Html, html } from './html.ts'
import { boxHeight, boxWidth } from './shape.ts'
import { type Span, spanPath } from './spans.ts'

export interface Lane {
  readonly name: string
  /** In words, what the lane shows. */
  readonly note: string
  /** Painted in this order. */
  readonly blocks: readonly { readonly color: string; readonly spans: readonly Span[] }[]
}

/** A strip of coloured blocks for each name, under one time axis. */
export function laneChart(lanes: readonly Lane[], range: { fromMs: number; toMs: number }): Html {
  const ticks = timeTicks(range.fromMs, range.toMs)
  return html`<div class="lanes">${lanes.map(
    ({
      name,
      note,
      blocks,
    }) => html`<span class="lane-name">${name}</span><div class="lane" title="${note}"><svg viewBox="0 0 ${boxWidth} ${boxHeight}" preserveAspectRatio="none" role="img" aria-label="${name}: ${note}">${blocks.map(
      ({ color, spans }) => spans.length > 0 && html`<path class="block ${color}" d="${spanPath(range, spans)}"/>`,
    )}</svg></div>
`,
  )}<span></span><div class="times" aria-hidden="true">${ticks.map(({ place, label }) => {
    const edge = place < 0.06 ? 'first' : place > 0.94 ? 'last' : ''
    return html`<span class="${edge}" style="left:${Math.round(place * 1e4) / 100}%">${label}</span>`
  })}</div></div>`
}
