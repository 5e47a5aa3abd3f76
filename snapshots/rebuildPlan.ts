import type { Digest } from '../cas/digest.ts'
import type { Manifest, ManifestNode } from './manifest.ts'

/** Which nodes to execute again, and which of them first. A node takes its *recorded* inputs, so that each is judged
 *  alone; only an input whose bytes were given up has to be made again before. */
export interface RebuildPlan {
  /** In an order in which whatever a node waits for stands before it. */
  readonly steps: readonly RebuildStep[]
  /** Nodes that cannot be executed, with the reason. */
  readonly impossible: ReadonlyMap<ManifestNode, string>
}

export interface RebuildStep {
  readonly node: ManifestNode
  /** Asked for, and not only needed by another. */
  readonly wanted: boolean
  /** Earlier steps that make its evicted inputs. */
  readonly after: readonly ManifestNode[]
}

export function planRebuild(
  manifest: Manifest,
  isWanted: (node: ManifestNode) => boolean,
  isHere: (artifact: Digest) => boolean,
  readList: (list: Digest) => readonly Digest[] | undefined,
): RebuildPlan {
  const makers = new Map<Digest, ManifestNode>()
  // A pure maker is preferred: it can make the bytes again.
  for (const node of manifest.nodes) {
    if (!makers.has(node.artifact) || node.kind === 'pure') makers.set(node.artifact, node)
  }
  const wanted = manifest.nodes.filter((node) => node.kind === 'pure' && isWanted(node))
  const wantedSet = new Set(wanted)
  const impossible = new Map<ManifestNode, string>()
  const after = new Map<ManifestNode, readonly ManifestNode[]>()
  const todo = [...wanted]
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (after.has(node)) continue
    const first = new Set<ManifestNode>()
    for (const [port, input] of Object.entries(node.inputs)) {
      if (input === null) continue
      const artifacts = typeof input === 'string' ? [input] : readList(input.list)
      if (artifacts === undefined) impossible.set(node, `the list of its input ${port} cannot be read`)
      for (const artifact of artifacts ?? []) {
        if (isHere(artifact)) continue
        const maker = makers.get(artifact)
        if (maker?.kind === 'pure') first.add(maker)
        else impossible.set(node, `the bytes of its input ${port} are not here, and nothing can make them again`)
      }
    }
    after.set(node, [...first])
    todo.push(...first)
  }
  return { steps: ordered(after, wantedSet, impossible), impossible }
}

/** Depth first with a stack of its own: chains of thousands of nodes are ordinary. What stands in a ring is impossible. */
function ordered(
  after: ReadonlyMap<ManifestNode, readonly ManifestNode[]>,
  wanted: ReadonlySet<ManifestNode>,
  impossible: Map<ManifestNode, string>,
): RebuildStep[] {
  const steps: RebuildStep[] = []
  const state = new Map<ManifestNode, 'open' | 'done'>()
  const roots = [...after.keys()].sort((a, b) => (a.address < b.address ? -1 : 1))
  for (const root of roots) {
    const stack = [root]
    while (stack.length > 0) {
      const node = stack.at(-1)!
      if (state.get(node) === 'done') {
        stack.pop()
        continue
      }
      const before = after.get(node)!
      if (state.get(node) === undefined) {
        state.set(node, 'open')
        for (const next of before.toReversed()) {
          if (state.get(next) === 'open')
            impossible.set(node, 'it stands in a ring of nodes that take each other’s output')
          else if (state.get(next) === undefined) stack.push(next)
        }
      } else {
        state.set(node, 'done')
        stack.pop()
        steps.push({ node, wanted: wanted.has(node), after: before })
      }
    }
  }
  return steps
}
