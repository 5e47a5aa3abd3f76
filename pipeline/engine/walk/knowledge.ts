import { canonicalJson, parseCanonicalJson } from '../../../cas/canonicalJson.ts'
import type { Digest } from '../../../cas/digest.ts'
import type { StoredRecord } from '../../../cas/records.ts'
import type { Store } from '../../../cas/store.ts'
import type { ArtifactType } from '../../../lib/artifact.ts'
import { Fault } from '../../../lib/fault.ts'
import {
  absentType,
  keyOfSpec,
  type Manifest,
  type ManifestNode,
  type NodeCode,
  specOf,
} from '../../../snapshots/manifest.ts'
import type { RecordPayload } from '../recordPayload.ts'
import type { NodeFacts } from './decide.ts'
import { globMatcher } from './glob.ts'
import type { GraphNode } from './nodes.ts'
import { issuesText } from './params.ts'
import type { Knowledge } from './walk.ts'

/** Code identities by task and by code-port value; `prepare` bundles what was not met before. */
export interface CodeIdentities {
  prepare(nodes: readonly GraphNode[]): Promise<void>
  ofTask(task: GraphNode['task']): Digest
  ofValue(value: unknown): Digest
}

export interface KnowledgeOptions {
  readonly asOfMs: number
  /** Read once at the edge; decides whether an absent source is due to be asked again. */
  readonly nowMs: number
  /** Patterns of --force, and of --refresh, which selects sources only. */
  readonly force: readonly string[]
  readonly refresh: readonly string[]
  /** One node and no other, whatever else its address matches as a pattern. */
  readonly forcedAddress?: string
  readonly offline: boolean
  /** Only this snapshot's observations count, and the network is closed. */
  readonly frozen?: Manifest
  /** This snapshot's observations come first; what it lacks is fetched. */
  readonly from?: Manifest
}

/** What the store, the code and the command line say, as a walk asks it. */
export class StoreKnowledge implements Knowledge {
  readonly closed: boolean
  readonly asOfMs: number
  private readonly store: Store
  private readonly identities: CodeIdentities
  private readonly options: KnowledgeOptions
  private readonly isForced: (address: string, task: string) => boolean
  private readonly isRefreshed: (address: string, task: string) => boolean
  private readonly pinned: ReadonlyMap<Digest, Digest> | undefined
  private readonly codes = new WeakMap<GraphNode | GraphNode['task'], NodeCode>()
  private readonly json = new Map<Digest, { output: ArtifactType; value: unknown }>()
  private lineages: ReadonlyMap<string, ReadonlySet<string>> | undefined
  private readonly reclaimable = new Set<Digest>()
  /** Artifacts that were looked at just now and are here: hundreds of nodes may have made the same. */
  private readonly seen = new Set<Digest>()
  /** When the first of the absent sources met so far is due to be asked again. */
  nextRecheckAtMs: number | undefined

  constructor(store: Store, identities: CodeIdentities, options: KnowledgeOptions) {
    this.store = store
    this.identities = identities
    this.options = options
    this.closed = options.offline || options.frozen !== undefined
    this.asOfMs = options.asOfMs
    this.isForced = globMatcher(options.force)
    this.isRefreshed = globMatcher(options.refresh)
    const pinned = options.frozen ?? options.from
    this.pinned = pinned === undefined ? undefined : sourceArtifacts(pinned)
  }

  prepareCode(nodes: readonly GraphNode[]): Promise<void> {
    return this.identities.prepare(nodes)
  }

  code(node: GraphNode): NodeCode {
    // Without code of its own a node has its task's.
    const of = Object.keys(node.code).length === 0 ? node.task : node
    const known = this.codes.get(of)
    if (known !== undefined) return known
    const code = this.codeOf(node)
    this.codes.set(of, code)
    return code
  }

  recorded(node: GraphNode, key: Digest): NodeFacts['recorded'] {
    if (node.task.kind !== 'source') {
      const artifact = this.store.records.resultArtifact(key)
      return artifact === undefined ? undefined : { artifact, recheckDue: false }
    }
    const pinned = this.pinned?.get(key)
    if (pinned !== undefined) return { artifact: pinned, recheckDue: false }
    if (this.options.frozen !== undefined) return undefined
    const newest = this.store.records.newestObservation(key)
    if (newest?.artifact === undefined) return undefined
    const given = this.typeOrLoss(newest.artifact)
    if (given.lost !== undefined) return { artifact: newest.artifact, recheckDue: false, lost: given.lost }
    const recheckDue = given.type === absentType && !this.options.offline && this.isRecheckDue(newest)
    return { artifact: newest.artifact, recheckDue }
  }

  everRecorded(node: GraphNode): boolean {
    this.lineages ??= this.readLineages()
    const { name } = node.task
    // Of a task that never ran nothing has to be compared.
    const ofTask = this.lineages.get(name)
    return ofTask?.has(lineageOf({ code: this.code(node), params: node.params })) === true
  }

