import { DirectedGraph } from 'graphology'
import type { GraphNode, Part } from './nodes.ts'
import { resolvePart } from './wiring.ts'

/** The graph of task families: one vertex a task, an edge where one reads what another makes. Thousands of nodes share
 *  a handful of families, so what is worked out over them is cheap however wide a fan-out is. */
export type FamilyGraph = DirectedGraph<{ nodes: number }>

export function familyGraph(nodes: Iterable<GraphNode>): FamilyGraph {
  const families: FamilyGraph = new DirectedGraph({ allowSelfLoops: true })
  for (const { task, wires } of nodes) {
    families.updateNode(task.name, (before) => ({ nodes: (before.nodes ?? 0) + 1 }))
    for (const wire of wires) for (const part of wire.parts) addReads(families, part, task.name)
  }
  return families
}

function addReads(families: FamilyGraph, raw: Part, reader: string): void {
  const part = resolvePart(raw)
  if (part.handle === 'node') {
    families.mergeEdge(part.task.name, reader)
    return
  }
  families.mergeEdge(part.source.task.name, reader)
  for (const inner of part.parts ?? []) addReads(families, inner, reader)
}

/** For each task the expected time from the start of one of its nodes to the end of the run along the longest way
 *  behind it. Nodes of the longest way start first; it only has to rank. */
export function expectedTails(families: FamilyGraph, expectedMs: (task: string) => number): Map<string, number> {
  const tails = new Map<string, number>()
  const open = new Set<string>()
  const tailOf = (task: string): number => {
    const known = tails.get(task)
    if (known !== undefined) return known
    if (open.has(task)) return 0 // a task may stand at several depths; the ring ends here
    open.add(task)
    let behind = 0
    families.forEachOutNeighbor(task, (reader) => {
      behind = Math.max(behind, tailOf(reader))
    })
    open.delete(task)
    const tail = expectedMs(task) + behind
    tails.set(task, tail)
    return tail
  }
  families.forEachNode((task) => tailOf(task))
  return tails
}
