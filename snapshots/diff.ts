import type { Digest } from '../cas/digest.ts'
import { type JsonChange, jsonChanges } from './jsonChanges.ts'
import { type Manifest, type ManifestNode, manifestId, type NodeInput } from './manifest.ts'
import { type NodeCause, nodeCauses } from './nodeChange.ts'

/** What sets two runs apart, and what merely follows from it. */
export interface ManifestDiff {
  readonly ids: { readonly a: Digest; readonly b: Digest }
  readonly same: boolean
  readonly pipeline?: { readonly a: string; readonly b: string }
  readonly config: readonly JsonChange[]
  readonly asOf?: { readonly aMs: number; readonly bMs: number }
  readonly targets: readonly JsonChange[]
  readonly onlyInA: readonly string[]
  readonly onlyInB: readonly string[]
  /** In both, and not the same, sorted by address. */
  readonly changed: readonly ChangedNode[]
  readonly unchangedNodes: number
}

export interface ChangedNode {
  readonly address: string
  readonly task: string
  readonly causes: readonly NodeCause[]
  readonly artifacts: { readonly a: Digest; readonly b: Digest }
  /** False: it was made differently and came out the same, so that nothing below it changed on its account. */
  readonly bytesChanged: boolean
  /** A root brings something new; anything else is explained by `after`, the changed nodes it reads from. */
  readonly root: boolean
  readonly after: readonly string[]
}

/** What an ordered-list object names, or undefined where it cannot be read. */
export type ReadList = (list: Digest) => readonly Digest[] | undefined

/** Compares two manifests. It reads nothing but the lists it is handed, and never needs an artifact's bytes. */
export function diffManifests(a: Manifest, b: Manifest, readList: ReadList): ManifestDiff {
  const inA = new Map(a.nodes.map((node) => [node.address, node]))
  const inB = new Map(b.nodes.map((node) => [node.address, node]))
  const onlyInA = a.nodes.filter((node) => !inB.has(node.address)).map((node) => node.address)
  const onlyInB = b.nodes.filter((node) => !inA.has(node.address)).map((node) => node.address)

  const differing: { before: ManifestNode; after: ManifestNode; causes: NodeCause[] }[] = []
  for (const before of a.nodes) {
    const after = inB.get(before.address)
    if (after === undefined) continue
    const causes = nodeCauses(before, after)
    if (causes.length > 0) differing.push({ before, after, causes })
  }

  // A change of bytes travels downward from these; a node that only changed its spec and came out the same stops it.
  const moved = new Set([...onlyInA, ...onlyInB])
  for (const { before, after } of differing) if (before.artifact !== after.artifact) moved.add(before.address)
  const producers = { a: producersOf(a), b: producersOf(b) }

  const changed = differing.map(({ before, after, causes }): ChangedNode => {
    const explained = new Set<string>()
    let root = false
    for (const cause of causes) {
      const upstream = cause.kind === 'input' ? upstreamOf(cause.before, cause.after, producers, moved, readList) : []
      if (upstream.length === 0) root = true
      for (const address of upstream) explained.add(address)
    }
    return {
      address: before.address,
      task: after.task,
      causes,
      artifacts: { a: before.artifact, b: after.artifact },
      bytesChanged: before.artifact !== after.artifact,
      root,
      after: [...explained].sort(),
    }
  })

  const ids = { a: manifestId(a), b: manifestId(b) }
  return {
    ids,
    same: ids.a === ids.b,
    ...(a.pipeline === b.pipeline ? {} : { pipeline: { a: a.pipeline, b: b.pipeline } }),
    config: jsonChanges(a.config, b.config),
    ...(a.asOfMs === b.asOfMs ? {} : { asOf: { aMs: a.asOfMs, bMs: b.asOfMs } }),
    targets: jsonChanges(targetsByName(a), targetsByName(b)),
    onlyInA,
    onlyInB,
    changed,
    unchangedNodes: a.nodes.length - onlyInA.length - changed.length,
  }
}

type Producers = ReadonlyMap<Digest, readonly string[]>

/** The changed nodes that explain a changed input, or nothing where some part of it was wired anew. */
function upstreamOf(
  before: NodeInput | undefined,
  after: NodeInput | undefined,
  producers: { readonly a: Producers; readonly b: Producers },
  moved: ReadonlySet<string>,
  readList: ReadList,
): string[] {
  const was = artifactsOf(before, readList)
  const is = artifactsOf(after, readList)
  if (was === undefined || is === undefined) return []
  const upstream = new Set<string>()
  for (const [mine, theirs, made] of [[was, is, producers.a] as const, [is, was, producers.b] as const]) {
    const common = new Set(theirs)
    for (const artifact of mine) {
      if (common.has(artifact)) continue
      const movedMakers = (made.get(artifact) ?? []).filter((address) => moved.has(address))
      if (movedMakers.length === 0) return []
      for (const address of movedMakers) upstream.add(address)
    }
  }
  return [...upstream]
}

function artifactsOf(input: NodeInput | undefined, readList: ReadList): readonly Digest[] | undefined {
  if (input === null || input === undefined) return []
  return typeof input === 'string' ? [input] : readList(input.list)
}

function producersOf(manifest: Manifest): Producers {
  const producers = new Map<Digest, string[]>()
  for (const { artifact, address } of manifest.nodes) {
    const made = producers.get(artifact)
    if (made === undefined) producers.set(artifact, [address])
    else made.push(address)
  }
  return producers
}

function targetsByName(manifest: Manifest): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(manifest.targets.map(({ name, addresses }) => [name, addresses]))
}
