import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { startExchange } from '../../lib/sim/server.ts'
import { buildPipe } from '../pipeline/cli/builtPipe.ts'
import { type Bench, type Row, rounded } from './measure.ts'
import { bestOf, measured } from './measuredCommand.ts'
import { inTheMeantime, worldOf, writePlanProject } from './planProject.ts'

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
      writePlanProject(project, server.url, symbols, '1m')
      const pipe = (...args: string[]) => [built.cli, ...args, '--quiet', '--as-of', '2026-08-01']
      const env = { ...built.env, NO_PROXY: '127.0.0.1' }
      const startMs = bestOf(runs, () => measured(process.execPath, ['-e', '0'], tmpdir(), env)).wallMs
      const rows: Row[] = [{ name: 'node starts and ends', value: rounded(startMs), unit: 'ms' }]
      const label = `${symbols} symbols × 24 months`

      // The exchange answers from this very process, so that these runs must not block it. Each has a store and a cache
      // of code of its own, both empty.
      const named = join(built.dir, 'named')
      writePlanProject(named, server.url, symbols, '1m', 'listed')
      const home = join(built.dir, 'home of named')
      mkdirSync(home)
      const namedMs = await inTheMeantime(pipe('run', 'planPartitions'), named, { ...env, HOME: home })
      rows.push({ name: `symbols named, partitions planned, ${label}`, value: rounded(namedMs), unit: 'ms' })
      const coldMs = await inTheMeantime(pipe('run', 'planPartitions'), project, env)
      rows.push({
        name: `listing and daily bars fetched, partitions planned, ${label}`,
        value: rounded(coldMs),
        unit: 'ms',
      })
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
