import { expectedTails, familyGraph } from '../walk/families.ts'
import { NodeTails } from '../walk/nodeTails.ts'
import type { NodeState } from '../walk/walk.ts'
import type { Admission } from './admission.ts'
import type { RunOptions } from './options.ts'
import { PriorityQueue } from './queue.ts'

/** Nodes whose inputs are all here, by what limits them; of each kind the one with the longest expected way comes first. */
export class ReadyQueue {
  private readonly graph: RunOptions['graph']
  private readonly history: RunOptions['history']
  private readonly first: string | undefined
  private readonly admission: Admission
  private readonly queues = new Map<string, PriorityQueue<NodeState>>()
  private familyTails = new Map<string, number>()
  private nodeTails = new NodeTails(() => 0)
  private tailsOfNodes = 0
  private meanPureMs = 50

  constructor({ graph, history, first }: RunOptions, admission: Admission) {
    this.first = first
    this.graph = graph
    this.history = history
    this.admission = admission
  }

  get isEmpty(): boolean {
    for (const queue of this.queues.values()) if (queue.size > 0) return false
    return true
  }

  add(state: NodeState): void {
    const name = this.admission.queueOf(state.node.task)
    let queue = this.queues.get(name)
    if (queue === undefined) this.queues.set(name, (queue = new PriorityQueue()))
    const isFirst = state.node.address === this.first
    queue.push(state, isFirst ? Number.POSITIVE_INFINITY : this.tailOf(state))
  }

  /** Takes out what may run now. It counts as running until it leaves admission. */
  *takeAdmitted(): Generator<NodeState> {
    // Jobs of a few milliseconds are handed over several at a time; long ones one by one, so that the longest way stays first.
    const lookAhead = this.meanPureMs < 5 ? 4 : this.meanPureMs < 20 ? 2 : 1
    for (const queue of this.queues.values()) {
      for (
        let state = queue.peek();
        state !== undefined && this.admission.admits(state.node.task, lookAhead);
        state = queue.peek()
      ) {
        queue.pop()
        this.admission.enter(state.node.task)
        yield state
      }
    }
  }

  noteDuration(state: NodeState, wallMs: number): void {
    if (state.node.task.kind === 'pure') this.meanPureMs += (wallMs - this.meanPureMs) * 0.05
  }

  /** The way behind a node is at least as long as that of its family: a list may yet name who goes on from it. */
  private tailOf(state: NodeState): number {
    const { graph, history } = this
    if (graph.nodes.size > this.tailsOfNodes * 1.25) {
      this.tailsOfNodes = graph.nodes.size
      const families = familyGraph(graph.nodes.values())
      const expectedMs = new Map(families.mapNodes((task) => [task, history.estimate(task)?.p50Ms ?? 1000]))
      this.familyTails = expectedTails(families, (task) => expectedMs.get(task)!)
      this.nodeTails = new NodeTails((task) => expectedMs.get(task) ?? 1000)
    }
    return Math.max(this.familyTails.get(state.node.task.name) ?? 0, this.nodeTails.of(state))
  }
}
