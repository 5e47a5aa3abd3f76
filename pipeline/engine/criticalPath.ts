import type { GraphNode, Part } from './nodes.ts'
import { resolvePart } from './nodes.ts'

/** For each task the expected time from the start of one of its nodes to the end of the run along the longest way
 *  behind it. Nodes of the longest way start first. Worked out over tasks, not nodes: it only has to rank. */
export function expectedTails(nodes: Iterable<GraphNode>, expectedMs: (task: string) => number): Map<string, number> {
  const readers = new Map<string, Set<string>>()
  const tasks = new Set<string>()
  for (const node of nodes) {
    tasks.add(node.task.name)
    const visit = (raw: Part): void => {
      const part = resolvePart(raw)
      if (part.handle === 'collection') {
        addTo(readers, part.source.task.name, node.task.name)
        for (const inner of part.parts ?? []) visit(inner)
      } else addTo(readers, part.task.name, node.task.name)
    }
    for (const wire of node.wires) for (const part of wire.parts) visit(part)
  }
  const tails = new Map<string, number>()
  const open = new Set<string>()
  const tailOf = (task: string): number => {
    const known = tails.get(task)
    if (known !== undefined) return known
    if (open.has(task)) return 0 // a task may stand at several depths; the ring ends here
    open.add(task)
    let behind = 0
    for (const reader of readers.get(task) ?? []) behind = Math.max(behind, tailOf(reader))
    open.delete(task)
    const tail = expectedMs(task) + behind
    tails.set(task, tail)
    return tail
  }
  for (const task of tasks) tailOf(task)
  return tails
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key)
  if (set === undefined) map.set(key, new Set([value]))
  else set.add(value)
}
