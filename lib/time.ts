import assert from 'node:assert/strict'

/** UTC epoch milliseconds, an integer. Every instant in the program is one; a local time zone exists nowhere. */
export type TsMs = number

const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** Bar lengths as the venues spell them. Case matters: `1m` is a minute, `1M` a month. */
export const intervals = [
  '1s',
  '1m',
  '3m',
  '5m',
  '15m',
  '30m',
  '1h',
  '2h',
  '4h',
  '6h',
  '8h',
  '12h',
  '1d',
  '3d',
  '1w',
  '1M',
] as const
export type Interval = (typeof intervals)[number]

export const isInterval = (text: string): text is Interval => (intervals as readonly string[]).includes(text)

const unitMs = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS } as const

/** Length of a bar, for every interval but the month, which has none. */
export function intervalMs(interval: Exclude<Interval, '1M'>): number {
  const unit = interval.at(-1) as keyof typeof unitMs
  return Number(interval.slice(0, -1)) * unitMs[unit]
}

/** The largest multiple of `stepMs` (counted from the epoch) at or before `tsMs`. */
export function floorTo(tsMs: TsMs, stepMs: number): TsMs {
  return Math.floor(tsMs / stepMs) * stepMs
}

/** The smallest multiple of `stepMs` at or after `tsMs`. */
export function ceilTo(tsMs: TsMs, stepMs: number): TsMs {
  return Math.ceil(tsMs / stepMs) * stepMs
}

// 1970-01-05 was the first Monday: weekly bars open on Mondays, while the epoch is a Thursday.
const FIRST_MONDAY_MS = 4 * DAY_MS

/** Open time of the bar that contains `tsMs`. */
export function openOf(tsMs: TsMs, interval: Interval): TsMs {
  if (interval === '1M') return monthStart(monthOf(tsMs))
  if (interval === '1w') return floorTo(tsMs - FIRST_MONDAY_MS, 7 * DAY_MS) + FIRST_MONDAY_MS
  return floorTo(tsMs, intervalMs(interval))
}

/** Open time of the bar after the one that opens at `openTsMs`. */
export function nextOpen(openTsMs: TsMs, interval: Interval): TsMs {
  if (interval === '1M') return monthStart(nextMonth(monthOf(openTsMs)))
  return openTsMs + intervalMs(interval)
}

/** `YYYY-MM-DD`, a UTC day. */
export type Day = string
/** `YYYY-MM`, a UTC month. */
export type Month = string

/** Days since the epoch of a civil date in the proleptic Gregorian calendar. The month may run past 12. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = year + Math.floor((month - 1) / 12) - ((((month - 1) % 12) + 12) % 12 < 2 ? 1 : 0)
  const m = ((((month - 1) % 12) + 12) % 12) + 1
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146097 + dayOfEra - 719468
}

type Civil = { year: number; month: number; day: number }

function civilFromDays(days: number): Civil {
  const z = days + 719468
  const era = Math.floor(z / 146097)
  const dayOfEra = z - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const mp = Math.floor((5 * dayOfYear + 2) / 153)
  const month = mp < 10 ? mp + 3 : mp - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * mp + 2) / 5) + 1,
  }
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0')

export function dayOf(tsMs: TsMs): Day {
  const { year, month, day } = civilFromDays(Math.floor(tsMs / DAY_MS))
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
}

export function monthOf(tsMs: TsMs): Month {
  const { year, month } = civilFromDays(Math.floor(tsMs / DAY_MS))
  return `${pad(year, 4)}-${pad(month, 2)}`
}

const dayPattern = /^(\d{4})-(\d{2})-(\d{2})$/
const monthPattern = /^(\d{4})-(\d{2})$/

/** True for a day that exists: `2024-02-30` does not. */
export function isDay(text: string): boolean {
  const match = dayPattern.exec(text)
  if (match === null) return false
  const days = daysFromCivil(Number(match[1]), Number(match[2]), Number(match[3]))
  return dayOf(days * DAY_MS) === text
}

export function isMonth(text: string): boolean {
  const month = Number(monthPattern.exec(text)?.[2] ?? 0)
  return month >= 1 && month <= 12
}

/** First instant of a day. */
export function dayStart(day: Day): TsMs {
  assert.ok(isDay(day), `not a day: ${day}`)
  return daysFromCivil(Number(day.slice(0, 4)), Number(day.slice(5, 7)), Number(day.slice(8, 10))) * DAY_MS
}

/** First instant of a month. */
export function monthStart(month: Month): TsMs {
  assert.ok(isMonth(month), `not a month: ${month}`)
  return daysFromCivil(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 1) * DAY_MS
}

export function nextMonth(month: Month): Month {
  return monthOf(monthStart(month) + 31 * DAY_MS)
}

export function nextDay(day: Day): Day {
  return dayOf(dayStart(day) + DAY_MS)
}

/** Every day that has an instant in [fromTsMs, toTsMs). */
export function daysBetween(fromTsMs: TsMs, toTsMs: TsMs): Day[] {
  const days: Day[] = []
  if (fromTsMs >= toTsMs) return days
  for (let tsMs = floorTo(fromTsMs, DAY_MS); tsMs < toTsMs; tsMs += DAY_MS) days.push(dayOf(tsMs))
  return days
}

/** Every month that has an instant in [fromTsMs, toTsMs). */
export function monthsBetween(fromTsMs: TsMs, toTsMs: TsMs): Month[] {
  const months: Month[] = []
  if (fromTsMs >= toTsMs) return months
  for (let month = monthOf(fromTsMs); monthStart(month) < toTsMs; month = nextMonth(month)) months.push(month)
  return months
}

/** `YYYY-MM-DDTHH:MM:SS.mmmZ` */
export function formatUtc(tsMs: TsMs): string {
  const ms = tsMs - floorTo(tsMs, DAY_MS)
  const clock = [HOUR_MS, MINUTE_MS, SECOND_MS].map((unit, i) => pad(Math.floor(ms / unit) % (i === 0 ? 24 : 60), 2))
  return `${dayOf(tsMs)}T${clock.join(':')}.${pad(ms % 1000, 3)}Z`
}

const utcPattern = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(Z|\+00:00)?)?$/

/** The instant a text names, or undefined. A date alone is its first instant; an offset other than UTC is refused. */
export function parseUtc(text: string): TsMs | undefined {
  const match = utcPattern.exec(text)
  if (match === null || !isDay(match[1]!)) return undefined
  const [hours, minutes, seconds] = [match[2], match[3], match[4]].map((part) => Number(part ?? 0))
  if (hours! > 23 || minutes! > 59 || seconds! > 59) return undefined
  const ms = Number((match[5] ?? '').padEnd(3, '0'))
  return dayStart(match[1]!) + hours! * HOUR_MS + minutes! * MINUTE_MS + seconds! * SECOND_MS + ms
}
