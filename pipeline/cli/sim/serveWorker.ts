import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import { defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { startExchange } from '../../../lib/sim/server.ts'
import type { FromServer, ServerData } from './serverThread.ts'

/** The thread that is the exchange: making a month of archives takes a second, and the command's own thread has to hear
 *  Ctrl-C meanwhile. */
const port = parentPort
assert.ok(port !== null, 'this runs in a worker thread')
const tell = (message: FromServer): void => port.postMessage(message)
const { seed, nowTsMs, ...server } = workerData as ServerData

try {
  const running = await startExchange({
    ...server,
    market: { ...defaultWorld, seed, nowTsMs },
    onAnswer: (answered) => tell({ kind: 'request', ...answered }),
  })
  tell({ kind: 'serving', url: running.url })
  port.once('message', async () => {
    await running.close()
    port.close()
  })
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  tell({ kind: 'failed', message: code ?? message })
  port.close()
}
