import { cutText, padEnd, padStart, textWidth } from './textWidth.ts'
import { visiblePainted } from './visible.ts'

export interface TextColumn {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Cells at most; longer text is cut. */
  readonly maxCells?: number
}

/** Columns aligned by cells, two spaces apart, no rules and no trailing spaces: it reads well and greps well. Titles
 *  are left out when all are empty. */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  titleStyle: (text: string) => string = (text) => text,
): string[] {
  const cut = rows.map((row) =>
    columns.map((column, i) => {
      const cell = visiblePainted(row[i] ?? '')
      return column.maxCells === undefined ? cell : cutText(cell, column.maxCells)
    }),
  )
  const widths = columns.map((column, i) => {
    let widest = textWidth(column.title)
    for (const row of cut) widest = Math.max(widest, textWidth(row[i]!))
    return widest
  })
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (columns[i]!.align === 'right' ? padStart(cell, widths[i]!) : padEnd(cell, widths[i]!)))
      .join('  ')
      .trimEnd()
  const lines = cut.map(line)
  if (columns.some((column) => column.title !== ''))
    lines.unshift(titleStyle(line(columns.map((column) => column.title))))
  return lines
}
