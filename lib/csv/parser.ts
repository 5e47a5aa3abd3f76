import { int64Words } from '../tables/columnChecks.ts'
import { type Columns, isDecimal } from '../tables/schema.ts'
import {
  type AnyColumnData,
  allocateColumn,
  concatTables,
  copyColumn,
  narrowColumn,
  sliceTable,
  splitColumn,
  type Table,
} from '../tables/table.ts'
import { isWide } from '../tables/wideInts.ts'
import { type BadCell, badCellFault } from './badCell.ts'
import { expectsHeader, readHeader } from './header.ts'
import { BadField, codes, type KernelField, type KernelState, readRows } from './kernel.ts'
import { type CsvField, type CsvLayout, type CsvSeen, headerNames } from './layout.ts'

/** No line of a market data file comes near this. */
const longestLine = 1 << 20
/** The kernel reads whole words and may look at most this far behind a line. */
const slack = 8
const firstRows = 1024

export type CsvOptions<C extends Columns> = {
  /** The file's name for messages: a path, a URL, an archive and its member. */
  file: string
  /** Receives rows in order, `batchRows` at a time. The tables are the receiver's to keep. */
  onBatch: (batch: Table<C>) => void
  batchRows?: number
  /** Receives what cannot be read, whose line is then left out. Without it the first such cell is a Fault. */
  onBad?: (bad: BadCell) => void
}

export type CsvParser = {
  /** Takes the next bytes of the file, cut anywhere. The chunk may be reused afterwards. */
  push(chunk: Uint8Array): void
  /** Ends the file and says what it was. */
  finish(): CsvSeen
}

/** Reads a CSV file in chunks into tables of the layout's schema. Order and uniqueness of rows are not its business. */
export function csvParser<C extends Columns>(layout: CsvLayout<C>, options: CsvOptions<C>): CsvParser {
  const { file, onBatch, onBad, batchRows = 65_536 } = options
  const { schema } = layout
  const names = layout.fields.map((field) => field.column)
  const fields = layout.fields.map((field) => kernelField(field, schema.columns))
  const times = names.flatMap((name, index) =>
    fields[index]!.column?.kind.startsWith('ts') ? [{ name: name!, index, rows: 0 }] : [],
  )
  // The first batch grows, so that a file of some lines does not cost the memory of a big one.
  let capacity = Math.min(batchRows, firstRows)
  let batch = newBatch(schema.columns, capacity)
  let state = kernelState(fields, names, batch, capacity)

  // Bytes that are not parsed yet, from `from` to `to`; everything before them in the file has `offset` bytes.
  let buffer = new Uint8Array(0)
  let from = 0
  let to = 0
  let offset = 0
  let lines = 0
  let rowCount = 0
  let badRows = 0
  let started = false
  let header: readonly string[] | undefined
  let byteOrderMark = false
  let endsWithNewline = true

  const refuse = (why: string, at: number, field: string | undefined, text: string) => {
    const bad: BadCell = { file, line: lines + 1, field, byteOffset: offset + at, text: text.slice(0, 80), why }
    if (onBad === undefined) throw badCellFault(bad)
    badRows++
    onBad(bad)
  }

  const flush = () => {
    if (state.row === 0) return
    for (const time of times) time.rows += presentRows(batch[time.name]!, state.row)
    const table = { schema, rowCount: capacity, columns: narrowed(batch) as Table<C>['columns'] }
    // A last, short batch is copied, so that it does not hold the memory of a full one.
    onBatch(state.row === capacity ? table : concatTables(schema, [sliceTable(table, 0, state.row)]))
    batch = newBatch(schema.columns, capacity)
    state = kernelState(fields, names, batch, capacity, state)
  }

  const grow = () => {
    const { row } = state
    capacity = Math.min(batchRows, capacity * 4)
    const larger = newBatch(schema.columns, capacity)
    for (const name of Object.keys(larger)) copyColumn(batch[name]!, 0, row, larger[name]!, 0)
    batch = larger
    state = kernelState(fields, names, batch, capacity, state)
    state.row = row
  }

  /** Skips the byte order mark and the header; false where more bytes are needed to tell. */
  const start = (isLast: boolean): boolean => {
    const mark = buffer[from] === 0xef && buffer[from + 1] === 0xbb && buffer[from + 2] === 0xbf
    if (to - from < 4 && !isLast) return false
    if (mark && to - from >= 3) {
      byteOrderMark = true
      from += 3
    }
    const hasHeader = from < to && expectsHeader(layout, buffer[from]!)
    const end = hasHeader ? buffer.subarray(0, to).indexOf(10, from) : from
    if (end < 0 && !isLast) {
      if (mark) from -= 3
      return false
    }
    started = true
    if (!hasHeader) return true
    const lineEnd = end < 0 ? to : end
    header = readHeader(layout.fields, file, buffer.subarray(from, lineEnd), offset + from)
    lines = 1
    from = Math.min(to, lineEnd + 1)
    return true
  }

  /** Parses the whole lines up to `end`, which is behind a line feed. */
  const parse = (end: number) => {
    while (from < end) {
      const rowBefore = state.row
      try {
        from = readRows(state, buffer, from, end)
        lines += state.row - rowBefore
        rowCount += state.row - rowBefore
      } catch (error) {
        if (!(error instanceof BadField)) throw error
        lines += state.row - rowBefore
        rowCount += state.row - rowBefore
        forgetRow(state)
        refuse(error.message, error.at, fields[error.field]?.header, error.text)
        lines++
        from = buffer.indexOf(10, state.rowAt) + 1
      }
      if (state.row < capacity) continue
      if (capacity === batchRows) flush()
      else grow()
    }
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return
      const left = to - from
      const room = left + chunk.length + slack
      const next = room <= buffer.length ? buffer : new Uint8Array(room)
      if (next === buffer) next.copyWithin(0, from, to)
      else next.set(buffer.subarray(from, to))
      next.set(chunk, left)
      offset += from
      buffer = next
      from = 0
      to = left + chunk.length
      if (!started && !start(false)) return
      const end = buffer.subarray(0, to).lastIndexOf(10) + 1
      if (end > from) parse(end)
      if (to - from > longestLine) {
        const first = new TextDecoder().decode(buffer.subarray(from, from + 80))
        const where = { file, line: lines + 1, field: undefined, byteOffset: offset + from }
        throw badCellFault({ ...where, text: first, why: 'the line does not end' })
      }
    },
    finish() {
      const sizeBytes = offset + to
      if (sizeBytes === 0) refuse('the file is empty', 0, undefined, '')
      if (!started) start(true)
      if (from < to) {
        endsWithNewline = false
        // The last line is closed in our copy; there is room behind it, save when nothing was ever parsed.
        if (to + slack > buffer.length) buffer = Uint8Array.from({ length: to + slack }, (_, i) => buffer[i] ?? 0)
        buffer[to] = 10
        parse(to + 1)
      }
      flush()
      return {
        sizeBytes,
        rowCount,
        badRows,
        header,
        byteOrderMark,
        carriageReturns: state.carriageReturns,
        endsWithNewline,
        timeUnits: Object.fromEntries(
          times.map(({ name, index, rows }) => {
            const us = state.microRows[index]!
            return [name, { ms: rows - us, us }]
          }),
        ),
      }
    },
  }
}

