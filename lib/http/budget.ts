import assert from 'node:assert/strict'
import { Fault } from '../fault.ts'
import type { Clock } from './clock.ts'
import type { ServerClock } from './serverClock.ts'

/** A limit of a venue: so much weight in each window of its clock, counted from the epoch. */
export type BudgetPool = {
  readonly name: string
  readonly limit: number
  readonly windowMs: number
}

/** What one request draws on which pool. */
export type BudgetUse = { readonly pool: BudgetPool; readonly weight: number }

export type Budget = {
  /** Resolves when the weight may be spent; says how long it waited. Every acquire is followed by one settle or release.
   *  @param onWait hears once, as it begins, how long until the window is over that has nothing left */
  acquire(weight: number, signal?: AbortSignal, onWait?: (waitMs: number) => void): Promise<number>
  /** What the answer said: the used weight in its header, and the second it was given. */
  settle(weight: number, answer: { usedWeight?: number; serverMs?: number }): void
  /** In place of settle, where nothing was sent after all. */
  release(weight: number): void
  readonly spent: { readonly weight: number; readonly waitedMs: number }
}

/** The host's clock may jump a little against ours while we sleep. */
const marginMs = 50

/**
 * A bucket of weight that the venue refills whole at each window of its own clock. It is never overdrawn: what is on its
 * way counts as spent, in the window it was sent in and, as long as it is unanswered, in the next one too. What other
 * programs on this address spend shows in the header, and counts.
 */
export function createBudget(pool: BudgetPool, share: number, server: ServerClock, clock: Clock): Budget {
  const allowed = Math.floor(pool.limit * share)
  const spent = { weight: 0, waitedMs: 0 }
  let windowStart = Number.NEGATIVE_INFINITY
  let used = 0
  let onTheWay = 0
  // First come, first served: a heavy request must not starve behind light ones.
  let queue: Promise<unknown> = Promise.resolve()
  let isProbed = false
  let wake: () => void = () => {}

  const startOf = (tsMs: number) => Math.floor(tsMs / pool.windowMs) * pool.windowMs
  const roll = (tsMs: number) => {
    const start = startOf(tsMs)
    if (start <= windowStart) return
    windowStart = start
    used = 0
  }

  /** Until an answer frees something, or so many milliseconds have gone by. */
  const idle = async (ms: number, signal: AbortSignal | undefined): Promise<void> => {
    const woken = new AbortController()
    wake = () => woken.abort()
    const either = signal === undefined ? woken.signal : AbortSignal.any([woken.signal, signal])
    await clock.sleep(ms, either).catch((error: unknown) => {
      if (!woken.signal.aborted) throw error
    })
  }

  const wait = async (
    weight: number,
    signal: AbortSignal | undefined,
    onWait: ((waitMs: number) => void) | undefined,
  ): Promise<number> => {
    const fromMs = clock.nowMs()
    let isTold = false
    for (;;) {
      signal?.throwIfAborted()
      roll(server.nowMs())
      // The first request goes alone: until it is answered nobody knows the host's clock, or what is used up already.
      const isHeldBack = !isProbed && onTheWay > 0
      if (!isHeldBack && used + onTheWay + weight <= allowed) break
      const leftMs = Math.max(windowStart + pool.windowMs - server.nowMs(), 0) + marginMs
      // What is on its way may come back in a moment, and leave enough.
      const isSpent = used + weight > allowed
      if (isSpent && !isTold) onWait?.(leftMs)
      isTold ||= isSpent
      await idle(leftMs, signal)
    }
    onTheWay += weight
    const waitedMs = clock.nowMs() - fromMs
    spent.waitedMs += waitedMs
    return waitedMs
  }

  return {
    spent,
    acquire(weight, signal, onWait) {
      assert.ok(weight >= 0)
      if (weight > allowed) {
        throw new Fault({
          code: 'usage',
          what: `one request weighs ${weight} and the budget of ${pool.name} is ${allowed} a window`,
          todo: 'raise http.budgetShare in the config',
        })
      }
      const turn = queue.then(() => wait(weight, signal, onWait))
      queue = turn.catch(() => undefined)
      return turn
    },
    release(weight) {
      onTheWay -= weight
      wake()
    },
    settle(weight, { usedWeight, serverMs }) {
      onTheWay -= weight
      isProbed = true
      spent.weight += weight
      const at = serverMs ?? server.nowMs()
      roll(at)
      // An answer of the window before says nothing about this one.
      if (startOf(at) >= windowStart) used = usedWeight === undefined ? used + weight : Math.max(used, usedWeight)
      wake()
    },
  }
}
