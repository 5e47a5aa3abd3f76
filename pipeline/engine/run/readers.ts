import type { Digest } from '../../../cas/digest.ts'
import type { NodeState } from '../walk/walk.ts'

/** How many nodes that are going to run read each artifact: whoever decodes one is told whether to keep it. */
export class Readers {
  private readonly counts = new Map<Digest, number>()
  private readonly entered = new Set<NodeState>()

  /** The node is going to run. */
  enter(state: NodeState): void {
    if (this.entered.has(state)) return
    this.entered.add(state)
    for (const artifact of artifactsOf(state)) this.counts.set(artifact, (this.counts.get(artifact) ?? 0) + 1)
  }

  /** It is done with its inputs, however it ended. */
  leave(state: NodeState): void {
    if (!this.entered.delete(state)) return
    for (const artifact of artifactsOf(state)) {
      const left = this.counts.get(artifact)! - 1
      if (left === 0) this.counts.delete(artifact)
      else this.counts.set(artifact, left)
    }
  }

  /** Besides the one that asks. */
  hasMore(artifact: Digest): boolean {
    return (this.counts.get(artifact) ?? 0) > 1
  }
}

function* artifactsOf({ inputs }: NodeState): Iterable<Digest> {
  for (const { states } of inputs) for (const { artifact } of states) if (artifact !== undefined) yield artifact
}
