import type { z } from 'zod'
import { canonicalJson, parseCanonicalJson } from '../../../cas/canonicalJson.ts'
import type { Digest } from '../../../cas/digest.ts'
import type { Store } from '../../../cas/store.ts'
import { jsonChanges } from '../../../snapshots/jsonChanges.ts'
import type { Manifest, ManifestNode, NodeInput } from '../../../snapshots/manifest.ts'
import { type ComparedNode, type NodeCause, nodeCauses } from '../../../snapshots/nodeChange.ts'
import type { RecordPayload } from '../recordPayload.ts'
import type { CodeChange, ParamChange, Reason } from '../verdict.ts'
import type { Decision } from './decide.ts'
import { specSoFar } from './specs.ts'
import type { Knowledge, NodeState } from './walk.ts'

export interface ReasonSources {
  readonly store: Store
  readonly knowledge: Pick<Knowledge, 'code' | 'asOfMs'>
  /** The last finished run of the pipeline: where a node's nearest earlier self is looked for first. */
  readonly previous: () => Manifest | undefined
  explainCode(before: Digest, after: Digest): readonly CodeChange[]
}

/** Says why nodes run, against the nearest earlier record: the same address if it ever ran, else the same task with the
 *  same params under another address. A sibling of a fan-out is nobody's earlier self. */
export class Reasons {
  private readonly sources: ReasonSources
  private previousNodes: ReadonlyMap<string, ManifestNode> | undefined
  private earlier: ReturnType<Reasons['readEarlier']> | undefined
  private readonly explained = new Map<string, readonly CodeChange[]>()

  constructor(sources: ReasonSources) {
    this.sources = sources
  }

  /** The artifact this address had in the run before. */
  previousArtifact(address: string): Digest | undefined {
    return this.previousByAddress().get(address)?.artifact
  }

  /** @param pendingAfter what it reads and is not known yet, in a plan */
  of(state: NodeState, decision: Decision, pendingAfter: readonly string[]): Reason[] {
    if (decision.kind === 'restore') return [{ kind: decision.why }]
    if (decision.kind !== 'run') return []
    if (decision.why === 'forced') return [{ kind: state.node.task.kind === 'source' ? 'refresh' : 'forced' }]
    if (decision.why !== 'not recorded') return [{ kind: decision.why }]
    const reasons = this.comparedWithEarlier(state)
    // Without a key some input is not known: what is known is compared all the same.
    const upstream: Reason[] = state.key === undefined ? [{ kind: 'upstream', after: pendingAfter }] : []
    if (reasons === undefined) return [{ kind: 'never built' }, ...upstream]
    return reasons.length + upstream.length > 0 ? [...reasons, ...upstream] : [{ kind: 'never built' }]
  }

  private comparedWithEarlier(state: NodeState): Reason[] | undefined {
    const { node } = state
    const nearest = this.nearest(node.address, node.task.name, node.params)
    if (nearest === undefined) return undefined
    const now: ComparedNode = { ...specSoFar(state, this.sources.knowledge), address: node.address }
    return nodeCauses(nearest, now).flatMap((cause) => this.reasonOf(cause, state, nearest, now))
  }

  /** The spec a node had when it last ran, wherever that was recorded. */
  private nearest(address: string, task: string, params: unknown): ComparedNode | undefined {
    const previous = this.previousByAddress().get(address)
    if (previous !== undefined) return previous
    this.earlier ??= this.readEarlier()
    const { newest, tasks } = this.earlier
    const best =
      newest.get(`address ${address}`) ??
      // Of a task that never ran nothing has to be compared.
      (tasks.has(task) ? newest.get(`params ${task} ${canonicalJson(params)}`) : undefined)
    return best === undefined
      ? undefined
      : { ...best.payload.spec, address: best.payload.address, artifact: best.artifact }
  }

  private previousByAddress(): ReadonlyMap<string, ManifestNode> {
    this.previousNodes ??= new Map(this.sources.previous()?.nodes.map((node) => [node.address, node]))
    return this.previousNodes
  }

