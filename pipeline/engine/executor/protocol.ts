import type { Digest } from '../../../cas/digest.ts'
import type { FaultCode } from '../../../lib/fault.ts'
import type { Violation } from '../guard/trip.ts'
import type { Job, JobResult } from './job.ts'

/** What a worker thread is started with. */
export interface WorkerSetup {
  readonly stagingDir: string
  /** Its share of what all pure tasks may use together. */
  readonly memoryMb: number
  /** One cell for each place in the worker's queue: whoever writes its mark first may run what was put there. */
  readonly claims: Int32Array<SharedArrayBuffer>
  readonly progress: Progress
}

/** Where a running job is: how often it has said so, and the instant of market time it said last. Written by the thread
 *  and read by the pool, so that it costs two stores and no message. */
export type Progress = Float64Array<SharedArrayBuffer>
export const progressCell = { count: 0, tsMs: 1 } as const

/** Marks in `claims`. */
export const claim = { free: 0, worker: 1, pool: 2 } as const

/** Folders of the package closures that a job's code names, by `name@version`. */
export type PackageDirs = Readonly<Record<string, string>>

export interface JobMessage {
  /** The place in the worker's queue, and in `claims`. */
  readonly place: number
  readonly job: Job
  readonly packageDirs: PackageDirs
}

export interface OutcomeMessage {
  readonly place: number
  /** Absent when the pool had taken the job back: its place is free now. */
  readonly outcome?: JobOutcome
}

export type JobOutcome = {
  /** False when the run changed the thread for good; it must be replaced. */
  readonly sound: boolean
} & (
  | { readonly kind: 'done'; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly failure: JobFailure; readonly log: readonly string[] }
)

/** Where in a job something went wrong. */
export type Phase = 'code' | 'params' | 'input' | 'run' | 'output'

/** An error, made of plain values to cross threads. */
export interface JobFailure {
  readonly phase: Phase
  /** The input or file it is about. */
  readonly subject: string | undefined
  readonly name: string
  readonly message: string
  /** Frames of the task's own bundle only. */
  readonly stack: string
  readonly tripwire: Pick<Violation, 'did' | 'call' | 'advice'> | undefined
  readonly fault:
    | {
        readonly code: FaultCode
        readonly what: string
        readonly where?: string
        readonly todo?: string
        /** The object whose bytes could not be trusted. */
        readonly digest?: Digest
      }
    | undefined
}
