import { z } from 'zod'
import { Fault } from '../fault.ts'

/** A span of time as people write it: '15m', '4h', '1d'. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const pattern = /^([1-9]\d{0,6})([smhd])$/
const todo = 'write a whole number and a unit: 30s, 15m, 4h or 1d'

export const isDuration = (text: string): text is Duration => pattern.test(text)

/** For the params of a strategy: a lookback in time means the same on bars of a minute and of an hour. */
export const duration = z.custom<Duration>((value) => typeof value === 'string' && isDuration(value), {
  error: ({ input }) => `${JSON.stringify(input)} is not a duration: ${todo}`,
})

export function durationMs(text: string, where?: string): number {
  const match = pattern.exec(text)
  if (match === null) throw new Fault({ code: 'usage', what: `"${text}" is not a duration`, where, todo })
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]
}
