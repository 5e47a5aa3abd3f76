import assert from 'node:assert/strict'

/** How an integer column is written: value × unit with `decimals` digits after the point, then `zeros` more zeros. */
export type NumberFormat = { readonly unit: number; readonly decimals: number; readonly zeros: number }

/** No number takes more: a sign, 16 digits, a point and a row of zeros. Writers overshoot by up to eight bytes. */
export const NUMBER_BYTES_MOST = 48

const ZERO = 48
const POINT = 46
const MINUS = 45
const powers = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
/** '0000' to '9999' as ASCII, the first digit in the lowest byte. */
const fours = Uint32Array.from({ length: 10_000 }, (_, i) =>
  [1, 10, 100, 1000].reduce((ascii, power) => (ascii << 8) | (ZERO + (Math.floor(i / power) % 10)), 0),
)

/** Each of these writes ASCII into `out` at `at` and returns where the text ends. Four digits are written at a time, so
 *  that up to eight bytes behind the end are overwritten. */
export function putNumber(out: DataView, at: number, value: number, { unit, decimals, zeros }: NumberFormat): number {
  let scaled = value * unit
  if (!(Math.abs(scaled) <= Number.MAX_SAFE_INTEGER)) assert.fail('the number is exact')
  if (scaled < 0) {
    out.setUint8(at++, MINUS)
    scaled = -scaled
  }
  if (decimals === 0) {
    at = putInt(out, at, scaled)
    if (zeros === 0) return at
    out.setUint8(at++, POINT)
    return putZeros(out, at, zeros)
  }
  // Below 2^53 the rounded quotient never reaches the next integer, so its floor is exact.
  const power = powers[decimals]!
  const whole = Math.floor(scaled / power)
  at = whole < 1e8 ? putSmall(out, at, whole | 0) : putInt(out, at, whole)
  out.setUint8(at++, POINT)
  let fraction = scaled - whole * power
  let left = decimals
  while (left > 8) {
    left -= 8
    const high = Math.floor(fraction / powers[left]!)
    putEight(out, at, high | 0)
    at += 8
    fraction -= high * powers[left]!
  }
  // What stands behind the fraction are zeros already, as many as make it eight digits.
  putEight(out, at, (fraction * powers[8 - left]!) | 0)
  return left + zeros <= 8 ? at + left + zeros : putZeros(out, at + left, zeros)
}

export function putInt(out: DataView, at: number, value: number): number {
  if (value < 1e8) return putSmall(out, at, value | 0)
  const high = Math.floor(value / 1e8)
  at = putInt(out, at, high)
  putEight(out, at, (value - high * 1e8) | 0)
  return at + 8
}

/** Below 10^8, in integers of 32 bits. */
function putSmall(out: DataView, at: number, value: number): number {
  const high = (value / 1e4) | 0
  const first = high === 0 ? value : high
  const leading = first < 100 ? (first < 10 ? 3 : 2) : first < 1000 ? 1 : 0
  out.setUint32(at, fours[first]! >>> (8 * leading), true)
  at += 4 - leading
  if (high === 0) return at
  out.setUint32(at, fours[value - high * 1e4]!, true)
  return at + 4
}

function putEight(out: DataView, at: number, value: number): void {
  const high = (value / 1e4) | 0
  out.setUint32(at, fours[high]!, true)
  out.setUint32(at + 4, fours[value - high * 1e4]!, true)
}

function putZeros(out: DataView, at: number, zeros: number): number {
  for (let i = 0; i < zeros; i++) out.setUint8(at + i, ZERO)
  return at + zeros
}
