import type { Digest } from '../../../cas/digest.ts'
import type { Lease } from '../../../cas/leases.ts'
import type { Store } from '../../../cas/store.ts'
import type { Manifest } from '../../../snapshots/manifest.ts'
import type { NodeFailure, RunCounts, RunEvent } from '../event.ts'
import type { CodeRef, Executor } from '../executor/job.ts'
import type { NodeGraph } from '../walk/nodes.ts'
import type { Reasons } from '../walk/reasons.ts'
import type { Knowledge, NodeState } from '../walk/walk.ts'
import type { History } from './history.ts'

/** How long a pure task is waited for. */
export interface Patience {
  /** Where the task does not say it itself. */
  readonly timeoutMs: number
  /** After the last time it said how far it has come. */
  readonly silenceMs: number
}

/** All that a run works with, handed in by whoever starts it. */
export interface RunOptions {
  readonly runId: string
  readonly pipeline: string
  readonly config: unknown
  readonly graph: NodeGraph
  readonly targets: readonly string[]
  readonly knowledge: Knowledge
  readonly reasons: Reasons
  readonly store: Store
  readonly executor: Executor
  readonly lease: Lease
  readonly history: History
  readonly limits: Readonly<Record<string, number>>
  readonly memoryMb: number
  readonly patience: Patience
  readonly keepGoing: boolean
  /** The run is to be pinned: everything its manifest names has to be whole then, whether a node read it or not. */
  readonly isToBePinned: boolean
  /** The address of a node that goes before all others as soon as it can run. */
  readonly first?: string
  readonly snapshot?: string
  readonly logPath: string
  /** Code objects as the executor reads them, stored when they are first needed. */
  storeCode(state: NodeState): Promise<{ readonly code: CodeRef; readonly ports: Readonly<Record<string, CodeRef>> }>
  rerunCommand(address: string): string
  emit(event: RunEvent): void
  /** Aborted by the first Ctrl-C: finish what runs, start nothing, and tell sources to come to an end. */
  readonly stop: AbortSignal
  /** How long a source may go on receiving after that. */
  readonly stopGraceMs?: number
  /** Aborted by the second: stop now. */
  readonly stopNow: AbortSignal
  /** Monotonic, for durations; and the wall clock, for provenance only. */
  readonly monotonicMs: () => number
  readonly wallMs: () => number
}

export interface RunOutcome {
  readonly outcome: 'ok' | 'failed' | 'partial' | 'interrupted' | 'disputed'
  readonly counts: RunCounts
  /** Only where every node has its artifact. */
  readonly manifest?: Manifest
  readonly failures: readonly { readonly address: string; readonly failure: NodeFailure }[]
  /** When the first absent source is due to be asked again: until then the same run has the same answer. */
  readonly nextRecheckAtMs?: number
  readonly disputes: readonly {
    readonly address: string
    readonly key: Digest
    readonly first: Digest
    readonly second: Digest
  }[]
}

/** An event before the run has said when it happened. */
export type UntimedEvent = RunEvent extends infer E ? (E extends unknown ? Omit<E, 'elapsedMs'> : never) : never
