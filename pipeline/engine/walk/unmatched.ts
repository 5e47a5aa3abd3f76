import { globMatcher } from './glob.ts'
import type { NodeGraph } from './nodes.ts'

/** Patterns of --force and --refresh that select nothing: a typo in one looks like a run with nothing to do. Nobody can
 *  say so while a list is unknown that more nodes may grow from. */
export function unmatchedPatterns(
  graph: NodeGraph,
  asked: { readonly force?: readonly string[]; readonly refresh?: readonly string[] },
): string[] {
  const { force = [], refresh = [] } = asked
  if (force.length + refresh.length === 0) return []
  if (graph.collections.some(({ parts }) => parts === undefined)) return []
  const nodes = [...graph.nodes.values()]
  const matchesNone = (pattern: string, among: typeof nodes): boolean => {
    const matches = globMatcher([pattern])
    return !among.some(({ address, task }) => matches(address, task.name))
  }
  const sources = nodes.filter(({ task }) => task.kind === 'source')
  return [
    ...force.filter((pattern) => matchesNone(pattern, nodes)).map((pattern) => `--force ${pattern} matches no node`),
    ...refresh
      .filter((pattern) => matchesNone(pattern, sources))
      .map((pattern) => `--refresh ${pattern} matches no source`),
  ]
}
