import { Worker } from 'node:worker_threads'
import type { FaultPlan } from '../../../lib/sim/faults/plan.ts'
import type { Answered } from '../../../lib/sim/server.ts'
import type { HostName } from '../../../lib/venues/hosts.ts'

/** What the exchange in its thread is told. */
export interface ServerData {
  readonly seed: number | string
  readonly nowTsMs: number
  readonly port: number
  readonly host: string
  readonly faults: FaultPlan
  /** Whether each of the venue's hosts has an address of its own: the ports after the first, where that is given. */
  readonly hasHosts: boolean
}

/** What it tells. */
export type FromServer =
  | { readonly kind: 'serving'; readonly urls: Readonly<Record<HostName, string>> }
  | ({ readonly kind: 'request' } & Answered)
  | { readonly kind: 'failed'; readonly message: string }

export interface ServerThread {
  /** Lets go of the port. An exchange that is busy making an archive is not waited for. */
  stop(): void
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>
}

/** A year of trades as one archive takes far longer to make. */
const patienceMs = 500

export function startServerThread(data: ServerData, onMessage: (message: FromServer) => void): ServerThread {
  const worker = new Worker(new URL('./simServer.js', import.meta.url), { workerData: data })
  worker.on('message', onMessage)
  return {
    stop() {
      worker.postMessage('stop')
      setTimeout(() => void worker.terminate(), patienceMs).unref()
    },
    ended: new Promise((resolve, reject) => {
      worker.once('error', reject)
      worker.once('exit', () => resolve())
    }),
  }
}
