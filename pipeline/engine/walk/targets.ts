import type { Digest } from '../../../cas/digest.ts'
import type { GraphCollection, NodeGraph, Part } from './nodes.ts'
import type { Knowledge, NodeState, Walk } from './walk.ts'

/** Finds what a command names. An address with brackets may be of a node that only grows when a list is known: fan-outs
 *  are then expanded one after another, in the order in which they were declared, until it is there.
 *  @param settle drives the walk until nothing more happens */
export async function findTargets(
  names: readonly string[],
  graph: NodeGraph,
  walk: Walk,
  knowledge: Knowledge,
  settle: () => Promise<void>,
): Promise<{ readonly parts: readonly Part[]; readonly notYet: readonly string[] }> {
  const parts: Part[] = []
  const notYet: string[] = []
  for (const name of names) {
    if (!graph.has(name) && name.includes('[')) {
      await growTowards(name, graph, walk, knowledge, settle)
      // A list is not known, so nobody can say that the name is wrong: a plan says so, a run has failed before.
      if (!graph.has(name) && graph.collections.some((collection) => collection.parts === undefined)) {
        notYet.push(name)
        continue
      }
    }
    parts.push(...graph.find(name))
  }
  return { parts, notYet }
}

async function growTowards(
  name: string,
  graph: NodeGraph,
  walk: Walk,
  knowledge: Knowledge,
  settle: () => Promise<void>,
): Promise<void> {
  // The list gets longer while it is walked: what grows may fan out again.
  for (let i = 0; i < graph.collections.length && !graph.has(name); i++) {
    const collection: GraphCollection = graph.collections[i]!
    if (collection.parts !== undefined) continue
    walk.start([collection.source])
    await settle()
    const state = walk.states.get(collection.source)!
    walk.demand(state)
    await settle()
    const artifact = readableArtifact(state, knowledge)
    if (artifact !== undefined && collection.parts === undefined)
      graph.expand(collection, knowledge.readJson(collection.source, artifact))
  }
}

function readableArtifact(state: NodeState, knowledge: Knowledge): Digest | undefined {
  return state.artifact !== undefined && knowledge.presence(state.artifact) === 'present' ? state.artifact : undefined
}
