import type { Digest } from '../../../cas/digest.ts'
import { absentType } from '../../../snapshots/manifest.ts'
import type { Decision } from '../walk/decide.ts'
import type { NodeState } from '../walk/walk.ts'
import type { RunOptions, UntimedEvent } from './options.ts'
import type { Made } from './publish.ts'

/** What a run says of a node it did not execute. */
export const cachedEvent = ({ node }: NodeState, artifact: Digest): UntimedEvent => ({
  kind: 'node cached',
  address: node.address,
  task: node.task.name,
  artifact,
})

export function startedEvent(state: NodeState, decision: Decision, { history, reasons }: RunOptions): UntimedEvent {
  const { address, task } = state.node
  const expectedMs = history.estimate(task.name)?.p50Ms
  return {
    kind: 'node started',
    address,
    task: task.name,
    taskKind: task.kind,
    because: reasons.of(state, decision, []),
    ...(expectedMs === undefined ? {} : { expectedMs }),
    ...(task.limits?.group === undefined ? {} : { group: task.limits.group }),
  }
}

export const doneEvent = (
  { node }: NodeState,
  { wallMs, type }: Made,
  published: { readonly artifact: Digest; readonly bytesOut: number },
  unchanged: boolean,
): UntimedEvent => ({
  kind: 'node done',
  address: node.address,
  task: node.task.name,
  artifact: published.artifact,
  wallMs,
  bytesOut: published.bytesOut,
  unchanged,
  ...(type === absentType ? { absent: 'the source has nothing here' } : {}),
})
