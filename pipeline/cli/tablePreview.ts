import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import { cellText } from '../../lib/tables/diff.ts'
import { openAnyTable, type ReadAt, type TableReader } from '../../lib/tables/parquet.ts'
import { countText, plural } from './human.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'
import { visible } from './visible.ts'

export interface TablePreview {
  readonly name: string
  readonly version: number
  readonly rowCount: number
  readonly sortKey: readonly string[]
  readonly columns: readonly { readonly name: string; readonly kind: string; readonly unit: string | null }[]
  /** Each cell as people write it. */
  readonly rows: readonly (readonly string[])[]
  /** Rows left out, after this many of `rows`. */
  readonly skipped: { readonly after: number; readonly count: number } | null
}

/** Rows from both ends, half and half. Only the row groups they lie in are read. */
export function previewTable(
  file: { readonly sizeBytes: number; readonly readAt: ReadAt },
  options: { readonly mostRows: number; readonly columns: readonly string[] },
): TablePreview {
  const reader = openAnyTable(file)
  const { name, version, rowCount, schema } = reader.info
  const columns = chooseColumns(Object.keys(schema.columns), options.columns)
  const most = options.mostRows === 0 ? rowCount : options.mostRows
  const head = rowCount <= most ? rowCount : Math.ceil(most / 2)
  const tail = rowCount <= most ? 0 : most - head
  return {
    name,
    version,
    rowCount,
    sortKey: schema.sortKey,
    columns: columns.map((column) => ({
      name: column,
      kind: schema.columns[column]!.kind,
      unit: schema.columns[column]!.unit ?? null,
    })),
    rows: [...readRows(reader, columns, 0, head), ...readRows(reader, columns, rowCount - tail, rowCount)],
    skipped: rowCount <= most ? null : { after: head, count: rowCount - most },
  }
}

export function renderPreview(preview: TablePreview, style: Style): string {
  const numeric = new Set(['i64', 'i32', 'f64', 'decimal', 'wide'])
  const columns = preview.columns.map(({ name, kind, unit }) => ({
    title: visible(unit === null ? name : `${name} (${unit})`),
    align: numeric.has(kind) ? ('right' as const) : ('left' as const),
    maxCells: 60,
  }))
  const lines = textTable(
    columns,
    preview.rows.map((row) => row.map(visible)),
    style.bold,
  )
  if (preview.skipped !== null) {
    // One line for the titles stands above the rows.
    lines.splice(1 + preview.skipped.after, 0, style.dim(`… ${countText(preview.skipped.count)} more rows …`))
  }
  const key = preview.sortKey.length === 0 ? '' : `, sorted by ${preview.sortKey.join(', ')}`
  lines.push(style.dim(`${preview.name} version ${preview.version}: ${plural(preview.rowCount, 'row')}${key}`))
  return lines.join('\n')
}

function chooseColumns(all: readonly string[], asked: readonly string[]): readonly string[] {
  if (asked.length === 0) return all
  const wanted = asked.flatMap((text) => text.split(','))
  for (const column of wanted) {
    if (all.includes(column)) continue
    throw new Fault({
      code: 'usage',
      what: `the table has no column "${column}"${didYouMean(column, all)}`,
      where: '--columns',
      todo: `its columns: ${all.join(', ')}`,
    })
  }
  return wanted
}

function* readRows(reader: TableReader, columns: readonly string[], from: number, to: number): Generator<string[]> {
  let start = 0
  for (const [group, { rowCount }] of reader.info.rowGroups.entries()) {
    const end = start + rowCount
    if (start < to && end > from) {
      const table = reader.read({ columns, rowGroups: [group] })
      for (let row = Math.max(from, start); row < Math.min(to, end); row++) {
        yield columns.map((column) => cellText(table, column, row - start))
      }
    }
    start = end
  }
}
