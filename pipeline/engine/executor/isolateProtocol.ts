import type { Inspection } from './inspection.ts'
import type { Job } from './job.ts'
import type { JobOutcome, PackageDirs } from './protocol.ts'

export interface IsolateRequest {
  readonly stagingDir: string
  readonly job: Job
  readonly packageDirs: PackageDirs
  /** It waits for a debugger on this port of this machine; on any free one for 0. */
  readonly inspect?: Inspection & { readonly port: number }
}

export type IsolateAnswer =
  | { readonly kind: 'done'; readonly outcome: JobOutcome }
  /** The address a debugger opens. */
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'cannot listen'; readonly why: string }
