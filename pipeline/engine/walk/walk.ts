import assert from 'node:assert/strict'
import type { Digest } from '../../../cas/digest.ts'
import { keyOfSpec, type NodeCode, type NodeInput, specOf } from '../../../snapshots/manifest.ts'
import { type Decision, decide, type NodeFacts } from './decide.ts'
import type { GraphCollection, GraphNode, NodeGraph, Part } from './nodes.ts'
import { isPending, type NodeSpec, nameOfInput, specWith } from './specs.ts'
import { resolvePart } from './wiring.ts'

/** What a walk has to be told about the world. Plan and run give it the same. */
export interface Knowledge {
  code(node: GraphNode): NodeCode
  recorded(node: GraphNode, key: Digest): NodeFacts['recorded']
  everRecorded(node: GraphNode): boolean
  presence(artifact: Digest): Exclude<NodeFacts['presence'], 'not demanded'>
  /** Artifacts that were called present because the trash holds them, each once: a run brings them back before their
   *  bytes are read. */
  takeReclaimable(): readonly Digest[]
  forced(node: GraphNode): boolean
  readonly closed: boolean
  readonly asOfMs: number
  /** The decoded value of a JSON artifact that is here. */
  readJson(node: GraphNode, artifact: Digest): unknown
  /** Bundles the code of tasks met for the first time. */
  prepareCode(nodes: readonly GraphNode[]): Promise<void>
}

/** A node as the walk has come to know it. */
export interface NodeState {
  readonly node: GraphNode
  /** States and collections it waits for before it can be decided. */
  remaining: number
  readonly waiters: NodeState[]
  inputs: readonly WiredInput[]
  key: Digest | undefined
  /** What the key is the hash of. Its text is not kept: of a large graph it is tens of megabytes. */
  spec: NodeSpec | undefined
  decision: Decision | undefined
  /** Set once the artifact is certain: cached, restored, or executed. */
  artifact: Digest | undefined
  /** It has its artifact, or (in a plan) is known to run first, or will never come. */
  settled: boolean
  failed: boolean
  /** Its bytes are needed: by a node that executes, a fan-out, or the user. */
  demanded: boolean
}

/** What a port reads, flattened: the states in order. */
export interface WiredInput {
  readonly port: string
  readonly form: 'one' | 'many' | 'none'
  states: readonly NodeState[]
}

/** A fan-out that the walk has reached. */
interface CollectionState {
  readonly collection: GraphCollection
  readonly waiters: NodeState[]
  /** Expanded, or (in a plan) known to stay unknown. */
  settled: boolean
  queued: boolean
}

export interface WalkListener {
  /** Called once for each decision, and again when a demand for bytes changes it. */
  onDecided(state: NodeState, decision: Decision): void
  /** It will never run: something it reads failed. */
  onSkipped(state: NodeState, after: NodeState): void
}

/** Walks the graph from its targets, decides each node once all it reads is settled, and grows the graph as lists become
 *  known. It executes nothing: whoever drives it settles the nodes that run. */
export class Walk {
  readonly states = new Map<GraphNode, NodeState>()
  readonly collections = new Map<GraphCollection, CollectionState>()
  private readonly collectionsBySource = new Map<GraphNode, CollectionState[]>()
  /** Ordered ids of `many` inputs by the digest of their list; stored beside the nodes that read them. */
  readonly lists = new Map<Digest, string>()
  private readonly ready: NodeState[] = []
  private readonly expandable: CollectionState[] = []
  private readonly unprepared: GraphNode[] = []
  private readonly graph: NodeGraph
  private readonly knowledge: Knowledge
  private readonly listener: WalkListener
  private readonly planning: boolean

  constructor(graph: NodeGraph, knowledge: Knowledge, planning: boolean, listener: WalkListener) {
    this.graph = graph
    this.knowledge = knowledge
    this.planning = planning
    this.listener = listener
  }

  get unexpanded(): number {
    let count = 0
    for (const state of this.collections.values()) if (state.collection.parts === undefined) count++
    return count
  }

  /** Takes these and all they rest on into the walk. Their bytes are demanded. */
  start(targets: readonly Part[]): void {
    for (const part of targets) this.need(resolvePart(part))
  }

