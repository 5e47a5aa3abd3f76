import type { Manifest, ManifestNode } from '../../../snapshots/manifest.ts'
import type { Walk } from '../walk/walk.ts'
import type { RunOptions } from './options.ts'

/** What the run amounts to: every node with its code, params, inputs and artifact. */
export function manifestOf(walk: Walk, options: RunOptions): Manifest {
  const nodes: ManifestNode[] = []
  for (const state of walk.states.values()) {
    // A sink pushes results out; what it pushed to is nobody's input and in no snapshot's id.
    if (state.node.task.kind === 'sink') continue
    nodes.push({ ...state.spec!, address: state.node.address, artifact: state.artifact! })
  }
  nodes.sort((a, b) => (a.address < b.address ? -1 : 1))
  return {
    format: 1,
    pipeline: options.pipeline,
    targets: [...new Set(options.targets)]
      .sort()
      .map((name) => ({ name, addresses: addressesOf(name, walk, options) })),
    config: options.config,
    asOfMs: options.knowledge.asOfMs,
    nodes,
  }
}

function addressesOf(target: string, walk: Walk, { graph }: RunOptions): string[] {
  const states = graph.find(target).flatMap((part) => walk.statesOf(part))
  const addresses = states.filter(({ node }) => node.task.kind !== 'sink').map(({ node }) => node.address)
  return [...new Set(addresses)].sort()
}
