import { describeArtifact } from '../../../cas/artifact.ts'
import type { Digest } from '../../../cas/digest.ts'
import type { RecordEntry } from '../../../cas/records.ts'
import { type Staged, stageBytes } from '../../../cas/staging.ts'
import type { Store } from '../../../cas/store.ts'
import type { RecordPayload } from '../recordPayload.ts'
import type { NodeState } from '../walk/walk.ts'
import type { MadeFile } from './materials.ts'

/** What an execution gave, before it has a name. */
export interface Made {
  readonly type: string
  readonly files: readonly MadeFile[]
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakRssMb: number
  readonly requests: number
  readonly attempts?: number
  readonly notes?: readonly Readonly<Record<string, unknown>>[]
  readonly recheckAfterMs?: number
}

export interface Published {
  readonly artifact: Digest
  readonly bytesOut: number
  /** The key was recorded with other bytes before: the first record serves on. */
  readonly disputedWith?: Digest
  /** Resolves once everything is durable. */
  readonly durable: Promise<void>
}

/** Names what an execution made, and hands it to the store together with its record. Objects first, record behind
 *  them: the store keeps that order within a group. */
export function publish(
  store: Store,
  state: NodeState,
  made: Made,
  lists: ReadonlyMap<Digest, string>,
  listsStored: Set<Digest>,
  atMs: number,
): Published {
  const files = made.files.map(({ name, staged, rows }) => ({
    name,
    digest: staged.digest,
    sizeBytes: staged.sizeBytes,
    ...(rows === undefined ? {} : { rows }),
  }))
  const described = describeArtifact(made.type, files)
  const staged: Staged[] = made.files.map((file) => file.staged)
  staged.push(stageBytes(store.stagingDir, described.bytes))
  const spec: RecordPayload['spec'] & { readonly format: 1 } = { format: 1, ...state.spec! }
  for (const list of listsOf(spec)) {
    if (listsStored.has(list)) continue
    listsStored.add(list)
    staged.push(stageBytes(store.stagingDir, lists.get(list)!))
  }

  const bytesOut = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  const isSource = state.node.task.kind === 'source'
  const before = isSource ? undefined : store.records.result(state.key!)?.artifact
  const disputedWith = before !== undefined && before !== described.id ? before : undefined
  const payload: RecordPayload = {
    spec,
    address: state.node.address,
    cost: {
      wallMs: round(made.wallMs),
      cpuMs: round(made.cpuMs),
      peakRssMb: round(made.peakRssMb),
      bytesOut,
      requests: made.requests,
    },
    atMs,
    runtime: process.version,
    ...(made.attempts === undefined ? {} : { attempts: made.attempts }),
    ...(made.notes === undefined || made.notes.length === 0 ? {} : { notes: made.notes }),
    ...(made.recheckAfterMs === undefined ? {} : { recheckAfterMs: made.recheckAfterMs }),
  }
  const records: RecordEntry[] = []
  // The same bytes again are no news for a pure node; a source's answer always is, for it says when it was asked.
  if (isSource || before !== described.id) {
    records.push({ kind: isSource ? 'observation' : 'result', key: state.key!, artifact: described.id, payload })
  }
  if (store.records.isEvicted(described.id)) records.push({ kind: 'restored', key: described.id })
  return { artifact: described.id, bytesOut, disputedWith, durable: store.commit({ staged, records }) }
}

/** Digests of the ordered lists that a node's `many` inputs are named by. */
function listsOf({ inputs }: RecordPayload['spec']): Digest[] {
  return Object.values(inputs).flatMap((input) => (typeof input === 'object' && input !== null ? [input.list] : []))
}

const round = (value: number): number => Math.round(value * 100) / 100
