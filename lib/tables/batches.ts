import type { Columns } from './schema.ts'
import type { Table } from './table.ts'

/** Stands in the place of a batch and says: those before it do not count, the table begins here. A producer that reads a
 *  file once, in memory that does not grow with it, may learn late that the rows have to be sorted after all. */
export const startOver = 'startOver'
export type StartOver = typeof startOver

/** A table in batches, each sorted after the one before it. What is returned is kept in the table's file as its notes. */
export type TableBatches<C extends Columns> = Generator<Table<C> | StartOver, string | undefined, undefined>
