import type { NodeState } from '../walk/walk.ts'
import type { History } from './history.ts'

export interface Remaining {
  /** Nothing where no task that is left was ever timed. */
  readonly remainingMs?: number
  /** Nodes that are left and that nothing tells the time of: it takes longer. */
  readonly nodesWithoutHistory: number
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