/** A whole file at once. */
export function parseCsv<C extends Columns>(
  layout: CsvLayout<C>,
  bytes: Uint8Array,
  options: Omit<CsvOptions<C>, 'onBatch' | 'batchRows'>,
): { table: Table<C>; seen: CsvSeen } {
  const batches: Table<C>[] = []
  const parser = csvParser(layout, { ...options, onBatch: (batch) => batches.push(batch) })
  // Pieces that stay in the processor's cache while they are copied and parsed.
  for (let from = 0; from < bytes.length; from += chunkBytes) parser.push(bytes.subarray(from, from + chunkBytes))
  const seen = parser.finish()
  return { table: batches.length === 1 ? batches[0]! : concatTables(layout.schema, batches), seen }
}

const chunkBytes = 1 << 16

type Batch = Readonly<Record<string, AnyColumnData>>

function newBatch(columns: Columns, rows: number): Batch {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, allocateColumn(column, rows)]))
}

const narrowed = (batch: Batch): Batch =>
  Object.fromEntries(Object.entries(batch).map(([name, data]) => [name, narrowColumn(data)]))

function kernelField(field: CsvField, columns: Columns): KernelField {
  const { column: name, signed = false } = field
  const header = headerNames(field)[0]!
  const column = name === null ? undefined : columns[name]
  if (column === undefined)
    return { code: codes.skip, column, signed, mayBeNegative: false, scale: 0, limit: 0, header }
  const { kind, precision = 18, scale = 0 } = column
  const safe = 2 ** 53
  const limit = kind === 'i32' ? 2 ** 31 : isDecimal(kind) ? Math.min(safe, Number(10n ** BigInt(precision))) : safe
  // A wide decimal has an upper part beside its words, which the fast reader leaves at zero.
  const mayBeNegative = signed && kind === 'decimal'
  return { code: codes[kind], column, signed, mayBeNegative, scale, limit, header }
}

/** A kernel at the first row of a batch; what it has learnt of the file so far comes along. */
function kernelState(
  fields: readonly KernelField[],
  names: readonly (string | null)[],
  batch: Batch,
  capacity: number,
  before?: KernelState,
): KernelState {
  const data = names.map((name) => (name === null ? undefined : splitColumn(batch[name]!)))
  const values = data.map((column) => column?.values)
  return {
    fields,
    capacity,
    words: values.map((array) =>
      array instanceof BigInt64Array
        ? int64Words(array)
        : array instanceof Int32Array
          ? array
          : array !== undefined && isWide(array)
            ? int64Words(array.low)
            : new Int32Array(0),
    ),
    high: values.map((array) => (array !== undefined && isWide(array) ? array.high : undefined)),
    doubles: values.map((array) => (array instanceof Float64Array ? array : new Float64Array(0))),
    bytes: values.map((array) => (array instanceof Uint8Array ? array : new Uint8Array(0))),
    texts: values.map((array) => (Array.isArray(array) ? array : [])),
    valid: data.map((column) => column?.valid),
    microRows: before?.microRows ?? new Int32Array(fields.length),
    lastMicroRow: new Int32Array(fields.length).fill(-1),
    textAt: new Int32Array(fields.length),
    textEnd: new Int32Array(fields.length),
    decoder: before?.decoder ?? new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
    row: 0,
    rowAt: 0,
    carriageReturns: before?.carriageReturns ?? false,
  }
}

function presentRows(data: AnyColumnData, rows: number): number {
  const { valid } = splitColumn(data)
  return valid === undefined ? rows : valid.subarray(0, rows).reduce((sum, flag) => sum + flag, 0)
}

/** A line that is left out must not have counted as one in microseconds, nor leave the upper part of a number behind: the
 *  next line goes to the same row. */
function forgetRow({ microRows, lastMicroRow, high, row }: KernelState): void {
  for (const upper of high) if (upper !== undefined) upper[row] = 0
  for (let index = 0; index < microRows.length; index++) {
    if (lastMicroRow[index] !== row) continue
    microRows[index]!--
    lastMicroRow[index] = -1
  }
}
