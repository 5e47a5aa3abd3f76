import type { Digest } from '../../cas/digest.ts'
import type { SourceWait } from './task.ts'
import type { Reason } from './verdict.ts'

/** Everything that can happen in a run, one member for each. Views, logs and `--json` are all made from this stream
 *  and from nothing else. Every event carries the run's own elapsed time; wall clock times are added at the edge. */
export type RunEvent = { readonly elapsedMs: number } & (
  | {
      readonly kind: 'run started'
      readonly run: string
      readonly pipeline: string
      readonly targets: readonly string[]
      readonly asOfMs: number
      readonly snapshot?: string
      readonly logPath: string
      readonly slots: number
      /** How many sources of a group run at once. */
      readonly limits?: Readonly<Record<string, number>>
    }
  | { readonly kind: 'graph grew'; readonly nodes: number; readonly unexpanded: number } // totals so far
  | { readonly kind: 'progress expected'; readonly remainingMs?: number; readonly nodesWithoutHistory?: number } // from history; refreshed as nodes finish
  | { readonly kind: 'node cached'; readonly address: string; readonly task: string; readonly artifact: Digest }
  | {
      readonly kind: 'node started'
      readonly address: string
      readonly task: string
      readonly taskKind: 'source' | 'pure' | 'sink'
      readonly because: readonly Reason[]
      readonly expectedMs?: number
      readonly group?: string
    }
  | { readonly kind: 'node progress'; readonly address: string; readonly bytes: number; readonly requests: number }
  | { readonly kind: 'node waiting'; readonly address: string; readonly on: string } // another process has it, or a limit
  | {
      readonly kind: 'node retried'
      readonly address: string
      readonly attempt: number
      readonly error: string
      readonly waitMs?: number
    }
  | ({ readonly kind: 'node waiting to retry'; readonly address: string } & SourceWait) // a request of a source failed
  | { readonly kind: 'node log'; readonly address: string; readonly line: string }
  | {
      readonly kind: 'node done'
      readonly address: string
      readonly task: string
      readonly artifact: Digest
      readonly wallMs: number
      readonly bytesOut: number
      readonly unchanged: boolean
      readonly absent?: string
    }
  | {
      readonly kind: 'node healed'
      readonly address: string
      readonly artifact: Digest
      readonly what: 'evicted' | 'missing' | 'quarantined'
    }
  | {
      readonly kind: 'node disputed'
      readonly address: string
      readonly key: Digest
      readonly first: Digest
      readonly second: Digest
      readonly difference?: string
    }
  | { readonly kind: 'node failed'; readonly address: string; readonly task: string; readonly failure: NodeFailure }
  | { readonly kind: 'node skipped'; readonly address: string; readonly after: string } // its input failed, or the run is stopping
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'stopping'; readonly how: 'after running nodes' | 'now' } // Ctrl-C once, twice
  | { readonly kind: 'snapshot pinned'; readonly name: string; readonly id: Digest }
  | {
      readonly kind: 'run finished'
      readonly outcome: 'ok' | 'failed' | 'partial' | 'interrupted' | 'disputed'
      readonly manifest?: Digest
      readonly counts: RunCounts
    }
)

/** Everything a person needs to see what broke and to run only that again. */
export interface NodeFailure {
  readonly message: string
  readonly stack?: string
  /** A FaultCode. */
  readonly code: string
  readonly params: unknown
  readonly inputs: Readonly<Record<string, string>>
  readonly attempts: number
  readonly logPath: string
  readonly rerun: string
}

export interface RunCounts {
  readonly total: number
  readonly cached: number
  readonly executed: number
  readonly unchanged: number // executed, with the bytes it had before
  readonly failed: number
  readonly skipped: number
}
