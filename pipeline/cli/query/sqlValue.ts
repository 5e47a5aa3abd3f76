import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBUnionValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import { formatScaled } from '../../../lib/decimal.ts'

/** How values leave a query. No digit is lost: a decimal is text, and so is an integer that a double would round. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }

export function jsonOf(value: DuckDBValue, type: DuckDBType): JsonValue {
  if (type.alias === 'JSON' && typeof value === 'string' && !/\d{16}/.test(value)) return JSON.parse(value) as JsonValue
  return plainOf(value)
}

function plainOf(value: DuckDBValue): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') {
    const small = Number(value)
    return Number.isSafeInteger(small) ? small : String(value)
  }
  if (value instanceof DuckDBDecimalValue) return formatScaled(value.value, value.scale)
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(plainOf)
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, part]) => [name, plainOf(part)]))
  }
  if (value instanceof DuckDBMapValue) {
    return value.entries.map((entry) => ({ key: plainOf(entry.key), value: plainOf(entry.value) }))
  }
  if (value instanceof DuckDBUnionValue) return plainOf(value.value)
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex')
  return instantOf(value) ?? String(value)
}

/** As people write it, for tables and CSV. A missing value is `undefined`: each format has its own word for it. */
export function cellOf(value: DuckDBValue): string | undefined {
  if (value === null) return undefined
  if (Object.is(value, -0)) return '-0'
  const plain = typeof value === 'bigint' ? String(value) : plainOf(value)
  return typeof plain === 'object' ? JSON.stringify(plain) : String(plain)
}

/** 2024-01-01T00:00:00.000Z, with more digits only where they say something; no Z where the value has no zone. */
function instantOf(value: unknown): string | undefined {
  if (value instanceof DuckDBTimestampTZValue) return isoOf(value.micros, 6, 'Z') ?? String(value)
  if (value instanceof DuckDBTimestampValue) return isoOf(value.micros, 6, '') ?? String(value)
  if (value instanceof DuckDBTimestampMillisecondsValue) return isoOf(value.millis, 3, '') ?? String(value)
  if (value instanceof DuckDBTimestampSecondsValue) return isoOf(value.seconds, 0, '') ?? String(value)
  if (value instanceof DuckDBTimestampNanosecondsValue) return isoOf(value.nanos, 9, '') ?? String(value)
  if (value instanceof DuckDBDateValue) return String(value)
  return undefined
}

/** Nothing far outside a calendar's range, infinities among it. */
function isoOf(units: bigint, digits: number, zone: string): string | undefined {
  const [seconds, rest] = splitSeconds(units, digits)
  const ms = seconds * 1000
  if (Math.abs(ms) > 8.64e15 - 1000) return undefined
  const fraction = String(rest).padStart(digits, '0').slice(0, digits).padEnd(3, '0')
  const shown = digits <= 3 ? fraction : fraction.slice(0, 3) + fraction.slice(3).replace(/0+$/, '')
  return `${new Date(ms).toISOString().slice(0, -4)}${shown}${zone}`
}

/** Whole seconds, and what is left of the last one. Big integers are slow, and only needed far from today. */
function splitSeconds(units: bigint, digits: number): [seconds: number, rest: number] {
  const near = Number(units)
  if (Number.isSafeInteger(near)) {
    const perSecond = Number(`1e${digits}`)
    const seconds = Math.floor(near / perSecond)
    return [seconds, near - seconds * perSecond]
  }
  const perSecond = 10n ** BigInt(digits)
  const rest = ((units % perSecond) + perSecond) % perSecond
  return [Number((units - rest) / perSecond), Number(rest)]
}
