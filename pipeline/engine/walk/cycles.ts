import { Fault } from '../../../lib/fault.ts'
import type { GraphNode, Part } from './nodes.ts'
import type { Reference } from './wiring.ts'

/** Handles must exist before they are wired, so only references can close a ring. Says the way around it. */
export function refuseCycles(nodes: Iterable<GraphNode>): void {
  const state = new Map<GraphNode, 'open' | 'done'>()
  for (const start of nodes) {
    if (state.has(start)) continue
    const path: { node: GraphNode; next: GraphNode[] }[] = [{ node: start, next: upstreamOf(start) }]
    state.set(start, 'open')
    while (path.length > 0) {
      const top = path[path.length - 1]!
      const next = top.next.pop()
      if (next === undefined) {
        state.set(top.node, 'done')
        path.pop()
      } else if (state.get(next) === 'open') {
        const ring = path.slice(path.findIndex((step) => step.node === next)).map((step) => step.node.address)
        throw new Fault({
          code: 'usage',
          what: `the graph has a cycle: ${[...ring, next.address].join(' <- ')}`,
          todo: 'remove one of these wires',
        })
      } else if (!state.has(next)) {
        state.set(next, 'open')
        path.push({ node: next, next: upstreamOf(next) })
      }
    }
  }
}

function upstreamOf(node: GraphNode): GraphNode[] {
  const found: GraphNode[] = []
  const visit = (part: Part): void => {
    const reference = part as unknown as Reference
    const resolved = reference.handle === 'reference' ? reference.found : part
    if (resolved === undefined) return
    if (resolved.handle === 'node') found.push(resolved)
    else {
      found.push(resolved.source)
      for (const inner of resolved.parts ?? []) visit(inner)
    }
  }
  for (const wire of node.wires) for (const part of wire.parts) visit(part)
  return found
}
