import { Fault } from '../fault.ts'
import { ByteSink } from './byteSink.ts'
import { int64ToFloat64, int64Words } from './columnChecks.ts'
import { compressGzip, expectGzip } from './gzip.ts'
import { encodeDelta, encodeDelta32 } from './parquetDelta.ts'
import { type ChunkMeta, codecs, encodings, isOptional, physicalType } from './parquetMeta.ts'
import { bitWidth, encodeHybrid } from './parquetRle.ts'
import { boolRange, doubleRange, int32Range, int64Range, type Range, textRange } from './parquetStats.ts'
import { encodeSteps } from './parquetSteps.ts'
import { dictionaryOf, presentValues } from './parquetValues.ts'
import { encodeWide, wideBytes, wideDictionary, wideRange } from './parquetWide.ts'
import type { Column } from './schema.ts'
import { type AnyColumnData, type AnyValues, countOf, splitColumn } from './table.ts'
import * as thrift from './thrift.ts'
import type { BigInts } from './wideInts.ts'

/** A page's bytes and how they are encoded. */
type Encoded = { encoding: number; body: Uint8Array; dictionary?: { body: Uint8Array; size: number }; range: Range }

/** Compression must leave at most this much of a chunk, or the chunk stays as it is and reads faster. */
const worthwhile = 0.95
/** In a group of this many rows for each distinct value, nothing beats a dictionary. */
const rowsForEach = 8
/** Of a tight table a chunk of at most this many rows is packed as small as we can: it has little to learn a code from, and
 *  is soon done. */
const fewRows = 1 << 16

/**
 * One column of one row group: an optional dictionary page and one data page, written to `sink`. Every choice
 * (dictionary or not, compressed or not) depends on the values alone, so the same rows always give the same bytes.
 */
export function encodeChunk(
  { name, column, isTight }: { readonly name: string; readonly column: Column; readonly isTight: boolean },
  data: AnyColumnData,
  sink: ByteSink,
  fileOffset: number,
): ChunkMeta {
  const { values, valid } = splitColumn(data)
  const rowCount = countOf(values)
  const present = presentValues(column, values, valid)
  const { encoded, expectedBytes } = smallest(encodeValues(column, present.values, isTight), isTight)
  const body = isOptional(column) ? withLevels(present.valid, rowCount, encoded.body) : encoded.body
  if (body.length > 2 ** 31 - 1) {
    throw new Fault({ code: 'failed', what: `column ${name} has more than 2 GiB of text in one row group` })
  }

  const isThorough = isTight && rowCount <= fewRows
  const sized = compressChunk({ body, dictionary: encoded.dictionary?.body }, expectedBytes, isThorough)
  const start = sink.length
  let dictionaryPageOffset: number | undefined
  let rawBytes = 0
  if (encoded.dictionary !== undefined) {
    dictionaryPageOffset = fileOffset
    const raw = encoded.dictionary.body.length
    const header = thrift.struct({ 1: thrift.i32(encoded.dictionary.size), 2: thrift.i32(encodings.plain) })
    rawBytes += writePage(sink, 2, raw, sized.dictionary!, { 7: header })
  }
  const dataPageOffset = fileOffset + sink.length - start
  const header = thrift.struct({
    1: thrift.i32(rowCount),
    2: thrift.i32(encoded.encoding),
    3: thrift.i32(encodings.rle),
    4: thrift.i32(encodings.rle),
  })
  rawBytes += writePage(sink, 0, body.length, sized.body, { 5: header })
  return {
    name,
    type: physicalType(column),
    encodings: [...new Set([encodings.rle, encodings.plain, encoded.encoding])].filter(
      (id) => id === encoded.encoding || (id === encodings.rle ? isOptional(column) : encoded.dictionary !== undefined),
    ),
    codec: sized.codec,
    rowCount,
    nullCount: rowCount - countOf(present.values),
    rawBytes,
    storedBytes: sink.length - start,
    dataPageOffset,
    dictionaryPageOffset,
    min: encoded.range?.min,
    max: encoded.range?.max,
  }
}

/** Writes a page and its header; returns the size it would have uncompressed, as the metadata asks for. */
function writePage(
  sink: ByteSink,
  type: number,
  rawBytes: number,
  stored: Uint8Array,
  typed: Record<number, thrift.ThriftValue>,
): number {
  const before = sink.length
  const sizes = { 1: thrift.i32(type), 2: thrift.i32(rawBytes), 3: thrift.i32(stored.length) }
  thrift.writeThrift(thrift.struct({ ...sizes, ...typed }), sink)
  const headerBytes = sink.length - before
  sink.append(stored)
  return headerBytes + rawBytes
}

type Pages = { readonly body: Uint8Array; readonly dictionary?: Uint8Array | undefined }

const sizeOf = ({ dictionary, body }: Pages): number => body.length + (dictionary?.length ?? 0)

