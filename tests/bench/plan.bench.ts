import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { MarketConfig } from '../../lib/sim/config.ts'
import { defaultWorld } from '../../lib/sim/defaultWorld.ts'
import { startExchange } from '../../lib/sim/server.ts'
import { monthStart } from '../../lib/time.ts'
import { buildPipe } from '../pipeline/cli/builtPipe.ts'
import { type Bench, type Row, rounded } from './measure.ts'
import { bestOf, measured } from './measuredCommand.ts'

/** The universe is chosen by what was traded in the month before. */
const beforeMonth = '2024-06'
const fromMonth = '2024-07'
const toMonth = '2026-07'

/** A data set of many symbols, two years of minutes and funding, planned from what an embedded exchange lists: whole
 *  processes, from the command to its answer. */
export const bench: Bench = {
  name: 'plan',
  async run({ quick }) {
    const symbols = quick ? 30 : 300
    const runs = quick ? 3 : 5
    const server = await startExchange({ market: worldOf(symbols) })
    const built = await buildPipe()
    try {
      const project = join(built.dir, 'project')
      mkdirSync(project)
      writeFileSync(join(project, 'package.json'), '{ "name": "plan", "type": "module" }\n')
      writeFileSync(join(project, 'pipe.config.ts'), configOf(server.url, symbols))
      const pipe = (...args: string[]) => [built.cli, ...args, '--quiet', '--as-of', '2026-08-01']
      const env = { ...built.env, NO_PROXY: '127.0.0.1' }
      const startMs = bestOf(runs, () => measured(process.execPath, ['-e', '0'], tmpdir(), env)).wallMs
      const rows: Row[] = [{ name: 'node starts and ends', value: rounded(startMs), unit: 'ms' }]
      const label = `${symbols} symbols × 24 months`

      // The exchange answers from this very process, so that this run must not block it.
      const coldMs = await inTheMeantime(pipe('run', 'planPartitions'), project, env)
      rows.push({ name: `listing fetched, partitions planned, ${label}`, value: rounded(coldMs), unit: 'ms' })
      const again = bestOf(runs, () => measured(process.execPath, pipe('run', 'planPartitions'), project, env))
      rows.push({
        name: 'the same again, nothing to do',
        value: rounded(again.wallMs),
        unit: 'ms',
        note: `${again.peakRssMb} MB`,
      })
      const memos = join(built.dir, 'home', '.cache', 'tickpipe', 'index', 'memo')
      const plan = bestOf(runs, () => {
        if (existsSync(memos)) rmSync(memos, { recursive: true })
        return measured(process.execPath, pipe('plan', 'dataset'), project, env)
      })
      const { stdout } = built.run([...pipe('plan', 'dataset').slice(1), '--json'], { cwd: project })
      const { counts } = JSON.parse(stdout) as { counts: Readonly<Record<string, number>> }
      const nodes = Object.values(counts).reduce((sum, count) => sum + count, 0)
      const note = `${nodes} nodes, ${plan.peakRssMb} MB, ${Math.round(plan.cpuMs)} ms of processor`
      rows.push({ name: `pipe plan of every node, ${label}`, value: rounded(plan.wallMs), unit: 'ms', note })
      return rows
    } finally {
      await server.close()
      built.remove()
    }
  },
}

/** The default world's coins over and over, under other names, with a history as long as the data set. */
function worldOf(count: number): MarketConfig {
  const startTsMs = monthStart(beforeMonth)
  const perpetuals = defaultWorld.instruments.filter(
    ({ market, contractType, delistTsMs }) =>
      market === 'usdm' && contractType === 'PERPETUAL' && delistTsMs === undefined,
  )
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

function configOf(url: string, symbols: number): string {
  const repo = fileURLToPath(new URL('../../', import.meta.url))
  const from = (path: string) => JSON.stringify(join(repo, path))
  const urls = JSON.stringify({ usdm: url, spot: url, archive: url, listing: url })
  return `import { dataset } from ${from('pipeline/graphs/dataset.ts')}
import { defineProject, withConfig } from ${from('pipeline/index.ts')}

export default defineProject({
  root: '.pipe',
  pipelines: [
    withConfig(dataset, {
      source: 'binance',
      baseUrls: ${urls},
      from: '${fromMonth}-01',
      to: '${toMonth}-01',
      universe: { mode: 'historical', size: ${symbols} },
      bars: [{ interval: '1m' }],
    }),
  ],
})
`
}

async function inTheMeantime(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  const startMs = performance.now()
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`pipe ended with ${status}`))))
  })
  return performance.now() - startMs
}
