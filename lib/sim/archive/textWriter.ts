import assert from 'node:assert/strict'
import { formatScaled } from '../../decimal.ts'
import { NUMBER_BYTES_MOST, type NumberFormat, putInt, putNumber } from './digits.ts'
import type { TextPiece } from './textPiece.ts'

/** Builds ASCII text in one growing buffer. Numbers are written digit by digit from integers: no float is printed. */
export type TextWriter = {
  byte(code: number): void
  text(ascii: string): void
  int(value: number): void
  number(value: number, format: NumberFormat): void
  /** The text so far, valid until the next write; the writer starts anew. */
  take(): TextPiece
  /** For who writes thousands of numbers: room to write into, to be given back with `wrote`. */
  room(bytes: number, echoes: number): TextRoom
  wrote(room: TextRoom): void
}

/** Where text and its echoes may be written, from `at` and from `echoCount` on. */
export type TextRoom = { readonly view: DataView; at: number; readonly echoes: Int32Array; echoCount: number }

export function createTextWriter(): TextWriter {
  let view = new DataView(new ArrayBuffer(1 << 18))
  let at = 0
  let echoes = new Int32Array(0)
  let echoCount = 0

  const reserve = (bytes: number): void => {
    if (at + bytes <= view.byteLength) return
    const bigger = new Uint8Array(view.byteLength * 2 + bytes)
    bigger.set(new Uint8Array(view.buffer, 0, at))
    view = new DataView(bigger.buffer)
  }

  return {
    byte(code) {
      reserve(1)
      view.setUint8(at++, code)
    },
    text(ascii) {
      reserve(ascii.length)
      for (let i = 0; i < ascii.length; i++) view.setUint8(at++, ascii.charCodeAt(i))
    },
    int(value) {
      assert.ok(value >= 0 && value <= Number.MAX_SAFE_INTEGER, 'the number is exact')
      reserve(NUMBER_BYTES_MOST)
      at = putInt(view, at, value)
    },
    number(value, format) {
      reserve(NUMBER_BYTES_MOST)
      at = putNumber(view, at, value, format)
    },
    take() {
      const bytes = new Uint8Array(view.buffer, 0, at)
      const piece = echoCount === 0 ? { bytes } : { bytes, echoes: echoes.subarray(0, echoCount) }
      at = echoCount = 0
      return piece
    },
    room(bytes, moreEchoes) {
      reserve(bytes)
      if (echoCount + moreEchoes > echoes.length) {
        const more = new Int32Array(2 * (echoCount + moreEchoes))
        more.set(echoes.subarray(0, echoCount))
        echoes = more
      }
      return { view, at, echoes, echoCount }
    },
    wrote(room) {
      at = room.at
      echoCount = room.echoCount
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