function compressChunk(plain: Pages, expectedBytes: number, isThorough: boolean): Pages & { codec: number } {
  const uncompressed = { ...plain, codec: codecs.none }
  const limit = sizeOf(plain) * worthwhile
  if (expectedBytes > limit) return uncompressed
  const { dictionary, body } = plain
  const pack = (page: Uint8Array) => compressGzip(page, { isThorough })
  const packed = { dictionary: dictionary && pack(dictionary), body: pack(body), codec: codecs.gzip }
  return sizeOf(packed) > limit ? uncompressed : packed
}

/** Of several ways to write the values the one that packing is expected to leave the least of. */
function smallest(ways: readonly Encoded[], isTight: boolean): { encoded: Encoded; expectedBytes: number } {
  const sampleBytes = isTight ? 65_536 : 32_768
  // Ways may have one dictionary between them, and then one after the other.
  let known: { dictionary: Uint8Array; expectedBytes: number } | undefined
  const expectedOf = (dictionary: Uint8Array): number => {
    if (known?.dictionary !== dictionary) known = { dictionary, expectedBytes: expectGzip(dictionary, sampleBytes) }
    return known.expectedBytes
  }
  const expected = ways.map(
    ({ body, dictionary }) =>
      expectGzip(body, sampleBytes) + (dictionary === undefined ? 0 : expectedOf(dictionary.body)),
  )
  const expectedBytes = Math.min(...expected)
  return { encoded: ways[expected.indexOf(expectedBytes)]!, expectedBytes }
}

function withLevels(valid: Uint8Array | undefined, rowCount: number, body: Uint8Array): Uint8Array {
  const levels = new ByteSink()
  levels.i32(0)
  encodeHybrid(valid ?? new Uint8Array(rowCount).fill(1), 1, levels)
  levels.view.setInt32(0, levels.length - 4, true)
  levels.append(body)
  return levels.written()
}

/** The ways the values may be written; the smallest is taken. */
function encodeValues({ kind }: Column, values: AnyValues, isTight: boolean): readonly Encoded[] {
  switch (kind) {
    case 'i64':
    case 'decimal':
      return encodeWords(int64Words(values as BigInt64Array), kind, isTight)
    case 'wide':
      return encodeWides(values as BigInts)
    case 'tsMs': {
      const words = wordsOf(values as Float64Array)
      // Milliseconds of many rows are a few bits each, and nothing is left to gain on whole bytes.
      return encodeDifferences(words, isTight && countOf(values) <= fewRows)
    }
    case 'tsUs':
      return encodeDifferences(wordsOf(values as Float64Array), isTight)
    case 'i32': {
      const sink = new ByteSink(countOf(values) * 2 + 64)
      encodeDelta32(values as Int32Array, sink)
      return [{ encoding: encodings.delta, body: sink.written(), range: int32Range(values as Int32Array) }]
    }
    case 'bool': {
      const [body, range] = [packBools(values as Uint8Array), boolRange(values as Uint8Array)]
      return [{ encoding: encodings.plain, body, range }]
    }
    case 'f64':
      return [encodeDoubles(values as Float64Array)]
    case 'utf8':
      return [encodeTexts(values as readonly string[])]
  }
}

/**
 * Differences, or a dictionary. Prices and sizes carry more decimals than their market has ticks, which makes every
 * difference a large multiple of the tick; a dictionary says each such number once, and after that costs what its rank
 * costs. Ids and what else differs by little is not looked at twice.
 */
function encodeWords(words: Int32Array, kind: 'i64' | 'decimal', isTight: boolean): readonly Encoded[] {
  const rowCount = words.length / 2
  const range = int64Range(words)
  const deltas = kind === 'i64' ? encodeDeltas(words, range) : undefined
  if (deltas !== undefined && deltas.body.length < rowCount) return [deltas]
  const found = dictionaryOf(words)
  if (found === undefined) return encodeDifferences(words, isTight, range, deltas)
  const { entries, indices } = inOrder(found)
  const size = entries.length / 2
  const width = bitWidth(size - 1)
  // Ranks that begin on bytes take more room before they are packed and, where values come in runs, less behind it.
  const widths = width % 8 === 0 ? [width] : [width, width + 8 - (width % 8)]
  const dictionary = bytesOf(entries)
  const ranks = widths.map((bits) => encodeIndices(indices, dictionary, size, range, bits))
  const isSettled = size * rowsForEach <= rowCount && !(isTight && rowCount <= fewRows)
  return isSettled ? ranks : [...ranks, ...encodeDifferences(words, isTight, range, deltas)]
}

type Dictionary = { entries: Int32Array; indices: Int32Array }

