import { canonicalJson } from '../../../cas/canonicalJson.ts'
import { digestOf } from '../../../cas/digest.ts'
import type { ManifestNode, NodeInput } from '../../../snapshots/manifest.ts'
import type { GraphNode, Part, Wire } from './nodes.ts'
import type { Knowledge, NodeState, WiredInput } from './walk.ts'
import { resolvePart } from './wiring.ts'

/** Whether some of what a port reads is not known: a node that has to run first, or a fan-out over a list to come. */
export function isPending(wire: Wire, states: readonly NodeState[]): boolean {
  return states.some((inner) => inner.artifact === undefined) || wire.parts.some((part) => isIncomplete(part))
}

function isIncomplete(raw: Part): boolean {
  const part = resolvePart(raw)
  return part.handle === 'collection' && (part.parts === undefined || part.parts.some(isIncomplete))
}

/** How a spec names what a port reads, all of which is known; with the text of the list where it is named by one. */
export function nameOfInput({ form, states }: WiredInput): { readonly named: NodeInput; readonly list?: string } {
  if (form === 'none') return { named: null }
  if (form === 'one') return { named: states[0]!.artifact! }
  const list = canonicalJson(states.map((inner) => inner.artifact!))
  return { named: { list: digestOf(list) }, list }
}

export type NodeSpec = Omit<ManifestNode, 'address' | 'artifact'>

export function specWith(
  node: GraphNode,
  inputs: Readonly<Record<string, NodeInput>>,
  knowledge: Pick<Knowledge, 'code' | 'asOfMs'>,
): NodeSpec {
  const { task, params } = node
  return {
    task: task.name,
    kind: task.kind === 'sink' ? 'pure' : task.kind,
    code: knowledge.code(node),
    params,
    inputs,
    ...(task.kind === 'source' && task.usesAsOf === true ? { asOfMs: knowledge.asOfMs } : {}),
  }
}

/** The spec of a node as far as it is known: ports that something has to run for first are left out. */
export function specSoFar(state: NodeState, knowledge: Pick<Knowledge, 'code' | 'asOfMs'>): NodeSpec {
  const inputs: Record<string, NodeInput> = {}
  state.node.wires.forEach((wire, i) => {
    const input = state.inputs[i]!
    if (!isPending(wire, input.states)) inputs[input.port] = nameOfInput(input).named
  })
  return specWith(state.node, inputs, knowledge)
}
