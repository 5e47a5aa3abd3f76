import { rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { runBacktest } from '../../lib/backtest/engine.ts'
import { backtestParams, prepareBacktest } from '../../lib/market/backtestParams.ts'
import { type BarRows, barTable } from '../../lib/market/minuteBars.ts'
import { crossSectionalMomentum } from '../../lib/strategies/crossSectionalMomentum.ts'
import { backtest } from '../../tasks/replay/backtest.ts'
import { type BuiltPipe, buildPipe } from '../pipeline/cli/builtPipe.ts'
import { type Bench, type Row, rounded } from './measure.ts'
import { type Measured, measured } from './measuredCommand.ts'
import { randomBars, randomFunding, randomListing } from './sweep/randomTables.ts'

const symbols = 50
const bars = 24 * 366
const project = fileURLToPath(new URL('./sweep', import.meta.url))

/**
 * A sweep through the whole command: one cached node a point over shared tables, with one worker and with two.
 * Efficiency is the time one thread takes for as many points on data that is there already, over all the time the workers
 * had: once for the bare backtest engine, and once for all that the task does, from stored columns to encoded results. What
 * lies between the second and 1 is the machinery; what lies between the two is the task's own preparing and encoding. Other
 * work on the machine shows in the wall time and hardly in processor time.
 */
export const bench: Bench = {
  name: 'sweep',
  async run({ quick }) {
    const points = quick ? 40 : 1000
    const { engine, task } = bare(quick ? 10 : 40)
    const note = `${symbols} symbols, ${bars} hourly bars, momentum decided daily`
    const rows: Row[] = [
      { name: 'engine alone, each point', value: rounded(engine.cpuMs), unit: 'ms of CPU', note },
      { name: 'task alone, each point', value: rounded(task.cpuMs), unit: 'ms of CPU' },
    ]
    const built = await buildPipe()
    try {
      for (const workers of [1, 2]) rows.push(...sweepRows(built, points, workers, engine, task))
    } finally {
      built.remove()
    }
    return rows
  },
}

interface Spent {
  readonly wallMs: number
  readonly cpuMs: number
}

function sweepRows(built: BuiltPipe, points: number, workers: number, engine: Spent, task: Spent): Row[] {
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
  const efficiency = (of: Spent, says: string, note: string): Row[] => [
    { name: `${name}: ${says}`, value: rounded((of.wallMs * points) / (workers * wallMs)), unit: 'of wall', note },
    { name: `${name}: ${says}`, value: rounded((of.cpuMs * points) / cpuMs), unit: 'of CPU' },
  ]
  return [
    { name, value: rounded(wallMs), unit: 'ms', note: `${rounded(cpuMs)} ms of CPU, ${peakRssMb} MB` },
    ...efficiency(engine, 'engine', 'target 0.85'),
    ...efficiency(task, 'task', ''),
  ]
}

/** What one point takes, all else being there: the mean over different points after a few to warm up. */
function bare(points: number): { readonly engine: Spent; readonly task: Spent } {
  const all = Array.from({ length: symbols }, (_, index) => index)
  const sources = {
    universe: { symbols: randomListing(symbols), rejected: [] },
    minutes: all.map((index) => pickedBars(randomBars(index, bars))),
    funding: all.map((index) => randomFunding(index, bars)),
  }
  const asked = { baseInterval: '1h', from: '2024-01-01', to: '2025-01-01' } as const
  const { market, strategy, request } = prepareBacktest(
    sources,
    crossSectionalMomentum,
    backtestParams.parse(asked),
    () => {},
  )
  const { fromMs, toMs, execution: config } = request
  const engine = meanOf(points, (index) => {
    const params = crossSectionalMomentum.params.parse({ lookback: `${24 + index}h` })
    runBacktest({ market, strategy, params, config, fromMs, toMs })
  })
  const inputs = { ...sources, strategy, qa: undefined, features: undefined, replay: undefined } as never
  const task = meanOf(points, (index) => {
    const params = backtestParams.parse({ ...asked, strategy: { lookback: `${24 + index}h` } })
    backtest.run(inputs, params, { seed: (stream) => stream, log: () => {} })
  })
  return { engine, task }
}

/** The columns a backtest's port picks. */
const pickedBars = (table: ReturnType<typeof randomBars>) => {
  const columns = Object.entries(table.columns).filter(([name]) => Object.hasOwn(barTable.columns, name))
  return { schema: barTable, rowCount: table.rowCount, columns: Object.fromEntries(columns) } as unknown as BarRows
}

function meanOf(points: number, run: (index: number) => void): Spent {
  for (let index = 0; index < 3; index++) run(index)
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  for (let index = 0; index < points; index++) run(index)
  const wallMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs: wallMs / points, cpuMs: (user + system) / 1000 / points }
}
