import { setTimeout as pause } from 'node:timers/promises'

/** Local time and waiting. Tests hand in one that only pretends to wait. */
export type Clock = {
  nowMs(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    if (ms > 0) await pause(ms, undefined, signal === undefined ? {} : { signal })
  },
}
