import { type HeatScale, shadeOf } from './heatScale.ts'
import { type Html, html } from './html.ts'
import { boxHeight, boxWidth } from './shape.ts'
import { heatCell } from './table.ts'

export interface HeatCell {
  /** Null where there is no number; the cell is then left blank. */
  readonly value: number | null
  readonly text: string
  readonly title: string
  /** Framed: the best of all, or what the page is about. */
  readonly mark?: 'best' | 'now'
}

export interface HeatGrid {
  readonly rowName: string
  readonly columnName: string
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  /** By row; undefined where there is no such point. */
  readonly cells: readonly (readonly (HeatCell | undefined)[])[]
}

/** Wider than this, numbers do not fit. */
const columnsMax = 12
const rowsMax = 40

/** Cells coloured by size and sign: with their numbers where these fit, else as a picture. */
export function heatMap(grid: HeatGrid, scale: HeatScale): Html {
  const { rowName, columnName, rows, columns, cells } = grid
  if (columns.length > columnsMax || rows.length > rowsMax) return heatPicture(grid, scale)
  return html`<div class="scroll"><table class="heat grid"><thead><tr><th>${rowName} ↓ ${columnName} →</th>${columns.map(
    (name) => html`<th scope="col">${name}</th>`,
  )}</tr></thead>
<tbody>${rows.map(
    (name, r) => html`<tr><th scope="row">${name}</th>${columns.map((_, c) => {
      const cell = cells[r]![c]
      return cell === undefined
        ? html`<td></td>`
        : heatCell(cell.value ?? undefined, cell.text, scale, { title: cell.title, kind: cell.mark })
    })}</tr>
`,
  )}</tbody></table></div>`
}

/** Shades of each sign. Cells of one shade are one shape, so that ten thousand of them stay small. */
const shades = 12

function heatPicture(grid: HeatGrid, scale: HeatScale): Html {
  const { rowName, columnName, rows, columns, cells } = grid.rows.length > grid.columns.length ? turned(grid) : grid
  const width = boxWidth / columns.length
  const height = boxHeight / rows.length
  const digit = (value: number): string => String(Math.round(value * 100) / 100)
  const rect = (r: number, c: number): string =>
    `M${digit(c * width)} ${digit(r * height)}h${digit(width)}v${digit(height)}h${digit(-width)}Z`
  const paths = new Map<string, string>()
  const marks: Html[] = []
  for (const [r, line] of cells.entries()) {
    for (const [c, cell] of line.entries()) {
      if (cell?.mark !== undefined) marks.push(html`<path class="mark ${cell.mark}" d="${rect(r, c)}"/>`)
      if (cell?.value === undefined || cell.value === null || cell.value === 0) continue
      const shade = 1 + Math.round(shadeOf(scale, cell.value) * (shades - 1))
      const key = `${cell.value > 0 ? 'up' : 'down'} ${shade}`
      paths.set(key, (paths.get(key) ?? '') + rect(r, c))
    }
  }
  const shapes = [...paths].sort(([a], [b]) => (a < b ? -1 : 1))
  const losses = shapes.flatMap(([key, d]) => (key.startsWith('down') ? [d] : [])).join('')
  return html`<figure class="heat-picture"><figcaption class="legend">${rowName} downwards from ${rows[0]} to ${rows.at(-1)}, ${columnName} rightwards
from ${columns[0]} to ${columns.at(-1)}</figcaption>
<div class="box"><svg viewBox="0 0 ${boxWidth} ${boxHeight}" preserveAspectRatio="none" role="img" aria-label="${columnName} by ${rowName}">${losses !== '' && hatch}${shapes.map(
    ([key, d]) => {
      const [kind, shade] = key.split(' ')
      const opacity = Math.round((0.08 + (0.92 * Number(shade)) / shades) * 100) / 100
      return html`<path class="cell ${kind}" fill-opacity="${opacity}" d="${d}"/>`
    },
  )}${losses !== '' && html`<path fill="url(#hatch)" d="${losses}"/>`}${marks}</svg></div></figure>`
}

/** What is below zero has lines on it as well: in grey, and for whom red and green are one. */
const hatch = html`<defs><pattern id="hatch" width="9" height="9" patternUnits="userSpaceOnUse"><path class="hatch" d="M0 9L9 0"/></pattern></defs>`

/** A picture is wider than high: the longer list goes rightwards. */
const turned = ({ rowName, columnName, rows, columns, cells }: HeatGrid): HeatGrid => ({
  rowName: columnName,
  columnName: rowName,
  rows: columns,
  columns: rows,
  cells: columns.map((_, c) => rows.map((_, r) => cells[r]![c])),
})
