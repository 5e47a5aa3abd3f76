import type { z } from 'zod'
import type { FileSet } from '../../lib/artifact.ts'
import type { StartOver } from '../../lib/tables/batches.ts'
import type { Columns, TableSchema } from '../../lib/tables/schema.ts'
import { concatTables, type Table } from '../../lib/tables/table.ts'
import type {
  CodePorts,
  CodeValues,
  Ports,
  PortValues,
  PureContext,
  PureTask,
  Stored,
} from '../../pipeline/engine/task.ts'
import { collected, tableBytes } from './batches.ts'
import { preparedInputs } from './preparedInputs.ts'

/** The inputs and code of a task, as `run` gets them. */
type Given<I extends Ports, C extends CodePorts> = Partial<PortValues<I>> & Partial<CodeValues<C>>

const testContext: PureContext = { seed: () => '0123456789abcdef', log: () => {} }

/** Runs a pure task in this process: its params parsed as the engine does, its batches read to the end. */
export function runTask<P extends z.ZodType, I extends Ports, C extends CodePorts, Value>(
  task: Pick<PureTask<string, P, I, C>, 'params' | 'name' | 'prepare'> & {
    run(inputs: never, params: never, context: PureContext): Value
  },
  inputs: Given<I, C>,
  params: z.input<P>,
  context: PureContext = testContext,
): Value {
  const parsed = task.params.parse(params)
  return task.run(preparedInputs(task, inputs, parsed) as never, parsed as never, context)
}

/** Batches of a table as one. */
export function wholeTable<C extends Columns>(schema: TableSchema<C>, output: unknown): Table<C> {
  const batches = isTable(output) ? [output] : collected(output as Iterable<Table | StartOver>).tables
  return concatTables(schema, batches as unknown as Table<C>[])
}

const isTable = (value: unknown): value is Table => typeof value === 'object' && value !== null && 'schema' in value

/** A table as an input that is read on demand. */
export const storedTable = <C extends Columns>(table: Table<C>): Stored<Table<C>> => notedTable(table, undefined)

/** The same with what its file says of it. */
export function notedTable<C extends Columns>(table: Table<C>, notes: string | undefined): Stored<Table<C>> {
  const bytes = tableBytes(table, [table], notes)
  return { read: () => table, files: filesOf({ 'table.parquet': bytes }) }
}

export function filesOf(files: Readonly<Record<string, Uint8Array>>): FileSet {
  return {
    names: Object.keys(files),
    sizeBytes: (name) => files[name]!.length,
    read: (name) => files[name]!.slice(),
    readAt: (name, offset, lengthBytes) => files[name]!.slice(offset, offset + lengthBytes),
  }
}
