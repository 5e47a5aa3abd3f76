import { rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { runBacktest } from '../../lib/backtest/engine.ts'
import { backtestParams, prepareBacktest } from '../../lib/market/backtestParams.ts'
import { crossSectionalMomentum } from '../../lib/strategies/crossSectionalMomentum.ts'
import { type BuiltPipe, buildPipe } from '../pipeline/cli/builtPipe.ts'
import { type Bench, type Row, rounded } from './measure.ts'
import { type Measured, measured } from './measuredCommand.ts'
import { randomBars, randomFunding, randomListing } from './sweep/randomTables.ts'

const symbols = 50
const bars = 24 * 366
const project = fileURLToPath(new URL('./sweep', import.meta.url))

/**
 * A sweep through the whole command: one cached node a point over shared tables, with one worker and with two.
 * Efficient is the time the bare backtest engine takes for as many points in one thread, on data that is there already,
 * over all the time the workers had. Other work on the machine shows in the wall time and hardly in processor time.
 */
export const bench: Bench = {
  name: 'sweep',
  async run({ quick }) {
    const points = quick ? 100 : 1000
    const engine = bareEngine(quick ? 20 : 60)
    const bareMs = { wallMs: engine.wallMs * points, cpuMs: engine.cpuMs * points }
    const note = `${symbols} symbols, ${bars} hourly bars, momentum decided daily`
    const rows: Row[] = [{ name: 'engine alone, each point', value: rounded(engine.wallMs), unit: 'ms', note }]
    const built = await buildPipe()
    try {
      for (const workers of [1, 2]) rows.push(...sweepRows(built, points, workers, bareMs))
    } finally {
      built.remove()
    }
    return rows
  },
}

function sweepRows(
  built: BuiltPipe,
  points: number,
  workers: number,
  bare: { readonly wallMs: number; readonly cpuMs: number },
): Row[] {
  const root = join(built.dir, `store-${workers}`)
  const run = (...args: readonly string[]): Measured =>
    measured(
      process.execPath,
      [built.cli, 'run', ...args, '--quiet', '--root', root, '--set', `points=${points}`, '--as-of', '2024-06-01'],
      project,
      built.env,
    )
  run('data')
  const { wallMs, cpuMs, peakRssMb } = run('sweep', '--workers', String(workers))
  rmSync(root, { recursive: true, force: true })
  const name = `${points} points, ${workers} worker${workers === 1 ? '' : 's'}`
  const byWall = bare.wallMs / (workers * wallMs)
  return [
    { name, value: rounded(wallMs), unit: 'ms', note: `${rounded(cpuMs)} ms of CPU, ${peakRssMb} MB` },
    { name: `${name}: efficiency`, value: rounded(byWall), unit: 'of wall', note: 'target 0.85' },
    { name: `${name}: efficiency`, value: rounded(bare.cpuMs / cpuMs), unit: 'of CPU' },
  ]
}

/** What the engine needs for one point, all else being there: the mean over different points after one to warm up. */
function bareEngine(points: number): { readonly wallMs: number; readonly cpuMs: number } {
  const all = Array.from({ length: symbols }, (_, index) => index)
  const sources = {
    universe: { symbols: randomListing(symbols), rejected: [] },
    minutes: all.map((index) => randomBars(index, bars)),
    funding: all.map((index) => randomFunding(index, bars)),
  }
  const asked = backtestParams.parse({ baseInterval: '1h', from: '2024-01-01', to: '2025-01-01' })
  const { market, strategy, request } = prepareBacktest(sources, crossSectionalMomentum, asked, () => {})
  const { fromMs, toMs, execution: config } = request
  const point = (index: number) => {
    const params = crossSectionalMomentum.params.parse({ lookbackBars: 24 + index })
    runBacktest({ market, strategy, params, config, fromMs, toMs })
  }
  for (let index = 0; index < 5; index++) point(index)
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  for (let index = 0; index < points; index++) point(index)
  const wallMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs: wallMs / points, cpuMs: (user + system) / 1000 / points }
}
