import { type DuckDBResult, DuckDBTypeId } from '@duckdb/node-api'
import { countText } from '../human.ts'
import type { Out } from '../out.ts'
import { textTable } from '../textTable.ts'
import { visible } from '../visible.ts'
import { cellOf, jsonOf } from './sqlValue.ts'

const numeric = new Set<DuckDBTypeId>([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
])

/** An aligned table of the first rows. The others are counted, for a table that ends without a word looks complete. */
export async function printTable(
  result: DuckDBResult,
  out: Out,
  { mostRows, isTerminal }: { readonly mostRows: number; readonly isTerminal: boolean },
): Promise<void> {
  const types = result.columnTypes()
  const rows: (string | undefined)[][] = []
  let rowCount = 0
  for await (const chunk of result) {
    const wanted = mostRows === 0 ? chunk.rowCount : Math.min(chunk.rowCount, mostRows - rows.length)
    if (wanted > 0) for (const row of chunk.getRows().slice(0, wanted)) rows.push(row.map(cellOf))
    rowCount += chunk.rowCount
  }
  if (result.columnName(0) === 'explain_key') {
    // A plan is drawn: one cell of many lines.
    for (const [, drawing] of rows) out.writeText(`${(drawing ?? '').trimEnd()}\n`)
    return
  }
  const columns = result.columnNames().map((name, i) => ({
    title: visible(name),
    align: numeric.has(types[i]!.typeId) ? ('right' as const) : ('left' as const),
    // What is cut cannot be read by whatever is behind a pipe.
    ...(isTerminal ? { maxCells: 80 } : {}),
  }))
  const lines = textTable(
    columns,
    rows.map((row) => row.map((cell) => visible(cell ?? 'null'))),
    out.style.bold,
  )
  if (rowCount > rows.length) {
    const more = countText(rowCount - rows.length)
    lines.push(out.style.dim(`… ${more} more rows; --rows 0 shows all, --csv and --json print all`))
  }
  out.print(lines.join('\n'))
}

/** A line of JSON a row, or of CSV with a header. */
export async function printLines(result: DuckDBResult, out: Out, format: 'json' | 'csv'): Promise<void> {
  const names = result.deduplicatedColumnNames()
  const types = result.columnTypes()
  if (format === 'csv') out.write(`${names.map(csvField).join(',')}\n`)
  for await (const chunk of result) {
    const rows = chunk.getRows()
    if (format === 'csv') {
      out.write(rows.map((row) => `${row.map((value) => csvField(cellOf(value))).join(',')}\n`).join(''))
    } else {
      for (const row of rows) {
        out.printJsonLine(Object.fromEntries(row.map((value, i) => [names[i], jsonOf(value, types[i]!)])))
      }
    }
    // Rows may come faster than their reader takes them.
    await out.flush()
    if (out.closed) return
  }
}

/** Nothing is empty, an empty text is quoted: a reader can tell them apart. */
function csvField(text: string | undefined): string {
  if (text === undefined) return ''
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
