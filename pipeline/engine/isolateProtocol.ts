import type { Job } from './job.ts'
import type { JobOutcome, PackageDirs } from './workerProtocol.ts'

export interface IsolateRequest {
  readonly stagingDir: string
  readonly job: Job
  readonly packageDirs: PackageDirs
}

export interface IsolateAnswer {
  readonly outcome: JobOutcome
}
