import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import { claim, type JobMessage, type OutcomeMessage, progressCell, type WorkerSetup } from './protocol.ts'
import { createJobRunner } from './runJob.ts'

// The entry of a worker thread: takes jobs one after another. The next one waits here already while one runs, so that
// no time passes between them; until it is claimed, the pool may take it back.

assert.ok(parentPort !== null, 'this file is started as a worker thread')
const port = parentPort
const { stagingDir, memoryMb, claims, progress } = workerData as WorkerSetup
const { compareExchange } = Atomics
const runner = createJobRunner(stagingDir, memoryMb, (tsMs) => {
  progress[progressCell.tsMs] = tsMs
  progress[progressCell.count]!++
})
const waiting: JobMessage[] = []
let running = false

port.on('message', (message: JobMessage) => {
  // By index: an array's methods are what the running task made of them.
  waiting[waiting.length] = message
  if (!running) void work()
})

async function work(): Promise<void> {
  running = true
  for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
    const { place, job, packageDirs } = message
    if (compareExchange(claims, place, claim.free, claim.worker) !== claim.free) {
      const takenBack: OutcomeMessage = { place }
      port.postMessage(takenBack)
      continue
    }
    const outcome = await runner.run(job, packageDirs)
    const answer: OutcomeMessage = { place, outcome }
    port.postMessage(answer)
    // The pool replaces a thread that is no longer as it was.
    if (!outcome.sound) return
  }
  running = false
}