  /** The newest record by address, and by task and params. */
  private readEarlier(): { readonly newest: ReadonlyMap<string, Earlier>; readonly tasks: ReadonlySet<string> } {
    const newest = new Map<string, Earlier>()
    const tasks = new Set<string>()
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
        tasks.add(task)
        offer(`address ${payload.address}`, candidate)
        offer(`params ${task} ${canonicalJson(params)}`, candidate)
      })
    }
    return { newest, tasks }
  }

  private reasonOf(cause: NodeCause, state: NodeState, before: ComparedNode, now: ComparedNode): Reason[] {
    switch (cause.kind) {
      case 'code':
        return [{ kind: 'code', changes: this.codeChanges(cause.before, cause.after) }]
      case 'code port':
        if (cause.before === undefined || cause.after === undefined) {
          return [{ kind: 'code', port: cause.port, changes: [] }]
        }
        return [{ kind: 'code', port: cause.port, changes: this.codeChanges(cause.before, cause.after) }]
      case 'version':
        return [{ kind: 'version', before: cause.before, after: cause.after }]
      case 'params':
        return [{ kind: 'params', changes: paramChanges(state.node.task.params, before.params, now.params) }]
      case 'input':
        return this.inputReason(cause.port, state, before, now)
      case 'as of':
        return [{ kind: 'as of', beforeMs: cause.beforeMs ?? 0, afterMs: cause.afterMs ?? 0 }]
      default:
        return []
    }
  }

  /** One edit is the reason for every node of a fan-out. */
  private codeChanges(before: Digest, after: Digest): readonly CodeChange[] {
    const edit = `${before} ${after}`
    let changes = this.explained.get(edit)
    if (changes === undefined) this.explained.set(edit, (changes = this.sources.explainCode(before, after)))
    return changes
  }

  private inputReason(port: string, state: NodeState, before: ComparedNode, now: ComparedNode): Reason[] {
    const is = now.inputs[port]
    const isWired = state.node.wires.some((wire) => wire.port === port)
    // What is not known yet is no change so far; and a port that was never wired is the same as one that was not there.
    if (is === undefined && isWired) return []
    const was = before.inputs[port] ?? null
    if (was === null && (is ?? null) === null) return []
    const states = state.inputs.find((input) => input.port === port)?.states ?? []
    const held = this.artifactsOf(was)
    const changed = states.filter(({ artifact, node }) =>
      held === undefined ? artifact !== this.previousArtifact(node.address) : !held.has(artifact!),
    )
    return [
      {
        kind: 'input',
        port,
        upstream: changed.map(({ node }) => node.address),
        ...(typeof was === 'string' ? { before: was } : {}),
        ...(typeof is === 'string' ? { after: is } : {}),
      },
    ]
  }

  /** Nothing where its list is not kept any more. */
  private artifactsOf(input: NodeInput): ReadonlySet<Digest> | undefined {
    if (input === null) return new Set()
    if (typeof input === 'string') return new Set([input])
    try {
      return new Set(parseCanonicalJson(Buffer.from(this.sources.store.peekObject(input.list)).toString()) as Digest[])
    } catch {
      return undefined
    }
  }
}

/** By leaf, with the defaults in place: a record that left out what it did not say is compared by what that stood for. */
function paramChanges(schema: z.ZodType, before: unknown, after: unknown): readonly ParamChange[] {
  const [was, is] = [schema.safeParse(before), schema.safeParse(after)]
  const whole = was.success && is.success ? jsonChanges(was.data, is.data) : []
  // Two params may mean the same and still be two keys: a source's stay as they were said.
  const changes = whole.length > 0 ? whole : jsonChanges(before, after)
  return changes.map((change) => ({ path: change.path, before: change.before, after: change.after }))
}

interface Earlier {
  readonly payload: RecordPayload
  readonly artifact: Digest | undefined
  readonly sequence: number
}
