import { type Column, isDecimal } from '../tables/schema.ts'
import { type CellReading, readCell } from './cell.ts'

/** A field as the kernel sees it: a code to branch on, and the array its values go to. */
export type KernelField = {
  readonly code: number
  readonly column: Column | undefined
  readonly signed: boolean
  /** Whether the fast reader takes a minus sign; the strict one takes it wherever it is sound. */
  readonly mayBeNegative: boolean
  readonly scale: number
  /** Scaled integers at or above this are left to the strict reader. */
  readonly limit: number
  readonly header: string
}

/** A wide decimal is read like any other; what is above its lower half comes from the strict reader alone. */
export const codes = {
  decimal: 0,
  wide: 0,
  i64: 1,
  i32: 2,
  tsMs: 3,
  tsUs: 4,
  bool: 5,
  utf8: 6,
  f64: 7,
  skip: 8,
} as const

/** Where the kernel stands and what it fills. The arrays have one entry for each field; only one of them is used. */
export type KernelState = {
  readonly fields: readonly KernelField[]
  /** Room for this many rows. */
  readonly capacity: number
  readonly words: Int32Array[]
  /** The upper parts of wide decimals, zero where the fast reader read. */
  readonly high: (Int32Array | undefined)[]
  readonly doubles: Float64Array[]
  readonly bytes: Uint8Array[]
  readonly texts: string[][]
  readonly valid: (Uint8Array | undefined)[]
  /** How many rows of a time field were in microseconds, and the last row that was. */
  readonly microRows: Int32Array
  readonly lastMicroRow: Int32Array
  /** Where the text that a field held last stands in the input. */
  readonly textAt: Int32Array
  readonly textEnd: Int32Array
  readonly decoder: { decode(bytes: Uint8Array): string }
  row: number
  /** The start of the row being read. */
  rowAt: number
  carriageReturns: boolean
}

/** Thrown where a line is unsound; the caller knows the file and the line. */
export class BadField extends Error {
  readonly at: number
  readonly field: number
  readonly text: string

  constructor(why: string, at: number, field: number, text: string) {
    super(why)
    this.at = at
    this.field = field
    this.text = text
  }
}

const comma = 44
const lineFeed = 10
const carriageReturn = 13
const minus = 45
const point = 46
const largestSafe = 9007199254740991
const powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18]

/**
 * Reads whole lines from `from` up to `to` until the rows are full, and returns where it stopped. Lines end at `to` at
 * the latest, and four more bytes can be read behind it.
 *
 * Digits are taken four at a time: a word of text minus '0000' has a high bit at the first byte that is no digit, and
 * two multiplications turn the bytes before it into their number. Everything is in one function because calls that hand
 * back both a value and a position cost as much as the parsing.
 */
export function readRows(state: KernelState, input: Uint8Array, from: number, to: number): number {
  const { fields, words, doubles, bytes, texts, valid, capacity } = state
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const last = fields.length - 1
  const anyNullable = valid.some((flags) => flags !== undefined)
  state.textEnd.fill(-1)
  let at = from
  let row = state.row
  while (at < to && row < capacity) {
    state.rowAt = at
    state.row = row
    for (let index = 0; index <= last; index++) {
      const field = fields[index]!
      const code = field.code
      const start = at
      let sound = false
      if (code <= codes.tsUs) {
        const isNegative = field.mayBeNegative && input[at] === minus
        if (isNegative) at++
        const digitsAt = at
        let value = 0
        let x = view.getInt32(at, true) ^ 0x30303030
        let mark = ((x + 0x76767676) | x) & 0x80808080
        while (mark === 0) {
          const pairs = Math.imul(x, 10) + (x >>> 8)
          value = value * 10000 + ((pairs & 255) * 100 + ((pairs >>> 16) & 255))
          at += 4
          x = view.getInt32(at, true) ^ 0x30303030
          mark = ((x + 0x76767676) | x) & 0x80808080
        }
        // Zero to three digits are left. Their number is found by branches, which the processor foresees, and not by
        // counting bits, which the next field would have to wait for.
        const d0 = x & 255
        if (d0 < 10) {
          const d1 = (x >>> 8) & 255
          const d2 = (x >>> 16) & 255
          if (d1 > 9) {
            value = value * 10 + d0
            at += 1
          } else if (d2 > 9) {
            value = value * 100 + (d0 * 10 + d1)
            at += 2
          } else {
            value = value * 1000 + (d0 * 100 + d1 * 10 + d2)
            at += 3
          }
        }
        // A number too long for a double has come out at 2^53 or above, which every limit below refuses.
        sound = at > digitsAt
        if (code === codes.decimal) {
          const scale = field.scale
          value *= powers[scale]!
          if (input[at] === point) {
            const fractionAt = ++at
            let fraction = 0
            x = view.getInt32(at, true) ^ 0x30303030
            mark = ((x + 0x76767676) | x) & 0x80808080
            while (mark === 0) {
              const pairs = Math.imul(x, 10) + (x >>> 8)
              fraction = fraction * 10000 + ((pairs & 255) * 100 + ((pairs >>> 16) & 255))
              at += 4
              x = view.getInt32(at, true) ^ 0x30303030
              mark = ((x + 0x76767676) | x) & 0x80808080
            }
            const d0 = x & 255
            if (d0 < 10) {
              const d1 = (x >>> 8) & 255
              const d2 = (x >>> 16) & 255
              if (d1 > 9) {
                fraction = fraction * 10 + d0
                at += 1
              } else if (d2 > 9) {
                fraction = fraction * 100 + (d0 * 10 + d1)
                at += 2
              } else {
                fraction = fraction * 1000 + (d0 * 100 + d1 * 10 + d2)
                at += 3
              }
            }
            const fractionDigits = at - fractionAt
            sound = sound && fractionDigits > 0 && fractionDigits <= scale && fractionDigits <= 15
            if (sound) value += fraction * powers[scale - fractionDigits]!
          }
          sound = sound && value < field.limit
          if (isNegative) value = -value
        } else if (code === codes.tsMs) {
          sound = sound && value >= 1e11 && value < 1e14
        } else if (code === codes.tsUs) {
          sound = sound && value >= 1e14 && value <= largestSafe
          if (sound) {
            state.microRows[index]!++
            state.lastMicroRow[index] = row
          }
        } else {
          sound = sound && value < field.limit
        }
        if (sound) {
          if (code <= codes.i64) {
            const target = words[index]!
            target[2 * row] = value
            // Rounded down, as the upper half of a negative number is; what is stored is cut towards zero.
            target[2 * row + 1] = Math.floor(value * 2.3283064365386963e-10)
          } else if (code === codes.i32) words[index]![row] = value
          else doubles[index]![row] = value
        }
      } else if (code === codes.bool) {
        // 'true' and 'fals' as little-endian words, the first letter in lower case. Without a branch on the value,
        // because buyers and sellers follow each other like heads and tails.
        const word = view.getInt32(at, true) | 0x20
        const otherThanTrue = word ^ 0x65757274
        const otherThanFalse = (word ^ 0x736c6166) | (input[at + 4]! ^ 101)
        const isFalse = (otherThanTrue | -otherThanTrue) >>> 31
        sound = otherThanTrue === 0 || otherThanFalse === 0
        bytes[index]![row] = 1 - isFalse
        at += 4 + isFalse
      } else if (code === codes.utf8) {
        // A symbol mostly repeats the one above it, and then needs no new string.
        let before = state.textAt[index]!
        const beforeEnd = state.textEnd[index]!
        while (before < beforeEnd && input[at] === input[before]) {
          before++
          at++
        }
        sound = before === beforeEnd
        if (sound) texts[index]![row] = texts[index]![row - 1]!
        else at = start
      } else if (code === codes.skip) {
        let byte = input[at]!
        while (byte !== comma && byte !== lineFeed && byte !== carriageReturn) byte = input[++at]!
        sound = true
      }

      if (sound) {
        const end = input[at]
        if (index < last ? end === comma : end === lineFeed) {
          at++
          if (anyNullable) markValid(valid[index], row)
          continue
        }
        if (index === last && end === carriageReturn && input[at + 1] === lineFeed) {
          state.carriageReturns = true
          at += 2
          if (anyNullable) markValid(valid[index], row)
          continue
        }
      }
      at = readStrictly(state, input, start, index, row)
    }
    row++
  }
  state.row = row
  return at
}

