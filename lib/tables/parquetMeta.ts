import { Fault } from '../fault.ts'
import { ByteSource } from './byteSink.ts'
import { wideBytes } from './parquetWide.ts'
import { type Column, isDecimal, schemaFromJson, schemaToJson, type TableSchema } from './schema.ts'
import * as thrift from './thrift.ts'

/** The name in every file we write. A change of the writer that changes bytes raises the version. */
const createdBy = 'tickpipe version 1.3 (build 1)'

/** The keys of the file's metadata. The first holds the table's schema as JSON; the second, where whoever made the table
 *  had something to say of it, a text. */
const schemaKey = 'tickpipe.schema'
const notesKey = 'tickpipe.notes'

export const encodings = { plain: 0, rle: 3, delta: 5, dictionary: 8, byteStreamSplit: 9 } as const
export const codecs = { none: 0, snappy: 1, gzip: 2 } as const

/** One column of one row group: where it is in the file and what is known of its values. */
export type ChunkMeta = {
  name: string
  type: number
  encodings: readonly number[]
  codec: number
  rowCount: number
  nullCount: number
  rawBytes: number
  storedBytes: number
  dataPageOffset: number
  dictionaryPageOffset: number | undefined
  min: Uint8Array | undefined
  max: Uint8Array | undefined
}

export type RowGroupMeta = { rowCount: number; chunks: readonly ChunkMeta[] }

export type FileMeta = {
  schema: TableSchema
  rowCount: number
  rowGroups: readonly RowGroupMeta[]
  createdBy: string
  notes: string | undefined
}

export function physicalType({ kind }: Column): number {
  if (kind === 'bool') return 0
  if (kind === 'i32') return 1
  if (kind === 'f64') return 5
  if (kind === 'utf8') return 6
  return kind === 'wide' ? 7 : 2
}

/** A double is optional in the file because NaN, our missing double, is written as NULL. */
export const isOptional = (column: Column): boolean => column.nullable || column.kind === 'f64'

export function encodeFileMeta({ schema, rowCount, rowGroups, notes }: Omit<FileMeta, 'createdBy'>): Uint8Array {
  const columns = Object.entries(schema.columns)
  const root = thrift.struct({ 4: thrift.text(schema.name), 5: thrift.i32(columns.length) })
  const typeOrder = thrift.struct({ 1: thrift.struct({}) })
  const keyValue = (key: string, value: string) => thrift.struct({ 1: thrift.text(key), 2: thrift.text(value) })
  const keyValues = [keyValue(schemaKey, schemaToJson(schema))]
  if (notes !== undefined) keyValues.push(keyValue(notesKey, notes))
  return thrift.encodeThrift(
    thrift.struct({
      1: thrift.i32(1),
      2: thrift.list('struct', [root, ...columns.map(([name, column]) => schemaElement(name, column))]),
      3: thrift.i64(rowCount),
      4: thrift.list(
        'struct',
        rowGroups.map((group, ordinal) => rowGroup(schema, group, ordinal)),
      ),
      5: thrift.list('struct', keyValues),
      6: thrift.text(createdBy),
      // Without a declared order readers must not trust smallest and largest values.
      7: thrift.list(
        'struct',
        columns.map(() => typeOrder),
      ),
    }),
  )
}

function schemaElement(name: string, column: Column): thrift.ThriftValue {
  const { kind, precision, scale } = column
  const unit = (id: number) => thrift.struct({ 1: thrift.bool(true), 2: thrift.struct({ [id]: thrift.struct({}) }) })
  const integer = (bits: number) => thrift.struct({ 1: thrift.byte(bits), 2: thrift.bool(true) })
  const decimal = {
    id: 5,
    type: thrift.struct({ 1: thrift.i32(scale ?? 0), 2: thrift.i32(precision ?? 0) }),
    converted: 5,
  }
  const logical: Partial<Record<Column['kind'], { id: number; type: thrift.ThriftValue; converted: number }>> = {
    utf8: { id: 1, type: thrift.struct({}), converted: 0 },
    decimal,
    wide: decimal,
    tsMs: { id: 8, type: unit(1), converted: 9 },
    tsUs: { id: 8, type: unit(2), converted: 10 },
    i32: { id: 10, type: integer(32), converted: 17 },
    i64: { id: 10, type: integer(64), converted: 18 },
  }
  const meaning = logical[kind]
  return thrift.struct({
    1: thrift.i32(physicalType(column)),
    2: kind === 'wide' ? thrift.i32(wideBytes) : undefined,
    3: thrift.i32(isOptional(column) ? 1 : 0),
    4: thrift.text(name),
    6: meaning && thrift.i32(meaning.converted),
    7: isDecimal(kind) ? thrift.i32(scale!) : undefined,
    8: isDecimal(kind) ? thrift.i32(precision!) : undefined,
    10: meaning && thrift.struct({ [meaning.id]: meaning.type }),
  })
}

