import type { NodeState } from '../walk/walk.ts'
import type { History } from './history.ts'

export interface Remaining {
  /** Nothing where no task that is left was ever timed. */
  readonly remainingMs?: number
  /** Nodes that are left and that nothing tells the time of: it takes longer. */
  readonly nodesWithoutHistory: number
}

/** Says now and then how long a run still takes. */
export class RemainingTime {
  private readonly history: History
  private readonly slots: number
  private readonly startedMs = new Map<NodeState, number>()
  private said = false

  constructor(history: History, slots: number) {
    this.history = history
    this.slots = slots
  }

  async during<T>(state: NodeState, nowMs: number, work: Promise<T>): Promise<T> {
    this.startedMs.set(state, nowMs)
    try {
      return await work
    } finally {
      this.startedMs.delete(state)
    }
  }

  /** Nothing on a first run, for nothing is known; what was said before is taken back. */
  news(states: Iterable<NodeState>, nowMs: number): Remaining | undefined {
    const remaining = remainingWork(states, this.startedMs, { history: this.history, slots: this.slots, nowMs })
    if (remaining.remainingMs === undefined && !this.said) return undefined
    this.said = remaining.remainingMs !== undefined
    return remaining
  }
}

/** Expected work that is left over the slots there are, and never less than what the longest node still takes. */
export function remainingWork(
  states: Iterable<NodeState>,
  startedMs: ReadonlyMap<NodeState, number>,
  { history, slots, nowMs }: { readonly history: History; readonly slots: number; readonly nowMs: number },
): Remaining {
  // Thousands of nodes share a handful of tasks.
  const expected = new Map<string, number | undefined>()
  const expectedOf = (task: string): number | undefined => {
    if (!expected.has(task)) expected.set(task, history.estimate(task)?.p50Ms)
    return expected.get(task)
  }
  let totalMs = 0
  let longestMs = 0
  let nodesWithoutHistory = 0
  for (const state of states) {
    if (state.artifact !== undefined || state.failed) continue
    const expectedMs = expectedOf(state.node.task.name)
    if (expectedMs === undefined) {
      nodesWithoutHistory++
      continue
    }
    const began = startedMs.get(state)
    const leftMs = began === undefined ? expectedMs : Math.max(0, expectedMs - (nowMs - began))
    totalMs += leftMs
    longestMs = Math.max(longestMs, leftMs)
  }
  const remainingMs = Math.round(Math.max(totalMs / slots, longestMs))
  return { ...(remainingMs > 0 ? { remainingMs } : {}), nodesWithoutHistory }
}
