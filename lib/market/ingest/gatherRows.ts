import type { Columns, TableSchema } from '../../tables/schema.ts'
import {
  type AnyColumnData,
  allocateColumn,
  copyColumn,
  narrowColumn,
  splitColumn,
  type Table,
} from '../../tables/table.ts'

/** A table of rows picked from several tables of one schema: for each, the number of its table and its row there. */
export function gatherRows<C extends Columns>(
  schema: TableSchema<C>,
  tables: readonly Table<C>[],
  from: Int32Array,
  rows: Int32Array,
): Table<C> {
  const columns = Object.entries(schema.columns).map(([name, column]) => {
    const target = allocateColumn(column, rows.length)
    const sources = tables.map((table) => splitColumn(table.columns[name] as AnyColumnData))
    const { values, valid } = splitColumn(target)
    if (column.kind === 'wide') {
      // Row by row through the halves: a bigint each would cost more.
      for (let i = 0; i < rows.length; i++) {
        copyColumn(tables[from[i]!]!.columns[name] as AnyColumnData, rows[i]!, rows[i]! + 1, target, i)
      }
      return [name, narrowColumn(target)]
    }
    const writable = values as unknown as unknown[]
    for (let i = 0; i < rows.length; i++) {
      const source = sources[from[i]!]!
      writable[i] = (source.values as readonly unknown[])[rows[i]!]
      if (valid !== undefined) valid[i] = source.valid![rows[i]!]!
    }
    return [name, target]
  })
  return { schema, rowCount: rows.length, columns: Object.fromEntries(columns) as Table<C>['columns'] }
}