function rowGroup(schema: TableSchema, { rowCount, chunks }: RowGroupMeta, ordinal: number): thrift.ThriftValue {
  const names = Object.keys(schema.columns)
  const start = chunks[0]!.dictionaryPageOffset ?? chunks[0]!.dataPageOffset
  const sum = (of: (chunk: ChunkMeta) => number) => thrift.i64(chunks.reduce((total, chunk) => total + of(chunk), 0))
  const sorting = schema.sortKey.map((key) =>
    // Absent values, and NaN as an absent double, do not all sort to one side; a reader is told what holds for ours.
    thrift.struct({
      1: thrift.i32(names.indexOf(key)),
      2: thrift.bool(false),
      3: thrift.bool(schema.columns[key]!.kind !== 'f64'),
    }),
  )
  return thrift.struct({
    1: thrift.list('struct', chunks.map(columnChunk)),
    2: sum((chunk) => chunk.rawBytes),
    3: thrift.i64(rowCount),
    4: sorting.length === 0 ? undefined : thrift.list('struct', sorting),
    5: thrift.i64(start),
    6: sum((chunk) => chunk.storedBytes),
    // The ordinal is an i16; a file with more row groups does without it.
    7: ordinal < 32768 ? thrift.i16(ordinal) : undefined,
  })
}

function columnChunk(chunk: ChunkMeta): thrift.ThriftValue {
  const { dictionaryPageOffset: dictionary, min, max } = chunk
  const statistics = thrift.struct({
    3: thrift.i64(chunk.nullCount),
    5: max && thrift.binary(max),
    6: min && thrift.binary(min),
  })
  const meta = thrift.struct({
    1: thrift.i32(chunk.type),
    2: thrift.list('i32', chunk.encodings.map(thrift.i32)),
    3: thrift.list('binary', [thrift.text(chunk.name)]),
    4: thrift.i32(chunk.codec),
    5: thrift.i64(chunk.rowCount),
    6: thrift.i64(chunk.rawBytes),
    7: thrift.i64(chunk.storedBytes),
    9: thrift.i64(chunk.dataPageOffset),
    11: dictionary === undefined ? undefined : thrift.i64(dictionary),
    12: statistics,
  })
  return thrift.struct({ 2: thrift.i64(dictionary ?? chunk.dataPageOffset), 3: meta })
}

export function decodeFileMeta(bytes: Uint8Array): FileMeta {
  const file = thrift.readStruct(new ByteSource(bytes))
  const decoder = new TextDecoder()
  const pairs = file.has(5) ? thrift.listOf(file, 5).map(thrift.structOf) : []
  const textOf = (key: string): string | undefined => {
    const pair = pairs.find((fields) => decoder.decode(thrift.bytesOf(fields, 1)) === key)
    return pair && decoder.decode(thrift.bytesOf(pair, 2))
  }
  const schema = textOf(schemaKey)
  if (schema === undefined) {
    throw new Fault({
      code: 'failed',
      what: 'this Parquet file was not written by tickpipe: it has no table schema in its metadata',
      todo: 'read it with "pipe query", or bring its rows in through an ingest task',
    })
  }
  return {
    schema: schemaFromJson(schema),
    rowCount: thrift.numberOf(file, 3),
    rowGroups: thrift.listOf(file, 4).map((group) => {
      const fields = thrift.structOf(group)
      return { rowCount: thrift.numberOf(fields, 3), chunks: thrift.listOf(fields, 1).map(readChunk) }
    }),
    createdBy: decoder.decode(thrift.bytesOf(file, 6)),
    notes: textOf(notesKey),
  }
}

function readChunk(value: thrift.ThriftValue): ChunkMeta {
  const meta = thrift.structOf(thrift.structOf(value).get(3))
  const statistics = thrift.structOf(meta.get(12))
  return {
    name: new TextDecoder().decode(thrift.bytesOf(structWithName(meta), 0)),
    type: thrift.numberOf(meta, 1),
    encodings: thrift.listOf(meta, 2).map((item) => Number(item.value)),
    codec: thrift.numberOf(meta, 4),
    rowCount: thrift.numberOf(meta, 5),
    rawBytes: thrift.numberOf(meta, 6),
    storedBytes: thrift.numberOf(meta, 7),
    dataPageOffset: thrift.numberOf(meta, 9),
    dictionaryPageOffset: meta.has(11) ? thrift.numberOf(meta, 11) : undefined,
    nullCount: thrift.numberOf(statistics, 3),
    max: statistics.has(5) ? thrift.bytesOf(statistics, 5) : undefined,
    min: statistics.has(6) ? thrift.bytesOf(statistics, 6) : undefined,
  }
}

/** The path of a flat column is a list of one name; as a struct it reads like any other field. */
function structWithName(meta: thrift.ThriftStruct): thrift.ThriftStruct {
  return new Map(thrift.listOf(meta, 3).map((item, index) => [index, item]))
}
