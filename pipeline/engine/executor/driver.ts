import type { TableSchema } from '../../../lib/tables/schema.ts'
import type { Table } from '../../../lib/tables/table.ts'
import type { PureTask } from '../task.ts'

/** What the entry of a task's code object exports. The codecs are bundled with the task, so that they are part of its
 *  identity: a codec that writes other bytes is other code. */
export interface TaskExports {
  readonly task: PureTask
  readonly decodeTable?: (schema: TableSchema, bytes: Uint8Array) => Table
  readonly makeTable?: (schema: TableSchema, columns: Table['columns']) => Table
  readonly tableWriter?: (
    schema: TableSchema,
    write: (bytes: Uint8Array) => void,
  ) => { append(batch: Table): void; finish(notes?: string): { readonly rowCount: number } }
}

type CodecName = Exclude<keyof TaskExports, 'task'>

/** One of the codecs, which whoever built the code object has put in for every task that reads or writes tables. */
export function codec<N extends CodecName>(exports: TaskExports, name: N): NonNullable<TaskExports[N]> {
  const found = exports[name]
  if (found === undefined) throw new Error(`the code object of task "${exports.task.name}" lacks ${name}`)
  return found
}
