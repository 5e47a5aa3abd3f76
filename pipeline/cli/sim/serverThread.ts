import { Worker } from 'node:worker_threads'
import type { FaultPlan } from '../../../lib/sim/faults/plan.ts'
import type { Answered } from '../../../lib/sim/server.ts'

/** What the exchange in its thread is told. */
export interface ServerData {
  readonly seed: number | string
  readonly nowTsMs: number
  readonly port: number
  readonly host: string
  readonly faults: FaultPlan
}

/** What it tells. */
export type FromServer =
  | { readonly kind: 'serving'; readonly url: string }
  | ({ readonly kind: 'request' } & Answered)
  | { readonly kind: 'stopped'; readonly requests: number; readonly refused: number; readonly weight: number }
  | { readonly kind: 'failed'; readonly message: string }

export interface ServerThread {
  /** Lets go of the port; what it was asked comes as `stopped`. */
  stop(): void
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>
}

export function startServerThread(data: ServerData, onMessage: (message: FromServer) => void): ServerThread {
  const worker = new Worker(new URL('./simServer.js', import.meta.url), { workerData: data })
  worker.on('message', onMessage)
  return {
    stop: () => worker.postMessage('stop'),
    ended: new Promise((resolve, reject) => {
      worker.once('error', reject)
      worker.once('exit', () => resolve())
    }),
  }
}
