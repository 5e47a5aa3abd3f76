import { type StartOver, startOver } from '../../lib/tables/batches.ts'
import { tableWriter } from '../../lib/tables/parquetWriter.ts'
import type { Columns } from '../../lib/tables/schema.ts'
import type { Table } from '../../lib/tables/table.ts'

/** The batches that count, and what was returned behind them. */
export function collected<C extends Columns>(
  batches: Iterable<Table<C> | StartOver>,
): {
  tables: Table<C>[]
  notes: string | undefined
} {
  const tables: Table<C>[] = []
  const all = batches[Symbol.iterator]()
  let next = all.next()
  for (; next.done !== true; next = all.next()) {
    if (next.value === startOver) tables.length = 0
    else tables.push(next.value)
  }
  return { tables, notes: next.value as string | undefined }
}

/** The file that is made of them. */
export function tableBytes({ schema }: Pick<Table, 'schema'>, tables: readonly Table[], notes?: string): Uint8Array {
  const pieces: Uint8Array[] = []
  const writer = tableWriter(schema, (bytes) => pieces.push(Uint8Array.from(bytes)))
  for (const table of tables) writer.append(table)
  writer.finish(notes)
  return Buffer.concat(pieces)
}