  /** What the trash holds counts as present: taking it back is cheaper than making it again. */
  presence(artifact: Digest): 'present' | 'evicted' | 'missing' | 'quarantined' {
    if (this.seen.has(artifact)) return 'present'
    const found = this.store.artifactPresence(artifact)
    if (found === 'present') {
      // Until anything else had its turn, nothing of this process can have changed that.
      if (this.seen.size === 0) queueMicrotask(() => this.seen.clear())
      this.seen.add(artifact)
      return found
    }
    if (this.store.isReclaimable(artifact)) {
      this.reclaimable.add(artifact)
      return 'present'
    }
    return found === 'missing' && this.store.isDamaged(artifact) ? 'quarantined' : found
  }

  takeReclaimable(): Digest[] {
    if (this.reclaimable.size === 0) return []
    const taken = [...this.reclaimable]
    this.reclaimable.clear()
    return taken
  }

  forced(node: GraphNode): boolean {
    const { name, kind } = node.task
    if (node.address === this.options.forcedAddress) return true
    return this.isForced(node.address, name) || (kind === 'source' && this.isRefreshed(node.address, name))
  }

  /** A list that several fan-outs rest on is read once. */
  readJson(node: GraphNode, artifact: Digest): unknown {
    const known = this.json.get(artifact)
    if (known !== undefined && known.output === node.output) return known.value
    // What is found damaged from here on is in quarantine.
    this.seen.clear()
    const value = this.decodeJson(node, artifact)
    this.json.set(artifact, { output: node.output, value })
    return value
  }

  private decodeJson(node: GraphNode, artifact: Digest): unknown {
    const descriptor = this.store.readDescriptor(artifact)
    if (descriptor.type === absentType || node.output.form !== 'json') return undefined
    const text = new TextDecoder().decode(this.store.readObject(descriptor.files[0]!.digest))
    const checked = node.output.schema.safeParse(parseCanonicalJson(text))
    if (checked.success) return checked.data
    throw new Fault({
      code: 'failed',
      what: `the stored value does not fit its schema: ${issuesText(checked.error)}`,
      where: node.address,
      todo: `run it again with --force '${node.address}'`,
    })
  }

  private codeOf(node: GraphNode): NodeCode {
    if (node.task.kind !== 'pure') return { version: node.task.version }
    const run = this.identities.ofTask(node.task)
    const ports = Object.entries(node.code)
    if (ports.length === 0) return { run }
    return { run, ports: Object.fromEntries(ports.map(([port, value]) => [port, this.identities.ofValue(value)])) }
  }

  /** Without its descriptor nobody can say what a source gave. */
  private typeOrLoss(artifact: Digest): {
    readonly type?: string
    readonly lost?: 'evicted' | 'missing' | 'quarantined'
  } {
    try {
      return { type: this.store.readDescriptor(artifact).type }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.seen.clear()
      if (error.code === 'corrupt') return { lost: 'quarantined' }
      if (error.code !== 'unverifiable') throw error
      const presence = this.presence(artifact)
      // Somebody may have brought it back in between.
      return presence === 'present' ? { type: this.store.readDescriptor(artifact).type } : { lost: presence }
    }
  }

  /** Of a source that had nothing. */
  private isRecheckDue(observation: StoredRecord): boolean {
    const { recheckAfterMs, atMs } = this.store.records.payload(observation) as RecordPayload
    if (recheckAfterMs === undefined) return false
    this.nextRecheckAtMs = Math.min(this.nextRecheckAtMs ?? Number.POSITIVE_INFINITY, atMs + recheckAfterMs)
    return this.options.nowMs - atMs >= recheckAfterMs
  }

  /** Every (task, code, params) that was ever recorded, whatever its inputs were, by task. What an imported snapshot
   *  observed stands in its manifest alone. */
  private readLineages(): Map<string, Set<string>> {
    const lineages = new Map<string, Set<string>>()
    const add = (spec: Pick<ManifestNode, 'task' | 'code' | 'params'>): void => {
      const ofTask = lineages.get(spec.task)
      if (ofTask === undefined) lineages.set(spec.task, new Set([lineageOf(spec)]))
      else ofTask.add(lineageOf(spec))
    }
    for (const node of (this.options.frozen ?? this.options.from)?.nodes ?? []) if (node.kind === 'source') add(node)
    for (const kind of ['result', 'observation'] as const) {
      this.store.records.scan(kind, (record) => {
        const payload = this.store.records.payload(record) as RecordPayload | undefined
        if (payload !== undefined) add(payload.spec)
      })
    }
    return lineages
  }
}

const lineageOf = ({ code, params }: Pick<ManifestNode, 'code' | 'params'>): string => canonicalJson([code, params])

/** Source nodes of a manifest by key. */
function sourceArtifacts(manifest: Manifest): Map<Digest, Digest> {
  const found = new Map<Digest, Digest>()
  for (const { address: _address, artifact, ...spec } of manifest.nodes) {
    if (spec.kind === 'source') found.set(keyOfSpec(specOf(spec)), artifact)
  }
  return found
}
