import type { Estimate, History } from '../run/history.ts'
import type { Plan, PlanNode, Verdict } from '../verdict.ts'
import type { Decision } from './decide.ts'
import type { GraphCollection, NodeGraph, Part } from './nodes.ts'
import type { Reasons } from './reasons.ts'
import { findTargets } from './targets.ts'
import { type Knowledge, type NodeState, Walk } from './walk.ts'
import { resolvePart } from './wiring.ts'

export interface PlanOptions {
  readonly pipeline: string
  readonly graph: NodeGraph
  readonly targets: readonly string[]
  readonly knowledge: Knowledge
  readonly reasons: Reasons
  readonly history: History
  readonly slots: number
  readonly snapshot?: string
}

/** A plan together with the walk behind it, for those who ask on (`why`, `graph`). */
export interface PlannedWalk {
  readonly plan: Plan
  readonly walk: Walk
  /** What was asked for, as far as it is known: none of what it rests on. A fan-out that is not known yet by its id. */
  readonly asked: readonly string[]
}

/** Decides every node that can be decided, by the very function a run asks, and executes nothing. */
export async function planTargets(options: PlanOptions): Promise<PlannedWalk> {
  const { graph, knowledge } = options
  const runs: NodeState[] = []
  const maybes: NodeState[] = []
  const walk: Walk = new Walk(graph, knowledge, true, {
    onDecided: (state, decision) => {
      if (decision.kind === 'run' || decision.kind === 'restore') runs.push(state)
      if (decision.kind === 'maybe') maybes.push(state)
      if (decision.kind !== 'cached' && decision.kind !== 'restore') walk.settlePending(state)
    },
    onSkipped: () => {},
  })
  const { parts: targets, notYet } = await findTargets(options.targets, graph, walk, knowledge, () => walk.advance())
  walk.start(targets)
  await walk.advance()
  // As in a run: what the user asked for must be here, and whatever executes demands the bytes it reads.
  for (const target of targets) for (const state of walk.statesOf(target)) walk.demand(state)
  for (let state = runs.pop(); state !== undefined; state = runs.pop()) {
    for (const input of state.inputs) for (const inner of input.states) walk.demand(inner)
  }
  await walk.advance()

  const perhapsRestored = restoredIfRun(maybes, knowledge)
  const nodes: PlanNode[] = []
  const estimates = new Map<string, Estimate | undefined>()
  for (const state of walk.states.values()) {
    const { name } = state.node.task
    if (!estimates.has(name)) estimates.set(name, options.history.estimate(name))
    nodes.push(planNode(state, options.reasons, perhapsRestored, estimates.get(name)))
  }
  for (const { collection } of walk.collections.values())
    if (collection.parts === undefined) nodes.push(unknownNode(collection, options))
  const lists = graph.collections.filter(({ parts }) => parts === undefined).map(({ source }) => source.address)
  for (const address of notYet) {
    nodes.push({ address, task: address, kind: 'pure', verdict: { kind: 'unknown', until: lists }, inputs: [] })
  }

  return {
    walk,
    asked: [...targets.flatMap((part) => addressesOf(part)), ...notYet],
    plan: {
      pipeline: options.pipeline,
      targets: options.targets,
      asOfMs: knowledge.asOfMs,
      ...(options.snapshot === undefined ? {} : { snapshot: options.snapshot }),
      nodes,
      estimate: totalOf(nodes, options.slots),
    },
  }
}

function addressesOf(raw: Part): string[] {
  const part = resolvePart(raw)
  if (part.handle === 'node') return [part.address]
  return part.parts === undefined ? [part.id] : part.parts.flatMap(addressesOf)
}

/** Nodes whose bytes are gone and would be demanded if a "may run" node did run: by state, the nodes that would ask. */
function restoredIfRun(maybes: readonly NodeState[], knowledge: Knowledge): Map<NodeState, string[]> {
  const found = new Map<NodeState, string[]>()
  const stack = [...maybes]
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    for (const input of state.inputs) {
      for (const inner of input.states) {
        if (inner.decision?.kind !== 'cached' || inner.demanded || knowledge.presence(inner.artifact!) === 'present')
          continue
        const askers = found.get(inner)
        if (askers === undefined) {
          found.set(inner, [state.node.address])
          stack.push(inner)
        } else askers.push(state.node.address)
      }
    }
  }
  return found
}

function planNode(
  state: NodeState,
  reasons: Reasons,
  perhapsRestored: ReadonlyMap<NodeState, string[]>,
  estimate: Estimate | undefined,
): PlanNode {
  const { node } = state
  return {
    address: node.address,
    task: node.task.name,
    kind: node.task.kind,
    verdict: verdictOf(state, reasons, perhapsRestored.get(state)),
    inputs: state.inputs.flatMap((input) => input.states.map((inner) => inner.node.address)),
    ...(estimate === undefined ? {} : { estimate }),
  }
}

function verdictOf(state: NodeState, reasons: Reasons, perhapsRestoredFor: readonly string[] | undefined): Verdict {
  const decision = state.decision as Decision
  switch (decision.kind) {
    case 'cached':
      return perhapsRestoredFor === undefined
        ? { kind: 'cached', artifact: decision.artifact }
        : { kind: 'may run', after: perhapsRestoredFor }
    case 'run':
    case 'restore':
      return { kind: 'will run', because: reasons.of(state, decision, pendingInputs(state)) }
    case 'maybe':
      return { kind: 'may run', after: pendingInputs(state) }
    case 'blocked':
      return { kind: 'blocked', why: 'the source is not here, and this run fetches nothing' }
  }
}

const pendingInputs = (state: NodeState): string[] =>
  state.inputs.flatMap((input) =>
    input.states.filter((inner) => inner.artifact === undefined).map((inner) => inner.node.address),
  )

function unknownNode(collection: GraphCollection, { history }: PlanOptions): PlanNode {
  const lastCount = history.lastWidth(collection.id)
  return {
    address: collection.id,
    task: collection.id,
    kind: 'pure',
    verdict: {
      kind: 'unknown',
      until: [collection.source.address],
      forEach: collection.source.address,
      ...(lastCount === undefined ? {} : { lastCount }),
    },
    inputs: [collection.source.address],
  }
}

/** Work over slots, never less than the longest single node. Nodes that may run count as if they did. */
function totalOf(nodes: readonly PlanNode[], slots: number): Plan['estimate'] {
  let known = 0
  let nodesWithoutHistory = 0
  const total = { p50Ms: 0, p90Ms: 0, bytes: 0, requests: 0 }
  let longest: Estimate | undefined
  for (const { verdict, estimate } of nodes) {
    if (verdict.kind !== 'will run' && verdict.kind !== 'may run') continue
    if (estimate === undefined) {
      nodesWithoutHistory++
      continue
    }
    known++
    total.p50Ms += estimate.p50Ms
    total.p90Ms += estimate.p90Ms
    total.bytes += estimate.bytes
    total.requests += estimate.requests
    if (longest === undefined || estimate.p90Ms > longest.p90Ms) longest = estimate
  }
  if (known === 0) return undefined
  return {
    ...total,
    p50Ms: Math.round(Math.max(total.p50Ms / slots, longest!.p50Ms)),
    p90Ms: Math.round(Math.max(total.p90Ms / slots, longest!.p90Ms)),
    nodesWithoutHistory,
  }
}
