/** A time in the future means that a clock was wrong once, here or there: nothing is concluded from it. */
export function isYoung(mtimeMs: number, options: { graceMs: number; nowMs: number }): boolean {
  return options.nowMs - mtimeMs < options.graceMs
}
