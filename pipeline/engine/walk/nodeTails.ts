import type { NodeState } from './walk.ts'

/**
 * For each node the expected time from its start to the end of the run, along the nodes that are known to wait for it. Of
 * one family, nodes with a long chain behind them come out ahead, as the first month of a chain of months does. What a
 * list has yet to name is not known to wait.
 */
export class NodeTails {
  private readonly known = new Map<NodeState, number>()
  private readonly expectedMs: (task: string) => number

  constructor(expectedMs: (task: string) => number) {
    this.expectedMs = expectedMs
  }

  of(asked: NodeState): number {
    const { known } = this
    // Chains may be longer than a call stack is deep.
    const open = [asked]
    for (let state = open.at(-1); state !== undefined; state = open.at(-1)) {
      let behindMs = 0
      const seen = open.length
      for (const waiter of known.has(state) ? [] : state.waiters) {
        const tailMs = known.get(waiter)
        if (tailMs === undefined) open.push(waiter)
        else if (tailMs > behindMs) behindMs = tailMs
      }
      if (open.length > seen) continue
      if (!known.has(state)) known.set(state, this.expectedMs(state.node.task.name) + behindMs)
      open.pop()
    }
    return known.get(asked)!
  }
}
