import type { Clock } from './clock.ts'

/** Beyond this a step backwards is a clock that was set, not a late answer. */
const setBackMs = 5_000

/** What a host's own clock shows at most how late. Limits and bans run on it, not on ours. */
export type ServerClock = {
  /** Never ahead of the host's clock, as far as its answers tell, and behind by less than a second and one way. */
  nowMs(): number
  /** Takes the `Date` header of an answer that has just arrived. */
  observe(date: string | undefined): number | undefined
}

export function createServerClock(clock: Clock): ServerClock {
  let offsetMs: number | undefined
  return {
    nowMs: () => clock.nowMs() + (offsetMs ?? 0),
    observe(date) {
      const serverMs = date === undefined ? Number.NaN : Date.parse(date)
      if (Number.isNaN(serverMs)) return undefined
      // The header is cut to the second and travelled for a while: each answer bounds the offset from below, and the
      // largest bound is the best.
      const bound = serverMs - clock.nowMs()
      if (offsetMs === undefined || bound > offsetMs || bound < offsetMs - setBackMs) offsetMs = bound
      return serverMs
    },
  }
}
