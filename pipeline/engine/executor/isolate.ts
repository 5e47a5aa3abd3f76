import assert from 'node:assert/strict'
import inspector from 'node:inspector'
import type { IsolateAnswer, IsolateRequest } from './isolateProtocol.ts'
import { createJobRunner } from './runJob.ts'

// The entry of a child process that runs one job and is then killed.

assert.ok(process.send !== undefined && process.env.TZ === 'UTC', 'this file is started as a child process')
const send = process.send.bind(process) as (answer: IsolateAnswer, sent?: () => void) => void

process.once('message', async ({ stagingDir, job, packageDirs, inspect }: IsolateRequest) => {
  if (inspect !== undefined && !listen(inspect.port)) return
  // Nothing comes after it that inputs could be kept for, and only its whole time is watched.
  const outcome = await createJobRunner(stagingDir, 0, () => {}).run(job, packageDirs, inspect)
  send({ kind: 'done', outcome })
})

/** Stands still until a debugger has come and let it go on. Nobody from another machine can. */
function listen(port: number): boolean {
  inspector.open(port, '127.0.0.1')
  const url = inspector.url()
  if (url === undefined) {
    send({ kind: 'cannot listen', why: `port ${port} of 127.0.0.1 cannot be opened` })
    return false
  }
  // Written when this returns, and nothing comes between: a debugger that says "go on" before anybody waits is not heard.
  send({ kind: 'listening', url })
  inspector.waitForDebugger()
  return true
}
