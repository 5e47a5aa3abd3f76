import { nextPassMs } from './pace.ts'

/** What the watching loop needs of a pass. */
export interface WatchedPass {
  readonly failed: boolean
  /** Stopped before it was complete. */
  readonly interrupted: boolean
  readonly newsAtMs?: number | undefined
}

/** All of the outside world that the loop touches. */
export interface WatchTools<P extends WatchedPass> {
  readonly everyMs: number
  readonly stop: AbortSignal
  nowMs(): number
  /** In [0, 1), for jitter. */
  random(): number
  /** Resolves after so long, or at once when `stop` is aborted. Never rejects. */
  sleep(ms: number, stop: AbortSignal): Promise<void>
  pass(serial: number): Promise<P>
  report(pass: P, next: { readonly atMs: number | undefined; readonly failuresInARow: number }): void
}

/** A clock that jumps, as after a laptop's sleep, is noticed this soon. */
const stepMs = 60_000

/** Pass after pass until somebody asks to stop. Says whether the last pass was complete. */
export async function watch<P extends WatchedPass>(tools: WatchTools<P>): Promise<'complete' | 'interrupted'> {
  let failuresInARow = 0
  for (let serial = 1; !tools.stop.aborted; serial++) {
    const pass = await tools.pass(serial)
    failuresInARow = pass.failed ? failuresInARow + 1 : 0
    if (tools.stop.aborted) {
      tools.report(pass, { atMs: undefined, failuresInARow })
      return pass.interrupted ? 'interrupted' : 'complete'
    }
    const { everyMs } = tools
    const { newsAtMs } = pass
    const atMs = nextPassMs({ endedMs: tools.nowMs(), everyMs, failuresInARow, newsAtMs, random: tools.random() })
    tools.report(pass, { atMs, failuresInARow })
    while (!tools.stop.aborted) {
      const leftMs = atMs - tools.nowMs()
      if (leftMs <= 0) break
      await tools.sleep(Math.min(leftMs, stepMs), tools.stop)
    }
  }
  return 'complete'
}
