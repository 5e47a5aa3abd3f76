import { ByteSource } from './byteSink.ts'
import { int64Words } from './columnChecks.ts'
import { decompressGzip } from './gzip.ts'
import { decodeDelta } from './parquetDelta.ts'
import { type ChunkMeta, codecs, encodings, isOptional } from './parquetMeta.ts'
import { decodeHybrid } from './parquetRle.ts'
import { decodeWide, wideBytes } from './parquetWide.ts'
import type { Column } from './schema.ts'
import { decompressSnappy } from './snappy.ts'
import { type AnyColumnData, type AnyValues, allocateValues, countOf, splitColumn } from './table.ts'
import * as thrift from './thrift.ts'
import { copyBigs, cutBigs, isWide, type WideInts, wideInts } from './wideInts.ts'

/** Decodes one column of one row group into rows `at` and following of `target`. */
export function decodeChunk(
  column: Column,
  meta: ChunkMeta,
  bytes: Uint8Array,
  target: AnyColumnData,
  at: number,
): void {
  const source = new ByteSource(bytes)
  const dictionary = meta.dictionaryPageOffset === undefined ? undefined : readPage(source, meta.codec)
  const page = readPage(source, meta.codec)
  const header = thrift.structOf(page.header.get(5))
  const rowCount = thrift.numberOf(header, 1)
  if (rowCount !== meta.rowCount) throw new RangeError(`a page of ${meta.rowCount} rows holds ${rowCount}`)
  const encoding = thrift.numberOf(header, 2)
  const body = new ByteSource(page.body)

  const { values, valid } = splitColumn(target)
  const flags = isOptional(column) ? readLevels(body, rowCount) : undefined
  if (flags === undefined && meta.nullCount !== 0) {
    throw new RangeError('the metadata says that values are missing where none may be')
  }
  if (flags === undefined || meta.nullCount === 0) valid?.fill(1, at, at + rowCount)
  else valid?.set(flags, at)

  const present = rowCount - meta.nullCount
  // Columns are decoded in place when every row has a value; rows with holes go through a copy.
  if (meta.nullCount === 0 && (ArrayBuffer.isView(values) || isWide(values))) {
    const rows = isWide(values) ? cutBigs(values, at, at + rowCount) : values.subarray(at, at + rowCount)
    decodeValues(column, encoding, body, dictionary, rows)
    return
  }
  if (flags !== undefined && setFlags(flags) !== present) {
    throw new RangeError('a page holds another number of values than the metadata says')
  }
  if (column.kind === 'utf8' && present === rowCount) {
    decodeTexts(encoding, body, dictionary, values as string[], at, at + rowCount)
    return
  }
  const packed = allocateValues(column, present)
  decodeValues(column, encoding, body, dictionary, packed)
  if (present === 0) {
    // What is not there stays as the target came.
    if (column.kind === 'f64') (values as Float64Array).fill(Number.NaN, at, at + rowCount)
    return
  }
  scatter(packed, flags, values, at, rowCount, column.kind === 'f64' ? Number.NaN : undefined)
}

type Page = { header: thrift.ThriftStruct; body: Uint8Array }

function readPage(source: ByteSource, codec: number): Page {
  const header = thrift.readStruct(source)
  const rawBytes = thrift.numberOf(header, 2)
  const stored = source.take(thrift.numberOf(header, 3))
  if (codec === codecs.none) return { header, body: stored }
  if (codec === codecs.gzip) return { header, body: decompressGzip(stored, rawBytes) }
  if (codec !== codecs.snappy) throw new RangeError(`codec ${codec} is not ours`)
  return { header, body: decompressSnappy(stored, rawBytes) }
}

function readLevels(body: ByteSource, rowCount: number): Uint8Array {
  const levels = new ByteSource(body.take(body.i32()))
  const flags = new Uint8Array(rowCount)
  decodeHybrid(levels, 1, flags)
  return flags
}

function setFlags(flags: Uint8Array): number {
  let count = 0
  for (let row = 0; row < flags.length; row++) count += flags[row]!
  return count
}

/** Spreads the present values over the rows that have one; other rows stay empty, or take `absent`. */
function scatter(
  packed: AnyValues,
  flags: Uint8Array | undefined,
  target: AnyValues,
  at: number,
  rowCount: number,
  absent: number | undefined,
): void {
  if (isWide(packed)) {
    for (let row = 0, next = 0; row < rowCount; row++) {
      if (flags === undefined || flags[row] === 1) copyBigs(packed, next, ++next, target as WideInts, at + row)
    }
    return
  }
  const source = packed as readonly unknown[]
  const out = target as unknown[]
  for (let row = 0, next = 0; row < rowCount; row++) {
    if (flags === undefined || flags[row] === 1) out[at + row] = source[next++]
    else if (absent !== undefined) out[at + row] = absent
  }
}

