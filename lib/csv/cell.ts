import { parseScaledBig } from '../decimal.ts'
import { type Column, isDecimal } from '../tables/schema.ts'

/** What one cell says: a value in the column's own representation, `null` for an absent one, or why it is unsound. */
export type CellReading = { value: bigint | number | string | null; isMicros?: boolean } | { why: string }

/** No number is longer than this, however many zeros it is written with. */
const longestNumber = 64

const earliestMs = 1e11
const earliestUs = 1e14

/**
 * The strict reading of one cell, and the definition of what the fast one must agree with. The fast reader hands over
 * whatever is not plain digits: signs, exponents, more digits than a double holds, empty cells, rubbish.
 */
export function readCell(text: string, column: Column, signed: boolean): CellReading {
  const { kind } = column
  if (kind === 'utf8' && !(column.nullable && text === '')) return readText(text)
  if (text === '')
    return column.nullable ? { value: null } : kind === 'f64' ? { value: Number.NaN } : { why: 'is empty' }
  if (kind === 'bool') return readBool(text)
  if (text.length > longestNumber) return { why: `has ${text.length} characters, which no number needs` }
  if (kind === 'f64') return readDouble(text, signed)
  const scale = column.scale ?? 0
  const units = parseScaledBig(text, scale)
  if (units === undefined) {
    if (parseScaledBig(text, longestNumber * 20) === undefined) return { why: 'is not a number' }
    return { why: scale === 0 ? 'is not a whole number' : `has more than ${scale} digits behind the point` }
  }
  if (units < 0n && !signed) return { why: 'is negative' }
  if (kind === 'tsMs' || kind === 'tsUs') return readTime(units, kind)
  const limit = isDecimal(kind) ? 10n ** BigInt(column.precision!) : kind === 'i32' ? 2n ** 31n : 2n ** 63n
  // The most negative integer has no positive twin; a decimal's range is symmetric.
  const fits = units < limit && (isDecimal(kind) ? units > -limit : units >= -limit)
  if (!fits) return { why: `is too large for ${isDecimal(kind) ? `decimal(${column.precision},${scale})` : kind}` }
  return { value: kind === 'i32' ? Number(units) : units }
}

function readText(text: string): CellReading {
  if (text.includes('"')) return { why: 'is quoted, which no known venue does' }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return /[\0-\x1f]/.test(text) ? { why: 'holds a control character' } : { value: text }
}

function readBool(text: string): CellReading {
  if (text === 'true' || text === 'True') return { value: 1 }
  if (text === 'false' || text === 'False') return { value: 0 }
  return { why: 'is neither true nor false' }
}

function readDouble(text: string, signed: boolean): CellReading {
  const value = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(value)) return { why: 'is not a number' }
  if (!Number.isFinite(value)) return { why: 'is too large for a double' }
  return value < 0 && !signed ? { why: 'is negative' } : { value }
}

function readTime(units: bigint, kind: 'tsMs' | 'tsUs'): CellReading {
  const value = Number(units)
  if (!Number.isSafeInteger(value) || value < earliestMs) {
    return { why: 'is neither a time in milliseconds nor one in microseconds' }
  }
  const isMicros = value >= earliestUs
  if (kind === 'tsUs') return { value: isMicros ? value : value * 1000, isMicros }
  if (!isMicros) return { value, isMicros }
  const ms = Math.floor(value / 1000)
  const micros = value - ms * 1000
  // Closing times end in 999 or 999999: the last instant of the bar in either unit. Anything else would be cut off.
  if (micros !== 0 && micros !== 999) return { why: 'is in microseconds, and the column keeps only milliseconds' }
  return { value: ms, isMicros }
}
