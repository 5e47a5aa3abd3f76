import { formatUtc } from '../time.ts'

/** Numbers as people read them. The same digits on every machine: no locale is asked. A value that does not exist
 *  (null, NaN) is a dash. */
type Value = number | null | undefined

const none = '–'
const exists = (value: Value): value is number => typeof value === 'number' && Number.isFinite(value)

/** With a real minus sign, and none before a zero. */
function fixed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits)
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text
}

const grouped = (text: string): string => text.replace(/\B(?=(\d{3})+(?!\d))/g, ',')

export const percent = (value: Value, digits = 1): string => (exists(value) ? `${fixed(value * 100, digits)}%` : none)

export const signedPercent = (value: Value, digits = 1): string => signed(value, percent(value, digits))

export const ratio = (value: Value, digits = 2): string => (exists(value) ? fixed(value, digits) : none)

export const usdt = (value: Value, digits = 0): string => {
  if (!exists(value)) return none
  const [whole, rest] = fixed(value, digits).split('.')
  return rest === undefined ? grouped(whole!) : `${grouped(whole!)}.${rest}`
}

export const signedUsdt = (value: Value, digits = 0): string => signed(value, usdt(value, digits))

export const count = (value: number): string => grouped(String(value))

/** 1,234,567 as 1.23M: for axes and tiles, where a digit more tells nothing. */
export function short(value: Value): string {
  if (!exists(value)) return none
  const size = Math.abs(value)
  if (size >= 1e9) return `${fixed(value / 1e9, 2)}B`
  if (size >= 1e6) return `${fixed(value / 1e6, 2)}M`
  if (size >= 1e4) return `${fixed(value / 1e3, 1)}k`
  return usdt(value)
}

/** `2024-03-01 04:00` */
export const instant = (tsMs: number): string => formatUtc(tsMs).slice(0, 16).replace('T', ' ')

/** Which colour a number takes, by its sign as shown. */
export const tone = (value: Value): string => (!exists(value) || value === 0 ? '' : value > 0 ? 'up' : 'down')

const signed = (value: Value, text: string): string =>
  exists(value) && value > 0 && /[1-9]/.test(text) ? `+${text}` : text
