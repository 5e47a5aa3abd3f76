/** Range checks over whole columns, on the raw 32-bit halves: comparing millions of bigints one by one would cost more
 *  than writing them. */

/** The first row whose scaled integer has more than `precision` digits, or -1. */
export function firstTooLong(values: BigInt64Array, precision: number): number {
  const limit = 10n ** BigInt(precision)
  const limitHi = Number(limit >> 32n)
  const words = int64Words(values)
  for (let row = 0; row < values.length; row++) {
    const hi = words[2 * row + 1]!
    // Only a high half at the limit needs the exact comparison; -limitHi - 1 is the high half of small negatives.
    if (hi < limitHi && hi > -limitHi - 1) continue
    const value = values[row]!
    if (value >= limit || value <= -limit) return row
  }
  return -1
}

/** The first row that is not a safe integer, or -1. Negative zero would come back as zero, so it is refused too. */
export function firstUnsafeTime(values: Float64Array): number {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (Math.floor(value) !== value || value > 9007199254740991 || value < -9007199254740991) return row
    if (value === 0 && Object.is(value, -0)) return row
  }
  return -1
}

/** The little-endian halves of 64-bit integers: low at 2i, high at 2i + 1. A view, not a copy. */
export function int64Words(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2)
}

/** Scaled integers as doubles for a hot loop, four times as fast as Number(bigint). Exact below 2^53; beyond that the
 *  caller has chosen to round. */
export function int64ToFloat64(values: BigInt64Array): Float64Array {
  const words = int64Words(values)
  const out = new Float64Array(values.length)
  for (let row = 0; row < out.length; row++) out[row] = words[2 * row + 1]! * 4294967296 + (words[2 * row]! >>> 0)
  return out
}
