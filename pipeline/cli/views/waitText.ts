import type { SourceWait } from '../../engine/task.ts'
import { durationText } from '../human.ts'

/** `for fapi.test after 503`: what several nodes may wait for together. */
export const waitCause = ({ on, after }: SourceWait): string => `for ${on} after ${after}`

/** `8.00 s for fapi.test after 503, try 3 of 8`. */
export function waitText(wait: SourceWait, leftMs: number = wait.waitMs): string {
  return `${durationText(leftMs)} ${waitCause(wait)}${nextTry(wait)}`
}

/** `, try 3 of 8` */
export function nextTry({ attempt, attemptsMax }: SourceWait): string {
  if (attempt === undefined) return ''
  return attemptsMax === undefined ? `, try ${attempt}` : `, try ${attempt} of ${attemptsMax}`
}
