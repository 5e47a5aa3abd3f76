import { int64Words } from './columnChecks.ts'
import { int64Range } from './parquetStats.ts'
import { dictionaryOf } from './parquetValues.ts'
import { type BigInts, isWide, narrowest, rowsOf, type WideInts } from './wideInts.ts'

/** Wide decimals are 96-bit two's complement, most significant byte first: the shortest form that carries 28 digits, and
 *  one that every reader knows. Plain and by dictionary are the two encodings of such values that Polars reads. */
export const wideBytes = 12

export function encodeWide(values: BigInts): Uint8Array {
  const words = int64Words(isWide(values) ? values.low : values)
  const high = isWide(values) ? values.high : undefined
  const rowCount = rowsOf(values)
  const bytes = new Uint8Array(rowCount * wideBytes)
  const view = new DataView(bytes.buffer)
  for (let row = 0; row < rowCount; row++) {
    const upper = words[2 * row + 1]!
    view.setInt32(row * wideBytes, high === undefined ? upper >> 31 : high[row]!)
    view.setInt32(row * wideBytes + 4, upper)
    view.setInt32(row * wideBytes + 8, words[2 * row]!)
  }
  return bytes
}

/** Decodes as many values as the target is long. */
export function decodeWide(bytes: Uint8Array, { low, high }: WideInts): void {
  const words = int64Words(low)
  const view = new DataView(bytes.buffer, bytes.byteOffset, high.length * wideBytes)
  for (let row = 0; row < high.length; row++) {
    high[row] = view.getInt32(row * wideBytes)
    words[2 * row + 1] = view.getInt32(row * wideBytes + 4)
    words[2 * row] = view.getInt32(row * wideBytes + 8)
  }
}

/** Distinct values as bytes and which of them each row holds. What does not fit 64 bits hardly repeats. */
export function wideDictionary(values: BigInts): { entries: Uint8Array; indices: Int32Array } | undefined {
  if (isWide(values)) return undefined
  const dictionary = dictionaryOf(int64Words(values))
  if (dictionary === undefined) return undefined
  const { buffer, byteOffset, byteLength } = dictionary.entries
  return { entries: encodeWide(new BigInt64Array(buffer, byteOffset, byteLength / 8)), indices: dictionary.indices }
}

/** The smallest and the largest value as they are stored. */
export function wideRange(values: BigInts): { min: Uint8Array; max: Uint8Array } | undefined {
  const plain = isWide(values) ? narrowest(values) : values
  if (!isWide(plain)) {
    const range = int64Range(int64Words(plain))
    const stored = (bytes: Uint8Array) => encodeWide(new BigInt64Array(bytes.buffer, bytes.byteOffset, 1))
    return range && { min: stored(range.min), max: stored(range.max) }
  }
  let min = 0
  let max = 0
  const isBelow = orderOf(plain)
  for (let row = 1; row < plain.high.length; row++) {
    if (isBelow(row, min)) min = row
    else if (isBelow(max, row)) max = row
  }
  const stored = (row: number) =>
    encodeWide({ low: plain.low.slice(row, row + 1), high: plain.high.slice(row, row + 1) })
  return { min: stored(min), max: stored(max) }
}

/** Compares two rows by their 32-bit parts: a bigint each would cost more than writing them. */
function orderOf({ low, high }: WideInts): (a: number, b: number) => boolean {
  const words = int64Words(low)
  return (a, b) => {
    if (high[a] !== high[b]) return high[a]! < high[b]!
    // Below a high part the others have no sign of their own.
    const x = words[2 * a + 1]!
    const y = words[2 * b + 1]!
    if (x !== y) return x >>> 0 < y >>> 0
    return words[2 * a]! >>> 0 < words[2 * b]! >>> 0
  }
}
