import assert from 'node:assert/strict'
import type { IsolateAnswer, IsolateRequest } from './isolateProtocol.ts'
import { createJobRunner } from './workerJob.ts'

// The entry of a child process that runs one job and is then killed.

assert.ok(process.send !== undefined && process.env.TZ === 'UTC', 'this file is started as a child process')
const send = process.send.bind(process)

process.once('message', async ({ stagingDir, job, packageDirs }: IsolateRequest) => {
  // Nothing comes after it that inputs could be kept for, and only its whole time is watched.
  const outcome = await createJobRunner(stagingDir, 0, () => {}).run(job, packageDirs)
  const answer: IsolateAnswer = { outcome }
  send(answer)
})