/** Decodes as many values as the target is long. */
function decodeValues(
  column: Column,
  encoding: number,
  body: ByteSource,
  dictionary: Page | undefined,
  target: AnyValues,
): void {
  const { kind } = column
  if (kind === 'f64') decodeDoubles(encoding, body, dictionary, target as Float64Array)
  else if (kind === 'utf8') decodeTexts(encoding, body, dictionary, target as string[], 0, countOf(target))
  else if (kind === 'wide') decodeWides(encoding, body, dictionary, target as WideInts)
  else if (kind === 'bool') decodeBools(encoding, body, target as Uint8Array)
  else if (encoding === encodings.dictionary && (kind === 'i64' || kind === 'decimal'))
    decodeRanks(body, dictionary, target as BigInt64Array)
  else if (encoding !== encodings.delta) throw new RangeError(`encoding ${encoding} is not ours`)
  else if (kind === 'i32') decodeDelta(body, { kind: 'int32', values: target as Int32Array })
  else if (kind === 'tsMs' || kind === 'tsUs') decodeDelta(body, { kind: 'doubles', values: target as Float64Array })
  else decodeDelta(body, { kind: 'words', words: int64Words(target as BigInt64Array) })
}

function decodeWides(encoding: number, body: ByteSource, dictionary: Page | undefined, out: WideInts): void {
  if (encoding === encodings.dictionary) {
    if (dictionary === undefined) throw new RangeError('a chunk lacks its dictionary')
    const entries = wideInts(Math.floor(dictionary.body.length / wideBytes))
    decodeWide(dictionary.body, entries)
    const indices = readIndices(body, out.high.length)
    const [from, to] = [int64Words(entries.low), int64Words(out.low)]
    for (let row = 0; row < indices.length; row++) {
      const at = indices[row]!
      out.high[row] = entry(entries.high, at)
      to[2 * row] = from[2 * at]!
      to[2 * row + 1] = from[2 * at + 1]!
    }
    return
  }
  expectEncoding(encoding, encodings.plain)
  decodeWide(body.take(out.high.length * wideBytes), out)
}

function decodeBools(encoding: number, body: ByteSource, out: Uint8Array): void {
  expectEncoding(encoding, encodings.plain)
  const bits = body.take(Math.ceil(out.length / 8))
  for (let row = 0; row < out.length; row++) out[row] = (bits[row >>> 3]! >>> (row & 7)) & 1
}

/** 64-bit integers by their rank in a dictionary: a bigint each would cost more than all the rest. */
function decodeRanks(body: ByteSource, dictionary: Page | undefined, out: BigInt64Array): void {
  const entries = plainDoubles(dictionary)
  const indices = readIndices(body, out.length)
  // Their bits are moved as doubles, in one piece. That is allowed but for NaN, which an engine may write as another one;
  // integers that look like it are the largest and the smallest there are.
  if (!entries.some(Number.isNaN))
    moveDoubles(entries, indices, new Float64Array(out.buffer, out.byteOffset, out.length))
  else moveHalves(new Int32Array(entries.buffer), indices, int64Words(out))
}

function moveDoubles(entries: Float64Array, indices: Int32Array, out: Float64Array): void {
  for (let row = 0; row < out.length; row++) {
    const at = indices[row]!
    if (at >= entries.length) throw new RangeError(`a dictionary has no entry ${at}`)
    out[row] = entries[at]!
  }
}

function moveHalves(entries: Int32Array, indices: Int32Array, words: Int32Array): void {
  const size = entries.length >>> 1
  for (let row = 0; row < indices.length; row++) {
    const at = indices[row]!
    if (at >= size) throw new RangeError(`a dictionary has no entry ${at}`)
    words[2 * row] = entries[2 * at]!
    words[2 * row + 1] = entries[2 * at + 1]!
  }
}

function decodeDoubles(encoding: number, body: ByteSource, dictionary: Page | undefined, out: Float64Array): void {
  if (encoding === encodings.dictionary) {
    const entries = plainDoubles(dictionary)
    moveDoubles(entries, readIndices(body, out.length), out)
    return
  }
  expectEncoding(encoding, encodings.byteStreamSplit)
  const count = out.length
  const planes = body.take(count * 8)
  const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength)
  for (let plane = 0; plane < 8; plane++) {
    for (let row = 0, at = plane * count; row < count; row++) bytes[row * 8 + plane] = planes[at + row]!
  }
}

function plainDoubles(dictionary: Page | undefined): Float64Array {
  if (dictionary === undefined) throw new RangeError('a chunk lacks its dictionary')
  // Copied to be aligned. The slice of a Node Buffer, which a file read from disk is, would be no copy but a view of the
  // whole file.
  return new Float64Array(Uint8Array.prototype.slice.call(dictionary.body).buffer)
}

function decodeTexts(
  encoding: number,
  body: ByteSource,
  dictionary: Page | undefined,
  out: string[],
  from: number,
  to: number,
): void {
  expectEncoding(encoding, encodings.dictionary)
  if (dictionary === undefined) throw new RangeError('a chunk lacks its dictionary')
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const source = new ByteSource(dictionary.body)
  const entries: string[] = []
  while (source.at < dictionary.body.length) entries.push(decoder.decode(source.take(source.i32())))
  const indices = readIndices(body, to - from)
  for (let row = from; row < to; row++) out[row] = entry(entries, indices[row - from]!)
}

function readIndices(body: ByteSource, count: number): Int32Array {
  const width = body.byte()
  if (width > 24) throw new RangeError(`dictionary indices of ${width} bits are not ours`)
  const indices = new Int32Array(count)
  decodeHybrid(body, width, indices)
  return indices
}

function entry<T>(entries: { readonly [index: number]: T }, index: number): T {
  const value = entries[index]
  if (value === undefined) throw new RangeError(`a dictionary has no entry ${index}`)
  return value
}

function expectEncoding(found: number, wanted: number): void {
  if (found !== wanted) throw new RangeError(`encoding ${found} is not ours`)
}
