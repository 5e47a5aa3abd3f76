import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { serveExchange } from '../../lib/sim/server.ts'
import { buildPipe } from '../pipeline/cli/builtPipe.ts'
import { type Bench, type Row, rounded } from './measure.ts'
import { bestOf, type Measured, measured } from './measuredCommand.ts'
import { exchangeOfTwins, inTheMeantime, writePlanProject } from './planProject.ts'

/** A whole data set taken in, and then the commands somebody gives with nothing left to do. Bars are coarse, for what
 *  counts is how many nodes there are and not what they hold. */
export const bench: Bench = {
  name: 'planIngested',
  async run({ quick }) {
    const symbols = quick ? 10 : 300
    const runs = quick ? 3 : 5
    const server = await serveExchange(exchangeOfTwins(symbols), {})
    const built = await buildPipe()
    try {
      const project = join(built.dir, 'project')
      writePlanProject(project, server.url, symbols, '1d')
      const pipe = (...args: string[]) => [built.cli, ...args]
      const asOf = ['--quiet', '--as-of', '2026-08-01']
      const env = { ...built.env, NO_PROXY: '127.0.0.1' }
      const label = `${symbols} symbols × 24 months`
      const row = (name: string, { wallMs, cpuMs, peakRssMb }: Measured, note = ''): Row => ({
        name,
        value: rounded(wallMs),
        unit: 'ms',
        note: `${peakRssMb} MB, ${Math.round(cpuMs)} ms of processor${note}`,
      })
      const again = (...args: string[]) => measured(process.execPath, pipe(...args), project, env)

      // The exchange answers from this very process, so that this run must not block it.
      const coldMs = await inTheMeantime(pipe('run', 'dataset', ...asOf), project, env)
      const { stdout } = built.run(['run', 'dataset', ...asOf, '--json'], { cwd: project })
      const { counts } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { counts: { total: number } }
      const nodes = `; ${counts.total} nodes`
      const rows: Row[] = [{ name: `everything taken in, ${label}`, value: rounded(coldMs), unit: 'ms' }]
      rows.push(
        row(
          'pipe run dataset again',
          bestOf(runs, () => again('run', 'dataset', ...asOf)),
          nodes,
        ),
      )
      const memos = join(built.dir, 'home', '.cache', 'tickpipe', 'index', 'memo')
      const walked = bestOf(runs, () => {
        if (existsSync(memos)) rmSync(memos, { recursive: true })
        return again('run', 'dataset', ...asOf)
      })
      rows.push(row('the same, graph walked (no memo)', walked))
      rows.push(
        row(
          'pipe plan dataset',
          bestOf(runs, () => again('plan', 'dataset', ...asOf)),
        ),
      )
      rows.push(
        row(
          'pipe status',
          bestOf(runs, () => again('status', '--quiet')),
        ),
      )
      // As of now, so that what may have changed is asked for: the exchange has to answer.
      for (const name of ['pipe sync, the first as of now', 'pipe sync again']) {
        rows.push({ name, value: rounded(await inTheMeantime(pipe('sync', '--quiet'), project, env)), unit: 'ms' })
      }
      return rows
    } finally {
      await server.close()
      built.remove()
    }
  },
}
