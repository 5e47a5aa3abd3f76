import { canonicalJson } from '../cas/canonicalJson.ts'
import { type Digest, digestOf } from '../cas/digest.ts'

/** The deterministic part of a finished run: what was made from what, by which code, and nothing about when, where or
 *  how long. Its hash is the id of a snapshot, and it suffices to make everything again. */
export interface Manifest {
  readonly format: 1
  readonly pipeline: string
  /** Target names, sorted, with the addresses they stand for. */
  readonly targets: readonly { readonly name: string; readonly addresses: readonly string[] }[]
  /** The resolved config; secrets are excluded by type. */
  readonly config: unknown
  readonly asOfMs: number
  /** Sorted by address, in code unit order. */
  readonly nodes: readonly ManifestNode[]
}

export interface ManifestNode {
  readonly address: string
  readonly task: string
  readonly kind: 'source' | 'pure'
  readonly code: NodeCode
  /** Parsed params with defaults elided. */
  readonly params: unknown
  /** By port name: an artifact, an ordered list of artifacts (an object), or nothing. */
  readonly inputs: Readonly<Record<string, NodeInput>>
  /** Present only where the task's answer depends on it. */
  readonly asOfMs?: number
  readonly artifact: Digest
}

/** A pure node names the code objects it ran; a source names only its version. */
export type NodeCode =
  | { readonly run: Digest; readonly ports?: Readonly<Record<string, Digest>> }
  | { readonly version: number }

/** `{ list }` names an object: canonical JSON, the artifact ids in order. `null`: an optional port left unwired. */
export type NodeInput = Digest | { readonly list: Digest } | null

/** The artifact type of a source's "there is nothing": one file `absent.json` with the reason. */
export const absentType = 'tickpipe.absent'

/** What a node's key is the hash of: everything its result may depend on, and not its address. */
export function specOf(node: Omit<ManifestNode, 'address' | 'artifact'>): string {
  return canonicalJson({
    format: 1,
    task: node.task,
    kind: node.kind,
    code: node.code,
    params: node.params,
    inputs: node.inputs,
    ...(node.asOfMs === undefined ? {} : { asOfMs: node.asOfMs }),
  })
}

export const keyOfSpec = (spec: string): Digest => digestOf(spec)

export const manifestBytes = (manifest: Manifest): string => [...manifestTexts(manifest)].join('')

/** The canonical JSON of a manifest, some nodes at a time: of a large graph it is tens of megabytes, and put together
 *  at once all the pieces of its text would be alive until the end. */
export function* manifestTexts({ nodes, pipeline, targets, ...before }: Manifest): Generator<string> {
  // The keys before "nodes" and those behind it, in the order that canonical JSON has them.
  yield `${canonicalJson(before).slice(0, -1)},"nodes":[`
  for (let from = 0; from < nodes.length; from += nodesInText) {
    const text = canonicalJson(nodes.slice(from, from + nodesInText)).slice(1, -1)
    yield from === 0 ? text : `,${text}`
  }
  yield `],${canonicalJson({ pipeline, targets }).slice(1)}`
}

const nodesInText = 100

export const manifestId = (manifest: Manifest): Digest => digestOf(manifestBytes(manifest))
