import { compareText } from './order.ts'

/** The smallest and largest value in Parquet's plain encoding; undefined where there is none to tell. */
export type Range = { min: Uint8Array; max: Uint8Array } | undefined

/** Longer texts would only fatten the footer. */
const longestText = 64

export function int64Range(words: Int32Array): Range {
  if (words.length === 0) return undefined
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let at = 0; at < words.length; at += 2) {
    const value = words[at + 1]! * 4294967296 + (words[at]! >>> 0)
    if (value < min) min = value
    if (value > max) max = value
  }
  // As doubles the extremes are exact only if both are safe integers; beyond that the slow way decides.
  if (Number.isSafeInteger(min) && Number.isSafeInteger(max)) return { min: int64Bytes(min), max: int64Bytes(max) }
  const values = new BigInt64Array(words.buffer, words.byteOffset, words.length / 2)
  const sorted = values.slice().sort()
  const bytes = new Uint8Array(sorted.buffer)
  return { min: bytes.slice(0, 8), max: bytes.slice(-8) }
}

const int64Bytes = (value: number): Uint8Array => bytesOf(Int32Array.of(value | 0, Math.floor(value / 4294967296)))

export function int32Range(values: Int32Array): Range {
  if (values.length === 0) return undefined
  let min = values[0]!
  let max = min
  for (const value of values) {
    if (value < min) min = value
    else if (value > max) max = value
  }
  return { min: bytesOf(Int32Array.of(min)), max: bytesOf(Int32Array.of(max)) }
}

export function boolRange(values: Uint8Array): Range {
  if (values.length === 0) return undefined
  return { min: Uint8Array.of(values.includes(0) ? 0 : 1), max: Uint8Array.of(values.includes(1) ? 1 : 0) }
}

/** Of doubles without NaN. The format asks for -0 as a smallest and +0 as a largest zero, since they compare equal. */
export function doubleRange(values: Float64Array): Range {
  if (values.length === 0) return undefined
  let min = values[0]!
  let max = min
  for (let row = 1; row < values.length; row++) {
    const value = values[row]!
    if (value < min) min = value
    else if (value > max) max = value
  }
  return { min: bytesOf(Float64Array.of(min === 0 ? -0 : min)), max: bytesOf(Float64Array.of(max === 0 ? 0 : max)) }
}

export function textRange(values: Iterable<string>): Range {
  let min: string | undefined
  let max = ''
  for (const value of values) {
    if (min === undefined || compareText(value, min) < 0) min = value
    if (compareText(value, max) > 0) max = value
  }
  if (min === undefined || min.length > longestText || max.length > longestText) return undefined
  const encoder = new TextEncoder()
  return { min: encoder.encode(min), max: encoder.encode(max) }
}

const bytesOf = (values: Int32Array | Float64Array): Uint8Array => new Uint8Array(values.buffer)
