import assert from 'node:assert/strict'
import process from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { type Answered, serveExchange, startExchange } from '../../../lib/sim/server.ts'
import { type HostName, hostNames } from '../../../lib/venues/hosts.ts'
import type { FromServer, ServerData } from './serverThread.ts'

/** The thread that is the exchange: making a month of archives takes a second, and the command's own thread has to hear
 *  Ctrl-C meanwhile. */
const port = parentPort
assert.ok(port !== null, 'this runs in a worker thread')
const tell = (message: FromServer): void => port.postMessage(message)
const { seed, nowTsMs, hasHosts, ...server } = workerData as ServerData

try {
  const onAnswer = (answered: Answered): void => tell({ kind: 'request', ...answered })
  const first = await startExchange({ ...server, market: { ...defaultWorld, seed, nowTsMs }, onAnswer })
  const running = [first]
  const urls: [HostName, string][] = []
  for (const [i, name] of hostNames.entries()) {
    if (hasHosts && i > 0) {
      const at = server.port === 0 ? 0 : server.port + i
      running.push(await serveExchange(first.exchange, { ...server, port: at, onAnswer }))
    }
    urls.push([name, running.at(-1)!.url])
  }
  tell({ kind: 'serving', urls: Object.fromEntries(urls) as Record<HostName, string> })
  port.once('message', async () => {
    await Promise.all(running.map((one) => one.close()))
    port.close()
  })
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  tell({ kind: 'failed', message: code ?? message })
  // An address that was free is let go of with the thread.
  process.exit()
}