function markValid(flags: Uint8Array | undefined, row: number): void {
  if (flags !== undefined) flags[row] = 1
}

/** Reads one field the careful way, stores it and returns where the next one starts. */
function readStrictly(state: KernelState, input: Uint8Array, start: number, index: number, row: number): number {
  let end = start
  while (input[end] !== comma && input[end] !== lineFeed) end++
  const isLast = index === state.fields.length - 1
  const next = end + 1
  if (input[end] === lineFeed && end > start && input[end - 1] === carriageReturn) {
    state.carriageReturns = true
    end--
  }
  const text = decodeText(state, input, start, end, index)
  const endsLine = input[next - 1] === lineFeed
  if (!endsLine && isLast) throw new BadField(`the line has more than ${index + 1} fields`, start, -1, text)
  if (endsLine && !isLast) {
    if (index === 0 && text === '') throw new BadField('the line is empty', start, -1, text)
    throw new BadField(`the line has ${index + 1} of ${state.fields.length} fields`, start, -1, text)
  }
  const { column, signed } = state.fields[index]!
  if (column === undefined) return next
  store(state, readCell(text, column, signed), column, index, row, start, text)
  if (column.kind === 'utf8' && !column.nullable) {
    state.textAt[index] = start
    state.textEnd[index] = end
  }
  return next
}

function decodeText(state: KernelState, input: Uint8Array, start: number, end: number, index: number): string {
  try {
    return state.decoder.decode(input.subarray(start, end))
  } catch {
    const header = state.fields[index]!.header
    throw new BadField('is not UTF-8', start, index, `(${end - start} bytes of ${header})`)
  }
}

function store(
  state: KernelState,
  reading: CellReading,
  column: Column,
  index: number,
  row: number,
  at: number,
  text: string,
): void {
  if ('why' in reading) throw new BadField(reading.why, at, index, text)
  const { value, isMicros } = reading
  const flags = state.valid[index]
  if (flags !== undefined) flags[row] = value === null ? 0 : 1
  // The fast reader may have counted it already, before it met something it leaves to this one.
  if (isMicros && state.lastMicroRow[index] !== row) {
    state.microRows[index]!++
    state.lastMicroRow[index] = row
  }
  if (column.kind === 'utf8') state.texts[index]![row] = (value ?? '') as string
  else if (column.kind === 'bool') state.bytes[index]![row] = Number(value)
  else if (column.kind === 'i32') state.words[index]![row] = Number(value)
  else if (typeof value === 'bigint' || column.kind === 'i64' || isDecimal(column.kind)) {
    const units = BigInt(value ?? 0)
    state.words[index]![2 * row] = Number(BigInt.asIntN(32, units))
    state.words[index]![2 * row + 1] = Number(BigInt.asIntN(32, units >> 32n))
    const high = state.high[index]
    if (high !== undefined) high[row] = Number(units >> 64n)
  } else state.doubles[index]![row] = Number(value)
}
