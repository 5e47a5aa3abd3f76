/** Numbers as people read them and write them: sizes, durations, rates, counts, instants. Used by every view and flag,
 *  so that one quantity never has two spellings. */
import { Fault } from '../../lib/fault.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Powers of 1024, three significant digits: `0 B`, `1023 B`, `1.00 KiB`, `12.3 MiB`. */
export function sizeText(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${Math.round(sizeBytes)} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = sizeBytes / 1024
  let unit = 0
  // 1023.9 would be printed as 1024: the next unit says it better.
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${threeDigits(value)} ${units[unit]}`
}

/** Two units at most: `<1 ms`, `12 ms`, `1.23 s`, `59.9 s`, `2m 05s`, `1h 02m`, `3d 04h`. */
export function durationText(durationMs: number): string {
  if (durationMs < 0) return `-${durationText(-durationMs)}`
  if (durationMs === 0) return '0 ms'
  if (durationMs < 1) return '<1 ms'
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`
  if (durationMs < 59_950) return `${threeDigits(durationMs / secondMs)} s`
  const seconds = Math.round(durationMs / secondMs)
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`
  const minutes = Math.round(durationMs / minuteMs)
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`
  const hours = Math.round(durationMs / hourMs)
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`
}

/** A range such as `1.2 s to 3.4 s`; one value where both read the same. */
export function durationRangeText(lowMs: number, highMs: number): string {
  const low = durationText(lowMs)
  const high = durationText(highMs)
  return low === high ? low : `${low} to ${high}`
}

/** `12.3 MiB/s`. Nothing was measured when no time has passed, and a rate would be a lie. */
export function byteRateText(sizeBytes: number, elapsedMs: number): string {
  return elapsedMs <= 0 ? '- B/s' : `${sizeText((sizeBytes / elapsedMs) * secondMs)}/s`
}

/** `123/s`, `1.20/s`, `3.0/min`. */
export function countRateText(count: number, elapsedMs: number): string {
  if (elapsedMs <= 0) return '-/s'
  const perSecond = (count / elapsedMs) * secondMs
  if (perSecond >= 1 || perSecond === 0) return `${threeDigits(perSecond)}/s`
  return `${(perSecond * 60).toFixed(1)}/min`
}

/** `12,345`: grouped the same under every locale. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** `1 node`, `12,345 nodes`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`
}

/** `42 %`. 0 and 100 only where it is all or nothing: 99.9 % is not done. */
export function percentText(part: number, whole: number): string {
  if (whole <= 0) return '100 %'
  const percent = (part / whole) * 100
  if (part > 0 && percent < 1) return '1 %'
  if (part < whole && percent > 99) return '99 %'
  if (part > whole) return '100 %'
  return `${Math.round(percent)} %`
}

/** `2024-03-01 12:00:05Z`, UTC always. */
export function instantText(tsMs: number): string {
  const text = new Date(tsMs).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 19)}Z`
}

/** `3d 04h ago`, `just now`. */
export function ageText(tsMs: number, nowMs: number): string {
  const ageMs = nowMs - tsMs
  return ageMs < secondMs ? 'just now' : `${durationText(ageMs)} ago`
}

/** The first 12 hex digits: enough for a person, and `pipe show` takes them. */
export const shortId = (digest: string): string => digest.slice(0, 12)

const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1e6,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1e9,
  t: 1024 ** 4,
  tib: 1024 ** 4,
  tb: 1e12,
  pib: 1024 ** 5,
  pb: 1e15,
}

/** `10GiB`, `500 MB`, `1.5g`, `4096`: bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const unit = match?.[2] ? sizeUnits[match[2].toLowerCase()] : 1
  if (!match || unit === undefined) throw unreadable('size', text, '"10GiB", "500MB" or a number of bytes')
  return Math.round(Number(match[1]) * unit)
}

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: secondMs,
  m: minuteMs,
  min: minuteMs,
  h: hourMs,
  d: dayMs,
  w: 7 * dayMs,
}

/** `30d`, `12h`, `1h30m`, `250ms`: milliseconds. A bare number has no unit and is refused. */
export function parseDuration(text: string): number {
  const compact = text.replace(/\s+/g, '')
  if (!/^(\d+(\.\d+)?(ms|s|min|m|h|d|w))+$/.test(compact)) throw unreadable('duration', text, '"30d", "12h" or "1h30m"')
  let totalMs = 0
  for (const [, amount, unit] of compact.matchAll(/(\d+(?:\.\d+)?)(ms|s|min|m|h|d|w)/g)) {
    totalMs += Number(amount) * durationUnits[unit!]!
  }
  return totalMs
}

/** `5%`, `0.05`: a share between 0 (excluded) and 1. */
export function parseShare(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text.trim())
  const share = match ? Number(match[1]) / (match[2] ? 100 : 1) : Number.NaN
  if (!(share > 0 && share <= 1)) throw unreadable('share', text, '"5%" or "0.05", above 0 and at most 100%')
  return share
}

function unreadable(quantity: string, text: string, example: string): Fault {
  return new Fault({ code: 'usage', what: `"${text}" is not a ${quantity}`, todo: `write ${example}` })
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2)
  if (value < 99.95) return value.toFixed(1)
  return value.toFixed(0)
}

const two = (value: number): string => String(value).padStart(2, '0')
