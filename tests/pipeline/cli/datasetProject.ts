import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ServerOptions, startExchange } from '../../../lib/sim/server.ts'

const graphs = fileURLToPath(new URL('../../../pipeline/graphs/', import.meta.url))

/** A project that keeps a small data set of the exchange at this address. */
export function writeDatasetProject(dir: string, url: string, config: object = {}): void {
  mkdirSync(dir, { recursive: true })
  const whole = {
    source: 'binance',
    baseUrls: { usdm: url, spot: url, archive: url, listing: url },
    // The same steps as ever, with hardly a wait between them.
    http: { backoffMsMin: 1, backoffMsMax: 3, forbiddenPauseMs: 1, pauseMsMin: 1, attemptsMax: 3, budgetShare: 1 },
    from: '2026-08-01',
    universe: { mode: 'listed', symbols: ['BTCUSDT', 'ETHUSDT'] },
    bars: [{ interval: '1h' }],
    ...config,
  }
  writeFileSync(
    join(dir, 'pipe.config.ts'),
    `import { dataset } from ${JSON.stringify(join(graphs, 'dataset.ts'))}

export default { root: '.pipe', pipelines: [{ pipeline: dataset, config: ${JSON.stringify(whole)} }] }
`,
  )
}

/** The embedded exchange over real sockets, with a list of what it was asked. */
export async function startCountedExchange(options: ServerOptions = {}) {
  const running = await startExchange(options)
  const asked: string[] = []
  const { exchange } = running
  const handle = exchange.handle.bind(exchange)
  exchange.handle = (request) => {
    asked.push(request.url)
    return handle(request)
  }
  return {
    ...running,
    /** What was asked since the last call, in order. */
    takeAsked: (): string[] => asked.splice(0),
  }
}
