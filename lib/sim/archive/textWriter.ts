import assert from 'node:assert/strict'
import { formatScaled } from '../../decimal.ts'

/** How an integer column is written: value × unit with `decimals` digits after the point, then `zeros` more zeros. */
export type NumberFormat = { readonly unit: number; readonly decimals: number; readonly zeros: number }

const powers = Array.from({ length: 17 }, (_, i) => Number(`1e${i}`))
/** '00', '01', … '99' in ASCII. */
const pairs = Uint8Array.from(
  { length: 200 },
  (_, i) => 48 + (i % 2 === 0 ? Math.floor(i / 20) : Math.floor(i / 2) % 10),
)

/** Builds ASCII text in one growing buffer. Numbers are written digit by digit from integers: no float is printed. */
export type TextWriter = {
  byte(code: number): void
  text(ascii: string): void
  int(value: number): void
  number(value: number, format: NumberFormat): void
  /** The text so far, valid until the next write; the writer starts anew. */
  take(): Uint8Array
}

export function createTextWriter(): TextWriter {
  let buffer = new Uint8Array(1 << 18)
  let at = 0

  const reserve = (bytes: number): void => {
    if (at + bytes <= buffer.length) return
    const bigger = new Uint8Array(buffer.length * 2 + bytes)
    bigger.set(buffer.subarray(0, at))
    buffer = bigger
  }

  /** Digits of a non-negative integer, at least `decimals` + 1 of them, with the point put in. */
  const digits = (value: number, decimals: number): void => {
    const out = buffer
    let width = 1
    if (value < 1e9) {
      const low = value | 0
      while (width < 9 && low >= powers[width]!) width++
    } else {
      width = 10
      while (value >= powers[width]!) width++
    }
    if (width <= decimals) width = decimals + 1
    const start = at
    let end = start + width
    // The digits are written in one run; then the whole part moves down over the place kept for the point.
    if (decimals > 0) end++
    at = end
    const whole = width - decimals
    let left = width
    let position = end
    let low = 0
    if (value >= 1e9) {
      // Integer arithmetic is for 32 bits: the low eight digits go first.
      const high = Math.floor(value / 1e8)
      low = (value - high * 1e8) | 0
      for (let i = 0; i < 4; i++) {
        const rest = (low / 100) | 0
        const two = (low - rest * 100) * 2
        out[--position] = pairs[two + 1]!
        out[--position] = pairs[two]!
        low = rest
      }
      left -= 8
      if (high >= 2147483648) {
        const top = Math.floor(high / 1e4)
        low = (high - top * 1e4) | 0
        for (let i = 0; i < 4; i++) {
          const rest = (low / 10) | 0
          out[--position] = 48 + low - rest * 10
          low = rest
        }
        left -= 4
        low = top | 0
      } else {
        low = high | 0
      }
    } else {
      low = value | 0
    }
    for (; left >= 2; left -= 2) {
      const rest = (low / 100) | 0
      const two = (low - rest * 100) * 2
      out[--position] = pairs[two + 1]!
      out[--position] = pairs[two]!
      low = rest
    }
    if (left === 1) out[--position] = 48 + low
    if (decimals > 0) {
      for (let i = start; i < start + whole; i++) out[i] = out[i + 1]!
      out[start + whole] = 46
    }
  }

  return {
    byte(code) {
      reserve(1)
      buffer[at++] = code
    },
    text(ascii) {
      reserve(ascii.length)
      for (let i = 0; i < ascii.length; i++) buffer[at++] = ascii.charCodeAt(i)
    },
    int(value) {
      assert.ok(value >= 0 && value <= Number.MAX_SAFE_INTEGER, 'the number is exact')
      reserve(24)
      digits(value, 0)
    },
    number(value, { unit, decimals, zeros }) {
      reserve(48)
      let scaled = value * unit
      assert.ok(scaled <= Number.MAX_SAFE_INTEGER && scaled >= -Number.MAX_SAFE_INTEGER, 'the number is exact')
      if (scaled < 0) {
        buffer[at++] = 45
        scaled = -scaled
      }
      digits(scaled, decimals)
      if (zeros > 0 && decimals === 0) buffer[at++] = 46
      for (let i = 0; i < zeros; i++) buffer[at++] = 48
    },
    take() {
      const text = buffer.subarray(0, at)
      at = 0
      return text
    },
  }
}

/** The format of a grid: counts of `unit` × 10^-decimals, shown with at least `shown` decimals. A unit that is a
 *  power of ten becomes trailing zeros, so that large sums need not leave the exact integers. */
export function gridFormat(unit: number, decimals: number, shown = decimals): NumberFormat {
  let zeros = Math.max(0, shown - decimals)
  while (unit % 10 === 0 && decimals > 0) {
    unit /= 10
    decimals--
    zeros++
  }
  return { unit, decimals, zeros }
}

/** The same text as `TextWriter.number` writes. */
export function formatNumber(value: number, { unit, decimals, zeros }: NumberFormat): string {
  const text = formatScaled(value * unit, decimals)
  return zeros === 0 ? text : `${text}${decimals === 0 ? '.' : ''}${'0'.repeat(zeros)}`
}
