import { Fault } from '../fault.ts'
import { assertSorted } from './order.ts'
import { decodeChunk } from './parquetDecode.ts'
import { decodeFileMeta, type FileMeta } from './parquetMeta.ts'
import { groupWriter, rowsPerGroup } from './parquetWriter.ts'
import { type Columns, pickColumns, schemaDifferences, type TableSchema } from './schema.ts'
import { type AnyColumnData, allocateColumn, narrowColumn, sliceTable, type Table } from './table.ts'

/**
 * A table as Parquet bytes: the same table gives the same bytes on every machine and Node. Rows must be in the order
 * the schema declares.
 */
export function encodeTable<C extends Columns>(table: Table<C>): Uint8Array {
  assertSorted(table)
  const pieces: Uint8Array[] = []
  const writer = groupWriter(table.schema, (piece) => pieces.push(piece))
  for (let from = 0; from < table.rowCount; from += rowsPerGroup) {
    writer.group(sliceTable(table, from, Math.min(table.rowCount, from + rowsPerGroup)))
  }
  const { sizeBytes } = writer.finish()
  const bytes = new Uint8Array(sizeBytes)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** Reads `length` bytes of a file from `offset`. It must return them all; a view is fine. */
export type ReadAt = (offset: number, length: number) => Uint8Array

export type TableInfo = {
  readonly name: string
  readonly version: number
  readonly rowCount: number
  readonly rowGroups: readonly { readonly rowCount: number; readonly sizeBytes: number }[]
  readonly createdBy: string
  readonly schema: TableSchema
  /** What whoever made the table had to say of it. */
  readonly notes: string | undefined
}

export type TableReader<C extends Columns = Columns> = {
  readonly schema: TableSchema<C>
  readonly info: TableInfo
  /** Decodes some row groups (all unless said) and some columns (all unless said). */
  read<K extends keyof C & string = keyof C & string>(choice?: Choice<K>): Table<Pick<C, K>>
}

export type Choice<K extends string> = { columns?: readonly K[]; rowGroups?: readonly number[] }

/** Opens a table without reading its rows. Each column of each row group is then one `readAt`. */
export function openTable<C extends Columns>(
  schema: TableSchema<C>,
  file: { sizeBytes: number; readAt: ReadAt },
): TableReader<C> {
  const meta = guarded(() => readMeta(file))
  const { pickedFrom } = schema
  const isWhole = pickedFrom !== undefined && schemaDifferences(pickedFrom, meta.schema).length === 0
  const differences = isWhole ? [] : schemaDifferences(schema, meta.schema)
  if (differences.length > 0) {
    throw new Fault({
      code: 'failed',
      what: `the file holds ${meta.schema.name} version ${meta.schema.version}, which is not the table asked for: ${differences.join('; ')}`,
      where: `table ${schema.name}`,
      todo: 'run the task that makes this table again, so that it is written in the present form',
      details: { differences },
    })
  }
  return readerOf(schema, meta, file.readAt)
}

/** The same for any table, by the schema inside the file. */
export function openAnyTable(file: { sizeBytes: number; readAt: ReadAt }): TableReader {
  const meta = guarded(() => readMeta(file))
  return readerOf(meta.schema, meta, file.readAt)
}

export function decodeTable<C extends Columns, K extends keyof C & string = keyof C & string>(
  schema: TableSchema<C>,
  bytes: Uint8Array,
  choice?: Choice<K>,
): Table<Pick<C, K>> {
  return openTable(schema, fileOf(bytes)).read(choice)
}

export function decodeAnyTable(bytes: Uint8Array, choice?: Choice<string>): Table {
  return openAnyTable(fileOf(bytes)).read(choice)
}

export function readTableInfo(bytes: Uint8Array): TableInfo {
  return openAnyTable(fileOf(bytes)).info
}

const fileOf = (bytes: Uint8Array) => ({
  sizeBytes: bytes.length,
  readAt: (offset: number, length: number) => bytes.subarray(offset, offset + length),
})

function readMeta({ sizeBytes, readAt }: { sizeBytes: number; readAt: ReadAt }): FileMeta {
  const tail = sizeBytes < 12 ? new Uint8Array() : readAt(sizeBytes - 8, 8)
  if (tail.length !== 8 || String.fromCharCode(...tail.subarray(4)) !== 'PAR1') throw new RangeError('it has no footer')
  const length = new DataView(tail.buffer, tail.byteOffset, 8).getUint32(0, true)
  if (length > sizeBytes - 12) throw new RangeError('its footer is longer than the file')
  return decodeFileMeta(readAt(sizeBytes - 8 - length, length))
}

function readerOf<C extends Columns>(schema: TableSchema<C>, meta: FileMeta, readAt: ReadAt): TableReader<C> {
  return {
    schema,
    info: infoOf(meta),
    read: <K extends keyof C & string>({ columns, rowGroups }: Choice<K> = {}) => {
      const picked = (columns === undefined ? schema : pickColumns(schema, columns)) as TableSchema<Pick<C, K>>
      const wanted = rowGroups ?? meta.rowGroups.keys()
      return guarded(() => readGroups(picked, meta, [...wanted], readAt))
    },
  }
}

function readGroups<C extends Columns>(
  schema: TableSchema<C>,
  meta: FileMeta,
  rowGroups: readonly number[],
  readAt: ReadAt,
): Table<C> {
  const groups = rowGroups.map((index) => {
    const group = meta.rowGroups[index]
    if (group === undefined) throw new RangeError(`it has no row group ${index}`)
    return group
  })
  const rowCount = groups.reduce((sum, group) => sum + group.rowCount, 0)
  const stored = Object.keys(meta.schema.columns)
  const columns: Record<string, AnyColumnData> = {}
  for (const [name, column] of Object.entries(schema.columns)) {
    const target = allocateColumn(column, rowCount)
    const position = stored.indexOf(name)
    let at = 0
    for (const group of groups) {
      const chunk = group.chunks[position]
      if (chunk?.name !== name || chunk.rowCount !== group.rowCount) throw new RangeError(`column ${name} is misplaced`)
      const bytes = readAt(chunk.dictionaryPageOffset ?? chunk.dataPageOffset, chunk.storedBytes)
      decodeChunk(column, chunk, bytes, target, at)
      at += group.rowCount
    }
    columns[name] = narrowColumn(target)
  }
  return { schema, rowCount, columns: columns as Table<C>['columns'] }
}

function infoOf({ schema, rowCount, rowGroups, createdBy, notes }: FileMeta): TableInfo {
  return {
    name: schema.name,
    version: schema.version,
    rowCount,
    rowGroups: rowGroups.map(({ rowCount, chunks }) => ({
      rowCount,
      sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.storedBytes, 0),
    })),
    createdBy,
    schema,
    notes,
  }
}

/** Damaged bytes surface as range errors deep in the decoder; the user is told that the file is damaged. */
function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause
    throw new Fault({
      code: 'corrupt',
      what: `this is not a sound Parquet file of ours: ${cause.message}`,
      todo: 'run "pipe verify" to find out whether the stored object is damaged',
      cause,
    })
  }
}
