import { canonicalJson } from '../../../cas/canonicalJson.ts'
import type { Digest } from '../../../cas/digest.ts'
import type { Store } from '../../../cas/store.ts'
import type { Manifest, ManifestNode } from '../../../snapshots/manifest.ts'
import { type ComparedNode, nodeCauses } from '../../../snapshots/nodeChange.ts'
import type { RecordPayload } from '../recordPayload.ts'
import type { CodeChange, Reason } from '../verdict.ts'
import type { Decision } from './decide.ts'
import type { NodeState } from './walk.ts'

export interface ReasonSources {
  readonly store: Store
  /** The last finished run of the pipeline: where a node's nearest earlier self is looked for first. */
  readonly previous: Manifest | undefined
  explainCode(before: Digest, after: Digest): readonly CodeChange[]
}

/** Says why nodes run, against the nearest earlier record: the same address if it ever ran, else the same task with the
 *  same params, else the same task. */
export class Reasons {
  private readonly sources: ReasonSources
  private readonly previousByAddress: ReadonlyMap<string, ManifestNode>
  private earlier: Map<string, Earlier> | undefined

  constructor(sources: ReasonSources) {
    this.sources = sources
    this.previousByAddress = new Map(sources.previous?.nodes.map((node) => [node.address, node]))
  }

  /** The artifact this address had in the run before. */
  previousArtifact(address: string): Digest | undefined {
    return this.previousByAddress.get(address)?.artifact
  }

  of(state: NodeState, decision: Decision, pendingAfter: readonly string[]): Reason[] {
    if (decision.kind === 'restore') return [{ kind: decision.why }]
    if (decision.kind !== 'run') return []
    if (decision.why === 'forced') return [{ kind: state.node.task.kind === 'source' ? 'refresh' : 'forced' }]
    if (decision.why === 'recheck due') return [{ kind: 'recheck due' }]
    const nearest = this.nearest(state.node.address, state.node.task.name, state.node.params)
    if (nearest === undefined)
      return pendingAfter.length > 0 ? [{ kind: 'upstream', after: pendingAfter }] : [{ kind: 'never built' }]
    const now = specNow(state)
    if (now === undefined) return [{ kind: 'upstream', after: pendingAfter }]
    const reasons = nodeCauses(nearest, now).flatMap((cause) => this.reasonOf(cause, state))
    return reasons.length > 0 ? reasons : [{ kind: 'never built' }]
  }

  /** The spec a node had when it last ran, wherever that was recorded. */
  nearest(address: string, task: string, params: unknown): ComparedNode | undefined {
    const previous = this.previousByAddress.get(address)
    if (previous !== undefined) return previous
    this.earlier ??= this.readEarlier()
    const best =
      this.earlier.get(`address ${address}`) ??
      this.earlier.get(`params ${task} ${canonicalJson(params)}`) ??
      this.earlier.get(`task ${task}`)
    return best === undefined
      ? undefined
      : { ...best.payload.spec, address: best.payload.address, artifact: best.artifact }
  }

  /** The newest record by address, by task and params, and by task. */
  private readEarlier(): Map<string, Earlier> {
    const newest = new Map<string, Earlier>()
    const offer = (name: string, candidate: Earlier): void => {
      const best = newest.get(name)
      if (best === undefined || candidate.sequence > best.sequence) newest.set(name, candidate)
    }
    for (const kind of ['result', 'observation'] as const) {
      this.sources.store.records.scan(kind, (record) => {
        const payload = this.sources.store.records.payload(record) as RecordPayload | undefined
        if (payload === undefined) return
        const candidate: Earlier = { payload, artifact: record.artifact, sequence: record.sequence }
        const { task, params } = payload.spec
        offer(`address ${payload.address}`, candidate)
        offer(`params ${task} ${canonicalJson(params)}`, candidate)
        offer(`task ${task}`, candidate)
      })
    }
    return newest
  }

  private reasonOf(cause: ReturnType<typeof nodeCauses>[number], state: NodeState): Reason[] {
    switch (cause.kind) {
      case 'code':
        return [{ kind: 'code', changes: this.sources.explainCode(cause.before, cause.after) }]
      case 'code port':
        if (cause.before === undefined || cause.after === undefined) return [{ kind: 'code', changes: [] }]
        return [{ kind: 'code', changes: this.sources.explainCode(cause.before, cause.after) }]
      case 'version':
        return [{ kind: 'version', before: cause.before, after: cause.after }]
      case 'params':
        return [{ kind: 'params', changes: cause.changes.map(({ path, before, after }) => ({ path, before, after })) }]
      case 'input': {
        const states = state.inputs.find((input) => input.port === cause.port)?.states ?? []
        const changed = states.filter((input) => input.artifact !== this.previousArtifact(input.node.address))
        return [{ kind: 'input', port: cause.port, upstream: changed.map((input) => input.node.address) }]
      }
      case 'as of':
        return [{ kind: 'as of', beforeMs: cause.beforeMs ?? 0, afterMs: cause.afterMs ?? 0 }]
      default:
        return []
    }
  }
}

interface Earlier {
  readonly payload: RecordPayload
  readonly artifact: Digest | undefined
  readonly sequence: number
}

function specNow(state: NodeState): ComparedNode | undefined {
  if (state.spec === undefined) return undefined
  return { ...(JSON.parse(state.spec) as RecordPayload['spec']), address: state.node.address }
}
