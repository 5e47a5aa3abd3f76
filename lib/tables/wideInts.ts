import { int64Words } from './columnChecks.ts'

/**
 * Whole numbers of up to 96 bits: value = high × 2^64 + low, with low taken as unsigned. Plain data like every other
 * column, without methods: tables pass from the code of one node to that of another.
 */
export type WideInts = { readonly low: BigInt64Array; readonly high: Int32Array }

/** The values of a wide column. Nearly all of them fit 64 bits, and are then the plain array that is fast to work with. */
export type BigInts = BigInt64Array | WideInts

// Looking for a name in a typed array is slow enough to be seen in a run.
export const isWide = (values: object): values is WideInts =>
  !ArrayBuffer.isView(values) && 'low' in values && 'high' in values

export const wideInts = (rows: number): WideInts => ({ low: new BigInt64Array(rows), high: new Int32Array(rows) })

export const rowsOf = (values: BigInts): number => (isWide(values) ? values.high.length : values.length)

export function bigAt(values: BigInts, row: number): bigint {
  if (!isWide(values)) return values[row]!
  const low = values.low[row]!
  const high = values.high[row]!
  return high === (low < 0n ? -1 : 0) ? low : (BigInt(high) << 64n) + BigInt.asUintN(64, low)
}

/** Writes a value. One of more than 96 bits would wrap around and might look like any other: instead of it stands the
 *  largest or smallest there is, whose 29 digits no column takes. */
export function setBig({ low, high }: WideInts, row: number, value: bigint): void {
  const upper = Number(value >> 64n)
  const fits = upper === (upper | 0)
  low[row] = fits ? value : upper > 0 ? -1n : 0n
  high[row] = fits ? upper : upper > 0 ? 0x7fffffff : -0x80000000
}

/** One value to another place, without a bigint that outlives the call. */
export function copyBig(source: BigInts, from: number, target: WideInts, at: number): void {
  const low = isWide(source) ? source.low[from]! : source[from]!
  target.low[at] = low
  target.high[at] = isWide(source) ? source.high[from]! : low < 0n ? -1 : 0
}

/** Rows `from` to `to` (not included), as views. */
export const cutBigs = <T extends BigInts>(values: T, from: number, to: number): T =>
  (isWide(values)
    ? { low: values.low.subarray(from, to), high: values.high.subarray(from, to) }
    : (values as BigInt64Array).subarray(from, to)) as T

export function copyBigs(source: BigInts, from: number, to: number, target: WideInts, at: number): void {
  if (isWide(source)) {
    target.low.set(source.low.subarray(from, to), at)
    target.high.set(source.high.subarray(from, to), at)
    return
  }
  target.low.set(source.subarray(from, to), at)
  const words = int64Words(source)
  for (let row = from; row < to; row++) target.high[at + row - from] = words[2 * row + 1]! >> 31
}

/** The same values as a plain array where each of them fits 64 bits. The lower halves are then the values: no copy. */
export function narrowest(values: WideInts): BigInts {
  const words = int64Words(values.low)
  for (let row = 0; row < values.high.length; row++) {
    if (values.high[row] !== words[2 * row + 1]! >> 31) return values
  }
  return values.low
}

export function bigIntsOf(rows: number, valueAt: (row: number) => bigint): BigInts {
  const made = wideInts(rows)
  for (let row = 0; row < rows; row++) setBig(made, row, valueAt(row))
  return narrowest(made)
}

/** The values of some rows, zero where the row is negative. */
export function pickBigs(values: BigInts, rows: ArrayLike<number>): BigInts {
  const picked = wideInts(rows.length)
  for (let i = 0; i < rows.length; i++) if (rows[i]! >= 0) copyBig(values, rows[i]!, picked, i)
  return narrowest(picked)
}

/** Row by row what is left of `a` without `b`, for values of at most 28 digits. In parts of 32 bits: a bigint each would
 *  cost more than all else that is done to a row. */
export function differenceOf(a: BigInts, b: BigInts): BigInts {
  const left = wideInts(rowsOf(a))
  const [x, y] = [wordsOf(a), wordsOf(b)]
  const [aHigh, bHigh] = [isWide(a) ? a.high : undefined, isWide(b) ? b.high : undefined]
  const words = int64Words(left.low)
  for (let row = 0; row < left.high.length; row++) {
    const lowest = (x[2 * row]! >>> 0) - (y[2 * row]! >>> 0)
    const middle = (x[2 * row + 1]! >>> 0) - (y[2 * row + 1]! >>> 0) - (lowest < 0 ? 1 : 0)
    words[2 * row] = lowest
    words[2 * row + 1] = middle
    const xHigh = aHigh === undefined ? x[2 * row + 1]! >> 31 : aHigh[row]!
    const yHigh = bHigh === undefined ? y[2 * row + 1]! >> 31 : bHigh[row]!
    left.high[row] = xHigh - yHigh - (middle < 0 ? 1 : 0)
  }
  return narrowest(left)
}

const wordsOf = (values: BigInts): Int32Array => int64Words(isWide(values) ? values.low : values)

/** As doubles, each the nearest there is up to 10^25 and within one step of it beyond. */
export function bigsToFloat64(values: BigInts): Float64Array {
  const words = wordsOf(values)
  const out = new Float64Array(words.length / 2)
  if (!isWide(values)) {
    for (let row = 0; row < out.length; row++) out[row] = words[2 * row + 1]! * 4294967296 + (words[2 * row]! >>> 0)
    return out
  }
  const { high } = values
  for (let row = 0; row < out.length; row++) {
    // The upper 64 bits are an exact double below 2^53, so that only the last addition rounds.
    const upper = high[row]! * 4294967296 + (words[2 * row + 1]! >>> 0)
    out[row] = upper * 4294967296 + (words[2 * row]! >>> 0)
  }
  return out
}

/** The first row whose value has more than `precision` digits, or -1. */
export function firstTooWide({ low, high }: WideInts, precision: number): number {
  const limit = 10n ** BigInt(precision)
  const limitHigh = Number(limit >> 64n)
  for (let row = 0; row < high.length; row++) {
    // Only a high part at the limit needs the exact comparison; -limitHigh - 1 is that of small negatives.
    if (high[row]! < limitHigh && high[row]! > -limitHigh - 1) continue
    const value = bigAt({ low, high }, row)
    if (value >= limit || value <= -limit) return row
  }
  return -1
}
