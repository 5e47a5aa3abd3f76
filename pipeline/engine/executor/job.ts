import type { Digest } from '../../../cas/digest.ts'
import type { Staged } from '../../../cas/staging.ts'
import type { Place } from './movedFile.ts'

/** One execution of a pure node as the executor is handed it: everything by value or by path, nothing by reference
 *  into the engine, so that a worker, a child process or another machine can do it. */
export interface Job {
  /** For messages only: it is not part of the key, and no result may depend on it. */
  readonly address: string
  readonly task: string
  readonly code: CodeRef
  /** Strategies and other code ports, by port name. */
  readonly ports: Readonly<Record<string, CodeRef>>
  /** Parsed params as canonical JSON text. */
  readonly paramsJson: string
  readonly inputs: Readonly<Record<string, JobInput>>
  readonly timeoutMs?: number
  /** How long it may say nothing once it has said how far it has come. */
  readonly silenceMs?: number
  readonly memoryMb?: number
  /** In a child process that can be killed, not in a worker thread. */
  readonly isolate?: boolean
}

/** A code object (see code/codeObject.ts) and where its bytes can be read. */
export type CodeRef = Place

export type JobInput =
  | { readonly kind: 'one'; readonly artifact: JobArtifact }
  | { readonly kind: 'many'; readonly artifacts: readonly JobArtifact[] }
  | { readonly kind: 'absent' }

export interface JobArtifact {
  readonly id: Digest
  readonly type: string
  /** Nodes that are yet to run read it too: whoever decodes it may keep what it found. */
  readonly readAgain?: boolean
  readonly files: readonly (Place & { readonly name: string; readonly sizeBytes: number })[]
}

export interface JobResult {
  /** The artifact type's name. */
  readonly type: string
  /** Written to the staging folder, hashed, not yet durable. */
  readonly files: readonly { readonly name: string; readonly staged: Staged; readonly rows?: number }[]
  readonly log: readonly string[]
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakRssMb: number
}

/** Runs pure jobs. The graph walk, the records and the store know nothing of how. */
export interface Executor {
  /** Rejects with a Fault (`failed`) that carries the task's own error as cause and, for a tripwire, the call and line. */
  execute(job: Job, signal: AbortSignal): Promise<JobResult>
  readonly slots: number
  close(): Promise<void>
}
