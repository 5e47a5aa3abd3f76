import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { runBacktest } from '../../lib/backtest/engine.ts'
import { backtestInput } from '../../lib/market/runs/backtestInput.ts'
import { backtestParams, describeRun, marketFacts } from '../../lib/market/runs/backtestParams.ts'
import { type BarRows, barTable } from '../../lib/market/runs/minuteBars.ts'
import { trial } from '../../tasks/replay/trial.ts'
import { type BuiltPipe, buildPipe } from '../pipeline/cli/builtPipe.ts'
import { type Bench, type Row, rounded } from './measure.ts'
import { type Measured, measured } from './measuredCommand.ts'
import { type SweepSize, sizes, strategyOf } from './sweep/markets.ts'
import { randomBars, randomFunding, randomListing } from './sweep/randomTables.ts'

const project = fileURLToPath(new URL('./sweep', import.meta.url))

/**
 * A sweep through the whole command, one cached node a point, over shared tables.
 *
 * Efficiency is the useful time over all the time the workers had: the time of one point alone (the engine and its strategy
 * in a bare loop in one thread, the market in memory, nothing stored) times the points, over workers times the whole run
 * from the start of the process to its end. Starting, loading data, checking, encoding, storing and telling of it all count
 * as lost. Of processor time it is the same ratio over what the process used: where the machine does other things besides,
 * that is the one to read. Speed-up is points a second with two workers over points a second with one.
 */
export const bench: Bench = {
  name: 'sweep',
  async run({ quick }) {
    const built = await buildPipe()
    try {
      if (quick) return marketRows(built, 'years', { points: 60, alone: 10 })
      const rows = marketRows(built, 'years', { points: 1000, alone: 20 })
      rows.push(...marketRows(built, 'hourly', { points: 200, alone: 10 }))
      return [...rows, ...marketRows(built, 'minutes', { points: 200, alone: 20 })]
    } finally {
      built.remove()
    }
  },
}

interface Spent {
  readonly wallMs: number
  readonly cpuMs: number
}

function marketRows(built: BuiltPipe, size: SweepSize, { points, alone }: { points: number; alone: number }): Row[] {
  const { engine, task } = bare(size, alone)
  const { says } = sizes[size]
  const data = join(built.dir, `data-${size}`)
  command(built, data, size, points, 2, 'data')
  const fewer = points >= 1000 ? points / 5 : points
  const one = swept(built, data, size, fewer, 1)
  const two = swept(built, data, size, points, 2)
  rmSync(data, { recursive: true })
  const row = (name: string, value: number, unit: string, note?: string): Row => ({
    name: `${size}: ${name}`,
    value: rounded(value),
    unit,
    ...(note === undefined ? {} : { note }),
  })
  const efficiency = ({ run, workers, count }: Swept): Row[] => [
    row(`efficiency, ${workers} workers`, (engine.wallMs * count) / (workers * run.wallMs), 'of wall', 'target 0.85'),
    row(`efficiency, ${workers} workers`, (engine.cpuMs * count) / run.cpuMs, 'of CPU'),
  ]
  return [
    row('a point alone', engine.wallMs, 'ms', `${says}; ${rounded(engine.cpuMs)} ms of CPU`),
    row('a point alone, encoded', task.wallMs, 'ms', `${rounded(task.cpuMs)} ms of CPU`),
    ...[one, two].map(({ run, count, workers }) =>
      row(
        `${count} points, ${workers} worker${workers === 1 ? '' : 's'}`,
        run.wallMs,
        'ms',
        `${rounded(run.cpuMs)} ms of CPU, ${run.peakRssMb} MB at most`,
      ),
    ),
    ...efficiency(one),
    ...efficiency(two),
    row('speed-up', one.run.wallMs / one.count / (two.run.wallMs / two.count), 'times'),
    row('nothing to do', two.again.wallMs, 'ms', `the ${two.count} points again`),
  ]
}

interface Swept {
  readonly workers: number
  readonly count: number
  readonly run: Measured
  readonly again: Measured
}

function command(
  { cli, env }: BuiltPipe,
  root: string,
  size: SweepSize,
  points: number,
  workers: number,
  target: string,
): Measured {
  const asked = ['run', target, '--quiet', '--root', root, '--as-of', '2024-06-01', '--workers', String(workers)]
  const config = ['--set', `points=${points}`, '--set', `size=${size}`]
  return measured(process.execPath, [cli, ...asked, ...config], project, env)
}

/** Over a copy of the data, where no point was run before. */
function swept(built: BuiltPipe, data: string, size: SweepSize, points: number, workers: number): Swept {
  const root = join(built.dir, `store-${size}-${workers}`)
  try {
    cpSync(data, root, { recursive: true })
    const run = () => command(built, root, size, points, workers, 'sweep')
    const first = run()
    return { workers, count: points, run: first, again: run() }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** What one point takes, all else being there: the mean over different points after a few to warm up. */
function bare(size: SweepSize, points: number): { readonly engine: Spent; readonly task: Spent } {
  const { symbols, bars, intervalMs, asked } = sizes[size]
  const strategy = strategyOf(size)
  const all = Array.from({ length: symbols }, (_, index) => index)
  const sources = {
    universe: { symbols: randomListing(symbols), rejected: [] },
    minutes: all.map((index) => pickedBars(randomBars(index, bars, intervalMs))),
    funding: all.map((index) => randomFunding(index, bars, intervalMs)),
  }
  const paramsOf = (point: number) => backtestParams.parse({ ...asked, strategy: { lookbackBars: 24 + point } })
  const prepared = backtestInput(sources, marketFacts(paramsOf(0), strategy))
  const engine = meanOf(points, (point) => {
    const {
      fromMs,
      toMs,
      execution: config,
      strategy: described,
    } = describeRun({ prepared, strategy }, paramsOf(point), () => {})
    runBacktest({ market: prepared.market, strategy, params: described.params, config, fromMs, toMs })
  })
  const task = meanOf(points, (point) => {
    const inputs = { prepared, strategy } as never
    void trial.run(inputs, paramsOf(point), { seed: (stream) => stream, log: () => {} })
  })
  return { engine, task }
}

/** The columns a backtest's port picks. */
const pickedBars = (table: ReturnType<typeof randomBars>) => {
  const columns = Object.entries(table.columns).filter(([name]) => Object.hasOwn(barTable.columns, name))
  return { schema: barTable, rowCount: table.rowCount, columns: Object.fromEntries(columns) } as unknown as BarRows
}

function meanOf(points: number, run: (point: number) => void): Spent {
  for (let point = 0; point < 3; point++) run(point)
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  for (let point = 0; point < points; point++) run(point)
  const wallMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs: wallMs / points, cpuMs: (user + system) / 1000 / points }
}
