import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { zipOf } from '../../lib/sim/archive/zip.ts'
import type { MarketConfig } from '../../lib/sim/config.ts'
import { defaultWorld } from '../../lib/sim/defaultWorld.ts'
import { createExchange, type Exchange } from '../../lib/sim/exchange/exchange.ts'
import { monthStart } from '../../lib/time.ts'
import { readSingleFileZip } from '../../lib/zip.ts'

/** The universe is chosen by what was traded in the month before. */
const beforeMonth = '2024-06'
const fromMonth = '2024-07'
const toMonth = '2026-07'

const perpetuals = defaultWorld.instruments.filter(
  ({ market, contractType, delistTsMs }) =>
    market === 'usdm' && contractType === 'PERPETUAL' && delistTsMs === undefined,
)

/** The default world's coins over and over, under other names, with a history as long as the data set. */
export function worldOf(count: number): MarketConfig {
  const startTsMs = monthStart(beforeMonth)
  const assets: MarketConfig['assets'][number][] = []
  const instruments: MarketConfig['instruments'][number][] = []
  for (let n = 0; n < count; n++) {
    const model = perpetuals[n % perpetuals.length]!
    const name = `COIN${n}`
    assets.push({ ...defaultWorld.assets.find((asset) => asset.name === model.asset)!, name })
    const funding = [{ fromTsMs: startTsMs, hours: 8 as const }]
    instruments.push({ ...model, symbol: `${name}USDT`, asset: name, baseAsset: name, onboardTsMs: startTsMs, funding })
  }
  return { ...defaultWorld, startTsMs, assets, instruments, halts: [] }
}

/** The exchange of such a world whose archive generates the first of each kind of coin only: the others' files are those
 *  under other names. Two years of three hundred coins would take it half an hour, of which nothing is measured. */
export function exchangeOfTwins(count: number): Exchange {
  const exchange = createExchange(worldOf(count))
  const whole = new Map<string, Uint8Array>()
  const first = (url: string): Uint8Array => {
    const known = whole.get(url) ?? readSingleFileZip(exchange.handle({ method: 'GET', url }).body, url).bytes
    whole.set(url, known)
    return known
  }
  return {
    ...exchange,
    handle(request) {
      const [, n] = /^\/data\/.*\/COIN(\d+)USDT-[^/]*\.zip(\.CHECKSUM)?$/.exec(request.url) ?? []
      const model = Number(n) % perpetuals.length
      if (n === undefined || Number(n) === model) return exchange.handle(request)
      const url = request.url.replace('.CHECKSUM', '')
      const zip = zipOf(url.split('/').at(-1)!.replace('.zip', '.csv'), [
        { bytes: first(url.replaceAll(`COIN${n}USDT`, `COIN${model}USDT`)) },
      ])
      if (url === request.url) return { status: 200, headers: {}, body: zip }
      const digest = createHash('sha256').update(zip).digest('hex')
      return { status: 200, headers: {}, body: Buffer.from(`${digest}  ${url.split('/').at(-1)}\n`) }
    },
  }
}

/** A project that wants two years of bars and funding of everybody an exchange lists.
 *  @param mode chosen by what was traded in the month before, or named one by one */
export function writePlanProject(
  dir: string,
  url: string,
  symbols: number,
  interval: string,
  mode: 'historical' | 'listed' = 'historical',
): void {
  mkdirSync(dir)
  writeFileSync(join(dir, 'package.json'), '{ "name": "plan", "type": "module" }\n')
  const repo = fileURLToPath(new URL('../../', import.meta.url))
  const from = (path: string) => JSON.stringify(join(repo, path))
  const urls = JSON.stringify({ usdm: url, spot: url, archive: url, listing: url })
  const names = Array.from({ length: symbols }, (_, n) => `COIN${n}USDT`)
  const universe = mode === 'listed' ? { mode, symbols: names } : { mode, size: symbols }
  const config = `import { dataset } from ${from('pipeline/graphs/dataset.ts')}
import { defineProject, withConfig } from ${from('pipeline/index.ts')}

export default defineProject({
  root: '.pipe',
  pipelines: [
    withConfig(dataset, {
      source: 'binance',
      baseUrls: ${urls},
      from: '${fromMonth}-01',
      to: '${toMonth}-01',
      universe: ${JSON.stringify(universe)},
      bars: [{ interval: '${interval}' }],
    }),
  ],
})
`
  writeFileSync(join(dir, 'pipe.config.ts'), config)
}

/** Milliseconds of a command, while this process goes on answering what it asks. */
export async function inTheMeantime(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  const startMs = performance.now()
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`pipe ended with ${status}`))))
  })
  return performance.now() - startMs
}
