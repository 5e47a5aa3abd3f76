import { tone } from './format.ts'
import { type HeatScale, heatOf } from './heatScale.ts'
import { type Html, type HtmlValue, html } from './html.ts'

/** A table with a heading row; the first cell of a row is its heading. */
export function table(head: readonly HtmlValue[], rows: readonly Html[]): Html {
  return html`<div class="scroll"><table><thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`
}

/** Names with one value each, which needs no heading row. */
export function pairs(rows: readonly (readonly [HtmlValue, HtmlValue])[]): Html {
  return html`<div class="scroll"><table class="pairs"><tbody>${rows.map(([name, value]) => row(name, [value]))}</tbody></table></div>`
}

/** A name in camel case that may break between its words. */
export const breakable = (name: string): Html =>
  html`${name.split(/(?=[A-Z])/).map((word, i) => html`${i > 0 && html`<wbr>`}${word}`)}`

export function row(heading: HtmlValue, cells: readonly HtmlValue[], kind = ''): Html {
  const tds = cells.map((cell) => html`<td>${cell}</td>`)
  return html`<tr${kind !== '' && html` class="${kind}"`}><th scope="row">${heading}</th>${tds}</tr>
`
}

/** A number in the colour of its sign. The sign itself is in the text: colour is never the only word. */
export const colored = (value: number | null, text: string): Html => html`<span class="${tone(value)}">${text}</span>`

/** A bar from zero to `value` on a track from `low` to `high`. */
export function bar(value: number | null, low: number, high: number): Html {
  const span = high - low
  if (value === null || !(span > 0)) return html``
  const place = (at: number): number => Math.round(((at - low) / span) * 1e4) / 100
  const from = place(Math.min(0, value))
  const width = Math.round((place(Math.max(0, value)) - from) * 100) / 100
  return html`<div class="track"><i class="${tone(value)}" style="left:${from}%;width:${width}%"></i><b style="left:${place(0)}%"></b></div>`
}

/** A number on the colour of its sign, the stronger the further from zero. */
export function heatCell(
  value: number | undefined,
  text: string,
  scale: HeatScale,
  { title = '', kind = '' }: { readonly title?: string; readonly kind?: string } = {},
): Html {
  if (value === undefined || Number.isNaN(value)) return html`<td></td>`
  const hot = value === 0 ? '' : value > 0 ? 'hot-up' : 'hot-down'
  return html`<td class="${kind === '' ? hot : `${hot} ${kind}`}" style="--heat:${value === 0 ? 0 : heatOf(scale, value)}"${title !== '' && html` title="${title}"`}>${text}</td>`
}
