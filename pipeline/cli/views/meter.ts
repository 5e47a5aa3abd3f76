import type { Context } from '../context.ts'
import { byteRateText, durationText, percentText, sizeText } from '../human.ts'
import { cutText } from '../textWidth.ts'

const intervalMs = 100

/** One line that is rewritten while bytes go by, for work that is no run. Nothing where nobody watches. */
export interface Meter {
  update(doneBytes: number, totalBytes?: number): void
  close(): void
}

export function meter(context: Context, verb: string): Meter {
  const { terminal, out } = context
  if (!terminal || out.quiet || out.json) return { update() {}, close() {} }
  const startedMs = context.nowMs()
  let lastMs = 0
  let drawn = false
  return {
    update(doneBytes, totalBytes) {
      const nowMs = context.nowMs()
      if (nowMs - lastMs < intervalMs) return
      lastMs = nowMs
      const elapsedMs = nowMs - startedMs
      const share = totalBytes === undefined ? '' : ` of ${sizeText(totalBytes)}, ${percentText(doneBytes, totalBytes)}`
      const left =
        totalBytes === undefined || doneBytes === 0
          ? ''
          : `, about ${durationText((elapsedMs / doneBytes) * (totalBytes - doneBytes))} left`
      const line = `${verb} ${sizeText(doneBytes)}${share}, ${byteRateText(doneBytes, elapsedMs)}${left}`
      terminal.write(`\r${cutText(line, terminal.columns - 1)}\x1b[K`)
      drawn = true
    },
    close() {
      if (drawn) terminal.write('\r\x1b[K')
      drawn = false
    },
  }
}
