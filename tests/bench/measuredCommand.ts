import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Measured {
  readonly wallMs: number
  /** User and system time of the process and the children it waited for. */
  readonly cpuMs: number
  readonly peakRssMb: number
}

const gnuTime = '/usr/bin/time'

/** One command from start to end. Where GNU time is not installed, processor time and memory are 0. */
export function measured(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Measured {
  const dir = mkdtempSync(join(tmpdir(), 'tickpipe-bench-time-'))
  const report = join(dir, 'report')
  const [run, runArgs] = existsSync(gnuTime)
    ? [gnuTime, ['-f', '%U %S %M', '-o', report, command, ...args]]
    : [command, args]
  const startMs = performance.now()
  const { status, stdout, stderr } = spawnSync(run, runArgs, { cwd, env, encoding: 'utf8', maxBuffer: 256 * 2 ** 20 })
  const wallMs = performance.now() - startMs
  const [userS, systemS, peakKb] = existsSync(report) ? readFileSync(report, 'utf8').trim().split(' ').map(Number) : []
  rmSync(dir, { recursive: true })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`)
  return { wallMs, cpuMs: ((userS ?? 0) + (systemS ?? 0)) * 1000, peakRssMb: Math.round((peakKb ?? 0) / 1024) }
}

/** The run with the least wall time: what else the machine does only ever adds. */
export function bestOf(runs: number, measure: () => Measured): Measured {
  let best = measure()
  for (let run = 1; run < runs; run++) {
    const next = measure()
    if (next.wallMs < best.wallMs) best = next
  }
  return best
}

export const isInstalled = (tool: string): boolean => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0
