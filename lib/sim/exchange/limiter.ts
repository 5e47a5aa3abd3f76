import { HOUR_MS, MINUTE_MS, type TsMs } from '../../time.ts'

/** A budget that requests draw on: so much weight in each fixed window, counted from the epoch. */
export type Pool = 'futures' | 'funding' | 'statistics' | 'spot'

export type Limits = Readonly<Record<Pool, { readonly limit: number; readonly windowMs: number }>>

/** As the venue documents them. */
export const documentedLimits: Limits = {
  futures: { limit: 2400, windowMs: MINUTE_MS },
  funding: { limit: 500, windowMs: 5 * MINUTE_MS },
  statistics: { limit: 1000, windowMs: 5 * MINUTE_MS },
  spot: { limit: 6000, windowMs: MINUTE_MS },
}

export type Verdict =
  | { readonly kind: 'allowed'; readonly used: number }
  | { readonly kind: 'limited'; readonly used: number; readonly retryAfterMs: number }
  | { readonly kind: 'banned'; readonly used: number; readonly untilTsMs: TsMs }

export type Limiter = { charge(pool: Pool, weight: number, tsMs: TsMs): Verdict }

// Requests that are still sent after a 429 are counted; so many in one window end in a ban, each longer than the last.
const PATIENCE = 10
const FIRST_BAN_MS = 2 * MINUTE_MS
const LONGEST_BAN_MS = 72 * HOUR_MS

export function createLimiter(limits: Limits): Limiter {
  const windows = new Map<Pool, { start: TsMs; used: number; ignored: number }>()
  let bannedUntilTsMs = 0
  let bans = 0
  return {
    charge(pool, weight, tsMs) {
      const { limit, windowMs } = limits[pool]
      const start = Math.floor(tsMs / windowMs) * windowMs
      let window = windows.get(pool)
      if (window === undefined || window.start !== start) windows.set(pool, (window = { start, used: 0, ignored: 0 }))
      if (tsMs < bannedUntilTsMs) return { kind: 'banned', used: window.used, untilTsMs: bannedUntilTsMs }
      if (window.used + weight <= limit) {
        window.used += weight
        return { kind: 'allowed', used: window.used }
      }
      // What is over the limit still counts in the header: a client sees by how much it went too far.
      window.used += weight
      if (++window.ignored > PATIENCE) {
        bannedUntilTsMs = tsMs + Math.min(LONGEST_BAN_MS, FIRST_BAN_MS * 2 ** bans++)
        return { kind: 'banned', used: window.used, untilTsMs: bannedUntilTsMs }
      }
      return { kind: 'limited', used: window.used, retryAfterMs: start + windowMs - tsMs }
    },
  }
}