  /** Decides all that can be decided now. Call again after settling nodes. */
  async advance(): Promise<void> {
    while (this.unprepared.length > 0 || this.ready.length > 0 || this.expandable.length > 0) {
      if (this.unprepared.length > 0) await this.knowledge.prepareCode(this.unprepared.splice(0))
      // In the order in which the graph names them: of equals the first is begun first, and the main run before its variants.
      for (let next = 0; next < this.ready.length; next++) this.decideNow(this.ready[next]!)
      this.ready.length = 0
      for (const collection of this.expandable.splice(0)) this.expand(collection)
    }
  }

  /** The node's artifact is certain now. */
  settle(state: NodeState, artifact: Digest): void {
    assert.ok(!state.settled || state.artifact === artifact)
    state.artifact = artifact
    if (state.settled) return
    state.settled = true
    this.wake(state)
  }

  /** In a plan: it runs (or may run) first, and what it makes is not known. */
  settlePending(state: NodeState): void {
    state.settled = true
    this.wake(state)
  }

  /** It will never have an artifact, and nothing behind it will. */
  settleFailed(state: NodeState): void {
    if (state.failed) return
    state.failed = true
    state.settled = true
    const stack: [NodeState, NodeState][] = []
    const spread = (from: NodeState): void => {
      for (const waiter of from.waiters) stack.push([waiter, from])
      for (const collection of this.collectionsBySource.get(from.node) ?? []) {
        for (const waiter of collection.waiters) stack.push([waiter, from])
      }
    }
    spread(state)
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const [skipped, after] = next
      if (skipped.failed) continue
      skipped.failed = true
      skipped.settled = true
      this.listener.onSkipped(skipped, after)
      spread(skipped)
    }
  }

  /** Asks for the bytes of a settled node. What has to be executed for it gets a new decision and is reported. */
  demand(state: NodeState): void {
    if (state.demanded) return
    state.demanded = true
    if (state.decision?.kind === 'cached') this.redecide(state)
  }

  /** The bytes of a settled node turned out to be damaged: they are made again, for the artifact it is known by. Says
   *  whether that may be. */
  demandAgain(state: NodeState): boolean {
    assert.ok(state.artifact !== undefined)
    if (state.node.task.kind === 'source' && this.knowledge.closed) return false
    state.demanded = true
    state.decision = { kind: 'restore', artifact: state.artifact, why: 'quarantined' }
    this.listener.onDecided(state, state.decision)
    return true
  }

  /** Flattened states of a part; collections that are not expanded contribute nothing yet. */
  statesOf(part: Part): NodeState[] {
    const found: NodeState[] = []
    this.flatten(resolvePart(part), found)
    return found
  }

  private flatten(part: Part, into: NodeState[]): void {
    if (part.handle === 'node') into.push(this.states.get(part)!)
    else for (const inner of part.parts ?? []) this.flatten(resolvePart(inner), into)
  }

  private need(part: Part): void {
    // An explicit stack: a chain of nodes may be longer than the call stack is deep.
    const stack: Part[] = [part]
    const entered: NodeState[] = []
    const reached: CollectionState[] = []
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next.handle === 'node') {
        if (this.states.has(next)) continue
        const state = newState(next)
        this.states.set(next, state)
        this.unprepared.push(next)
        entered.push(state)
        for (let w = next.wires.length - 1; w >= 0; w--) {
          const { parts } = next.wires[w]!
          for (let i = parts.length - 1; i >= 0; i--) stack.push(resolvePart(parts[i]!))
        }
      } else {
        if (this.collections.has(next)) continue
        const state: CollectionState = { collection: next, waiters: [], settled: false, queued: false }
        this.collections.set(next, state)
        const ofSource = this.collectionsBySource.get(next.source)
        if (ofSource === undefined) this.collectionsBySource.set(next.source, [state])
        else ofSource.push(state)
        reached.push(state)
        for (const inner of (next.parts ?? []).toReversed()) stack.push(resolvePart(inner))
        stack.push(next.source)
      }
    }
    // Wired only now, when every state they name exists.
    for (const state of entered) {
      for (const wire of state.node.wires) for (const inner of wire.parts) this.waitFor(state, resolvePart(inner))
    }
    for (const state of entered) if (state.remaining === 0) this.ready.push(state)
    for (const state of reached) this.reachCollection(state)
  }

  /** Queues a fan-out whose list can be read now. */
  private reachCollection(state: CollectionState): void {
    if (state.settled || state.queued || state.collection.parts !== undefined) return
    const source = this.states.get(state.collection.source)!
    if (source.failed || !source.settled) return
    if (source.artifact === undefined) this.leaveUnknown(state)
    else {
      state.queued = true
      this.expandable.push(state)
    }
  }

  /** A plan: the list is not known, so whoever collects it is decided without it. */
  private leaveUnknown(state: CollectionState): void {
    assert.ok(this.planning)
    state.settled = true
    for (const waiter of state.waiters) this.countDown(waiter)
  }

  private waitFor(state: NodeState, part: Part): void {
    if (part.handle === 'node') {
      const input = this.states.get(part)!
      if (input.failed) this.skip(state, input)
      if (input.settled) return
      state.remaining++
      input.waiters.push(state)
      return
    }
    const collection = this.collections.get(part)!
    if (part.parts !== undefined) {
      for (const inner of part.parts) this.waitFor(state, resolvePart(inner))
    } else if (!collection.settled) {
      state.remaining++
      collection.waiters.push(state)
    }
  }

  private skip(state: NodeState, after: NodeState): void {
    if (state.failed) return
    this.settleFailed(state)
    this.listener.onSkipped(state, after)
  }

  private wake(state: NodeState): void {
    for (const waiter of state.waiters) this.countDown(waiter)
    for (const collection of this.collectionsBySource.get(state.node) ?? []) this.reachCollection(collection)
  }

  private countDown(state: NodeState): void {
    state.remaining--
    assert.ok(state.remaining >= 0)
    if (state.remaining === 0 && !state.failed) this.ready.push(state)
  }

  private expand(state: CollectionState): void {
    const source = this.states.get(state.collection.source)!
    state.queued = false
    this.demand(source)
    if (this.knowledge.presence(source.artifact!) !== 'present') {
      // It is being restored: the walk comes back here when its bytes arrive. A plan does not wait for that.
      if (this.planning) this.leaveUnknown(state)
      return
    }
    const parts = this.graph.expand(state.collection, this.knowledge.readJson(source.node, source.artifact!))
    state.settled = true
    for (const part of parts) this.need(resolvePart(part))
    for (const waiter of state.waiters) {
      for (const part of parts) this.waitFor(waiter, resolvePart(part))
      this.countDown(waiter)
    }
  }

  /** The bytes of a restored node are here: a fan-out may be waiting for them. */
  bytesArrived(state: NodeState): void {
    for (const collection of this.collectionsBySource.get(state.node) ?? []) this.reachCollection(collection)
  }

  private decideNow(state: NodeState): void {
    if (state.decision !== undefined || state.failed) return
    state.inputs = state.node.wires.map(({ port, form, parts }) => {
      const states: NodeState[] = []
      for (const part of parts) this.flatten(resolvePart(part), states)
      return { port, form, states }
    })
    if (!state.node.wires.some((wire, i) => isPending(wire, state.inputs[i]!.states))) this.nameByInputs(state)
    this.redecide(state)
  }

  private redecide(state: NodeState): void {
    const { node, key } = state
    const recorded = key === undefined ? undefined : this.knowledge.recorded(node, key)
    const decision = decide({
      kind: node.task.kind,
      pending: key === undefined,
      recorded,
      // Looked up only where it matters: the answer needs every record's spec.
      everRecorded: key === undefined && this.knowledge.everRecorded(node),
      forced: this.knowledge.forced(node),
      presence: state.demanded && recorded !== undefined ? this.knowledge.presence(recorded.artifact) : 'not demanded',
      closed: this.knowledge.closed,
    })
    const isNews = state.decision?.kind !== decision.kind
    state.decision = decision
    if (decision.kind === 'cached' || decision.kind === 'restore') this.settle(state, decision.artifact)
    if (isNews) this.listener.onDecided(state, decision)
  }

  /** Builds the spec and its hash, the key, from the artifacts of all inputs. */
  private nameByInputs(state: NodeState): void {
    const inputs: Record<string, NodeInput> = {}
    for (const input of state.inputs) {
      const { named, list } = nameOfInput(input)
      inputs[input.port] = named
      if (list !== undefined) this.lists.set((named as { list: Digest }).list, list)
    }
    state.spec = specWith(state.node, inputs, this.knowledge)
    state.key = keyOfSpec(specOf(state.spec))
  }
}

function newState(node: GraphNode): NodeState {
  return {
    node,
    remaining: 0,
    waiters: [],
    inputs: [],
    key: undefined,
    spec: undefined,
    decision: undefined,
    artifact: undefined,
    settled: false,
    failed: false,
    demanded: false,
  }
}
