import { nameCollision, nameProblem } from '../../../cas/artifact.ts'
import { canonicalJson } from '../../../cas/canonicalJson.ts'
import { openStagedWriter, stageBytes } from '../../../cas/staging.ts'
import type { TableArtifact } from '../../../lib/artifact.ts'
import { type StartOver, startOver } from '../../../lib/tables/batches.ts'
import type { Table } from '../../../lib/tables/table.ts'
import type { Guard } from '../guard/guard.ts'
import type { OutputFile } from '../task.ts'
import { codec, type TaskExports } from './driver.ts'
import type { JobResult } from './job.ts'

type StagedFiles = JobResult['files']

/** Checks what a task returned, and stages it. Runs armed: checks and codecs are bundle code, and a table that comes in
 *  batches is still being computed. */
export function writeOutput(exports: TaskExports, output: unknown, guard: Guard, stagingDir: string): StagedFiles {
  const type = exports.task.output
  if (type.form === 'table') return [writeTable(type, exports, output, guard, stagingDir)]
  if (type.form === 'json') {
    const text = canonicalJson(type.schema.parse(output))
    return [{ name: 'value.json', staged: guard.suspend(() => stageBytes(stagingDir, text)) }]
  }
  const files = checkedFiles(output)
  return guard.suspend(() => files.map(({ name, bytes }) => ({ name, staged: stageBytes(stagingDir, bytes) })))
}

function writeTable(type: TableArtifact, exports: TaskExports, output: unknown, guard: Guard, stagingDir: string) {
  const makeTable = codec(exports, 'makeTable')
  const open = () => {
    const file = guard.suspend(() => openStagedWriter(stagingDir))
    return {
      abort: () => guard.suspend(() => file.abort()),
      finish: () => guard.suspend(() => file.finish()),
      rows: codec(exports, 'tableWriter')(type.schema, (bytes) => guard.suspend(() => file.write(bytes))),
    }
  }
  let staged = open()
  try {
    const batches = batchesOf(output, type.name)
    let next = batches.next()
    for (; next.done !== true; next = batches.next()) {
      if (next.value === startOver) {
        staged.abort()
        staged = open()
        continue
      }
      const { schema, columns } = next.value
      if (schema.name !== type.schema.name) {
        throw new TypeError(`it is a table "${schema.name}", and "${type.schema.name}" is declared`)
      }
      staged.rows.append(makeTable(type.schema, columns))
    }
    const { rowCount } = staged.rows.finish(next.value)
    return { name: 'table.parquet', staged: staged.finish(), rows: rowCount }
  } catch (error) {
    staged.abort()
    throw error
  }
}

/** The batches of a table, and the notes that are to stand beside its rows. */
function* batchesOf(output: unknown, name: string): Generator<Table | StartOver, string | undefined, undefined> {
  if (isTable(output)) {
    yield output
    return undefined
  }
  if (typeof output !== 'object' || output === null || !(Symbol.iterator in output)) {
    throw new TypeError(`it is ${kindOf(output)}, and a table "${name}" is declared`)
  }
  const notes = yield* soundBatches(output as Iterable<unknown>, name)
  if (notes !== undefined && typeof notes !== 'string')
    throw new TypeError(`its notes are ${kindOf(notes)}, not a text`)
  return notes
}

function* soundBatches(batches: Iterable<unknown>, name: string): Generator<Table | StartOver, unknown, undefined> {
  const all = batches[Symbol.iterator]()
  try {
    let next = all.next()
    for (; next.done !== true; next = all.next()) {
      const batch = next.value
      if (batch !== startOver && !isTable(batch))
        throw new TypeError(`a batch of it is ${kindOf(batch)}, and a table "${name}" is declared`)
      yield batch
    }
    return next.value
  } finally {
    all.return?.()
  }
}

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && 'schema' in value && 'columns' in value

function checkedFiles(output: unknown): readonly OutputFile[] {
  if (!Array.isArray(output)) throw new TypeError(`it is ${kindOf(output)}, and a list of { name, bytes } is declared`)
  for (const file of output as unknown[]) {
    const { name, bytes } = (file ?? {}) as Partial<OutputFile>
    if (typeof name !== 'string') throw new TypeError('a file of it has no name')
    const problem = nameProblem(name)
    if (problem !== undefined) throw new TypeError(`the file name ${JSON.stringify(name)} ${problem}`)
    if (!(bytes instanceof Uint8Array))
      throw new TypeError(`the bytes of "${name}" are ${kindOf(bytes)}, not a Uint8Array`)
  }
  const names = (output as OutputFile[]).map(({ name }) => name)
  const seen = new Set<string>()
  const twice = names.find((name) => seen.size === seen.add(name).size)
  const collision = twice === undefined ? nameCollision(names) : `"${twice}" is there twice`
  if (collision !== undefined) throw new TypeError(`its file names collide: ${collision}`)
  return output as OutputFile[]
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`
}
