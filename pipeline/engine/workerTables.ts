import type { TableSchema } from '../../lib/tables/schema.ts'
import type { Table } from '../../lib/tables/table.ts'

type Columns = Readonly<Record<string, unknown>>

interface Kept {
  readonly rowCount: number
  readonly columns: Columns
  readonly sizeBytes: number
}

/**
 * Decoded tables that many nodes read, such as one year of minutes under a thousand parameter sets: copying memory is
 * some ten times cheaper than decoding Parquet. Nodes only ever get copies. Typed arrays cannot be frozen, and what one
 * node writes into its input no other may see. Kept is what is asked for a second time, so that a table with one reader
 * costs nothing.
 */
export class TableCache {
  readonly #kept = new Map<string, Kept>()
  readonly #seen = new Set<string>()
  readonly #sizeMaxBytes: number
  #sizeBytes = 0

  constructor(sizeMaxBytes: number) {
    this.#sizeMaxBytes = sizeMaxBytes
  }

  /** `key` names the decoder and the bytes. The schema is the caller's own: it belongs to its instance of the code. */
  get(key: string, schema: TableSchema, decode: () => Table): Table {
    const kept = this.#kept.get(key)
    if (kept !== undefined) {
      this.#kept.delete(key)
      this.#kept.set(key, kept)
      return { schema, rowCount: kept.rowCount, columns: copyColumns(kept.columns) } as Table
    }
    const table = decode()
    if (this.#seen.has(key)) this.#keep(key, table)
    this.#remember(key)
    return table
  }

  #keep(key: string, table: Table): void {
    const sizeBytes = sizeOf(table.columns)
    if (sizeBytes * 2 > this.#sizeMaxBytes) return
    this.#kept.set(key, { rowCount: table.rowCount, columns: copyColumns(table.columns), sizeBytes })
    this.#sizeBytes += sizeBytes
    for (const [oldest, { sizeBytes }] of this.#kept) {
      if (this.#sizeBytes <= this.#sizeMaxBytes) return
      this.#kept.delete(oldest)
      this.#sizeBytes -= sizeBytes
    }
  }

  #remember(key: string): void {
    this.#seen.delete(key)
    this.#seen.add(key)
    if (this.#seen.size > 10_000) this.#seen.delete(this.#seen.values().next().value!)
  }
}

/** A column is an array, a list of strings, or `{ values, valid }` of such. */
function copyColumns(columns: Columns): Columns {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, copyColumn(column)]))
}

function copyColumn(column: unknown): unknown {
  if (ArrayBuffer.isView(column) || Array.isArray(column)) return (column as Float64Array).slice()
  return copyColumns(column as Columns)
}

function sizeOf(columns: Columns): number {
  let sizeBytes = 0
  for (const column of Object.values(columns)) {
    if (ArrayBuffer.isView(column)) sizeBytes += column.byteLength
    // Strings are shared by the copies; what a copy costs is its references.
    else if (Array.isArray(column)) sizeBytes += column.length * 8
    else sizeBytes += sizeOf(column as Columns)
  }
  return sizeBytes
}