/** The same dictionary from the smallest value to the largest: neighbours then have their upper bytes in common. */
function inOrder({ entries, indices }: Dictionary): Dictionary {
  const sorted = sortedWords(entries)
  const ranks = new Int32Array(entries.length / 2)
  for (let entry = 0; entry < ranks.length; entry++) {
    ranks[entry] = rankOf(sorted, entries[2 * entry]!, entries[2 * entry + 1]!)
  }
  for (let row = 0; row < indices.length; row++) indices[row] = ranks[indices[row]!]!
  return { entries: sorted, indices }
}

/** As doubles they are sorted in half the time. Beyond those that a double can say they are sorted as what they are. */
function sortedWords(words: Int32Array): Int32Array {
  const values = new BigInt64Array(words.buffer, words.byteOffset, words.length / 2)
  const sorted = int64ToFloat64(values).sort()
  const isExact = Number.isSafeInteger(sorted[0]) && Number.isSafeInteger(sorted.at(-1))
  return isExact ? wordsOf(sorted) : int64Words(values.slice().sort())
}

/** Where a value stands among others, by its halves: a bigint for every look would take longer than the look. */
function rankOf(sorted: Int32Array, low: number, high: number): number {
  let from = 0
  for (let to = (sorted.length >>> 1) - 1; from < to; ) {
    const middle = (from + to) >>> 1
    const upper = sorted[2 * middle + 1]!
    if (upper < high || (upper === high && sorted[2 * middle]! >>> 0 < low >>> 0)) from = middle + 1
    else to = middle
  }
  return from
}

function encodeWides(values: BigInts): readonly Encoded[] {
  const range = wideRange(values)
  const plain = { encoding: encodings.plain, body: encodeWide(values), range }
  const dictionary = wideDictionary(values)
  if (dictionary === undefined) return [plain]
  const { entries, indices } = dictionary
  return [plain, encodeIndices(indices, entries, entries.length / wideBytes, range)]
}

/** Differences in as few bits as they need, and where that is worth the time on whole bytes. */
function encodeDifferences(
  words: Int32Array,
  isTight: boolean,
  range = int64Range(words),
  deltas = encodeDeltas(words, range),
): readonly Encoded[] {
  if (!isTight) return [deltas]
  const sink = new ByteSink(words.length * 2 + 64)
  if (!encodeSteps(words, sink)) return [deltas]
  return [deltas, { encoding: encodings.delta, body: sink.written(), range }]
}

function encodeDeltas(words: Int32Array, range = int64Range(words)): Encoded {
  const sink = new ByteSink(words.length + 64)
  encodeDelta(words, sink)
  return { encoding: encodings.delta, body: sink.written(), range }
}

const bytesOf = (words: Int32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength)

function wordsOf(values: Float64Array): Int32Array {
  const words = new Int32Array(values.length * 2)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    words[2 * row] = value
    words[2 * row + 1] = Math.floor(value / 4294967296)
  }
  return words
}

function packBools(values: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(values.length / 8))
  for (let row = 0; row < values.length; row++) out[row >>> 3]! |= values[row]! << (row & 7)
  return out
}

/** A dictionary where values repeat (funding rates, flags, prices), else the bytes of all doubles split by position. */
function encodeDoubles(values: Float64Array): Encoded {
  const range = doubleRange(values)
  const dictionary = dictionaryOf(new Int32Array(values.buffer, values.byteOffset, values.length * 2))
  if (dictionary !== undefined) {
    const { entries, indices } = dictionary
    return encodeIndices(indices, bytesOf(entries), entries.length / 2, range)
  }
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const planes = new Uint8Array(bytes.length)
  const count = values.length
  for (let plane = 0; plane < 8; plane++) {
    for (let row = 0, at = plane * count; row < count; row++) planes[at + row] = bytes[row * 8 + plane]!
  }
  return { encoding: encodings.byteStreamSplit, body: planes, range }
}

function encodeTexts(values: readonly string[]): Encoded {
  const known = new Map<string, number>()
  const indices = new Int32Array(values.length)
  let before: string | undefined
  let index = 0
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (value !== before) {
      index = known.get(value) ?? known.size
      if (index === known.size) known.set(value, index)
      before = value
    }
    indices[row] = index
  }
  const encoder = new TextEncoder()
  const entries = new ByteSink()
  for (const value of known.keys()) {
    const bytes = encoder.encode(value)
    entries.i32(bytes.length)
    entries.append(bytes)
  }
  return encodeIndices(indices, entries.written(), known.size, textRange(known.keys()))
}

function encodeIndices(
  indices: Int32Array,
  dictionary: Uint8Array,
  size: number,
  range: Range,
  width = bitWidth(Math.max(0, size - 1)),
): Encoded {
  const sink = new ByteSink(Math.ceil((indices.length * width) / 8) + 64)
  sink.byte(width)
  encodeHybrid(indices, width, sink)
  return { encoding: encodings.dictionary, body: sink.written(), dictionary: { body: dictionary, size }, range }
}
