import type { Digest } from '../../cas/digest.ts'

/** Why a node runs, in a closed set that a program can switch on. */
export type Reason =
  | { readonly kind: 'never built' }
  | { readonly kind: 'forced' } // --force
  | { readonly kind: 'refresh' } // --refresh, a source asked again
  | { readonly kind: 'recheck due' } // an absent source whose time has come
  | { readonly kind: 'code'; readonly changes: readonly CodeChange[]; readonly port?: string } // of the task, or wired to a port
  | { readonly kind: 'version'; readonly before: number; readonly after: number }
  | { readonly kind: 'params'; readonly changes: readonly ParamChange[] }
  | {
      readonly kind: 'input'
      readonly port: string
      readonly upstream: readonly string[]
      readonly before?: Digest
      readonly after?: Digest
    }
  | { readonly kind: 'as of'; readonly beforeMs: number; readonly afterMs: number }
  | { readonly kind: 'evicted' } // recorded, bytes evicted, and somebody demands them
  | { readonly kind: 'missing' } // recorded, bytes gone without an eviction record: damage
  | { readonly kind: 'quarantined' } // recorded, bytes found corrupt
  | { readonly kind: 'always' } // a sink
  | { readonly kind: 'upstream'; readonly after: readonly string[] } // it waits for these; none where it waits for a list

export interface CodeChange {
  readonly file: string
  readonly symbol: string
  readonly change: 'added' | 'removed' | 'changed'
  /** Modules from the task to the file. */
  readonly chain: readonly string[]
}

export interface ParamChange {
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

/** What `pipe plan` says about one node, and `pipe run` then does. */
export type Verdict =
  | { readonly kind: 'cached'; readonly artifact: Digest }
  | { readonly kind: 'will run'; readonly because: readonly Reason[] }
  | { readonly kind: 'may run'; readonly after: readonly string[] } // these run, and may come out the same
  | {
      readonly kind: 'unknown'
      readonly until: readonly string[] // the graph grows once these are known
      /** Stands for all nodes that grow out of one list of this node; its own address is a name inside the engine. */
      readonly forEach?: string
      readonly lastCount?: number
    }
  | { readonly kind: 'blocked'; readonly why: string } // a frozen or offline run lacks it

export interface PlanNode {
  readonly address: string
  readonly task: string
  readonly kind: 'source' | 'pure' | 'sink'
  readonly verdict: Verdict
  /** Addresses this node reads from. */
  readonly inputs: readonly string[]
  /** From earlier runs of the task; absent where there were none. */
  readonly estimate?: {
    readonly p50Ms: number
    readonly p90Ms: number
    readonly bytes: number
    readonly requests: number
  }
}

export interface Plan {
  readonly pipeline: string
  readonly targets: readonly string[]
  readonly asOfMs: number
  readonly snapshot?: string
  readonly nodes: readonly PlanNode[]
  /** Wall time over the slots there are, from the nodes' estimates; absent without history. */
  readonly estimate?: {
    readonly p50Ms: number
    readonly p90Ms: number
    readonly bytes: number
    readonly requests: number
    readonly nodesWithoutHistory: number
  }
}
