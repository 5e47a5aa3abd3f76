/** When to look again. Pure: clock and chance come in. */
export interface PaceFacts {
  readonly endedMs: number
  /** The least there is between two passes. */
  readonly everyMs: number
  readonly failuresInARow: number
  /** Before this instant there is nothing new; absent where nobody knows. */
  readonly newsAtMs?: number | undefined
  /** In [0, 1). */
  readonly random: number
}

/** The venue needs a moment to close a bar. */
const settleMs = 3000
const backoffMsMax = 3_600_000

/** The next whole multiple of `everyMs` at which there may be news, a little late and never at the same second for all
 *  who do the same. After failures the waits double, up to an hour, whatever there is to fetch. */
export function nextPassMs({ endedMs, everyMs, failuresInARow, newsAtMs, random }: PaceFacts): number {
  const jitterMs = everyMs * 0.1 * random
  if (failuresInARow > 0) {
    const waitMs = Math.max(everyMs, Math.min(everyMs * 2 ** Math.min(failuresInARow - 1, 30), backoffMsMax))
    return Math.round(endedMs + waitMs + jitterMs)
  }
  const gridMs = (Math.floor(endedMs / everyMs) + 1) * everyMs
  // On the grid again: bars close on it, and a pass between two of its points would only move the next one.
  const atMs = newsAtMs === undefined || newsAtMs <= gridMs ? gridMs : Math.ceil(newsAtMs / everyMs) * everyMs
  return Math.round(atMs + settleMs + jitterMs)
}
