import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bench, type Row, rounded } from './measure.ts'
import { bestOf, isInstalled, type Measured, measured } from './measuredCommand.ts'
import { trivialProject } from './trivialProject.ts'

/** A run with nothing to do, whole process: how long it takes, and what each further node adds. */
export const bench: Bench = {
  name: 'noop',
  async run({ quick }) {
    const sizes = quick ? [1000, 10_000] : [1000, 10_000, 100_000]
    const runs = quick ? 3 : 5
    const startMs = bestOf(runs, () => measured(process.execPath, ['-e', '0'], tmpdir(), process.env)).wallMs
    const rows: Row[] = [{ name: 'node starts and ends', value: rounded(startMs), unit: 'ms' }]
    const ours = await pipeRows(sizes, runs, startMs)
    rows.push(...ours.rows)
    rows.push(...ninjaAndMake(sizes, runs), ...taskRunners(quick), ...snakemake(quick))
    return comparedPerNode(rows)
  },
}

const perNodeUnit = 'µs/node'

async function pipeRows(sizes: readonly number[], runs: number, startMs: number): Promise<{ rows: Row[] }> {
  const project = await trivialProject()
  const rows: Row[] = []
  try {
    for (const how of ['remembered', 'walked'] as const) {
      let before: { count: number; wallMs: number } | undefined
      for (const count of sizes) {
        if (how === 'remembered') {
          project.run(count) // makes everything
          project.run(count) // is the answer that will be remembered
        }
        const best = bestOf(runs, () => {
          if (how === 'walked') project.dropMemos()
          return project.run(count)
        })
        const further =
          before === undefined
            ? ''
            : `; ${(((best.wallMs - before.wallMs) / (count - before.count)) * 1000).toFixed(1)} µs a further node`
        before = { count, wallMs: best.wallMs }
        rows.push(
          ...rowsOf(`pipe run, ${how}`, count, best, `${Math.round(best.wallMs - startMs)} ms besides node${further}`),
        )
      }
    }
  } finally {
    project.remove()
  }
  return { rows }
}

function rowsOf(tool: string, count: number, { wallMs, peakRssMb }: Measured, note?: string): Row[] {
  const memory = peakRssMb === 0 ? [] : [`${peakRssMb} MB`]
  const notes = [...memory, ...(note === undefined ? [] : [note])].join('; ')
  return [
    { name: `${tool}, ${count} nodes`, value: rounded(wallMs), unit: 'ms', ...(notes === '' ? {} : { note: notes }) },
    { name: `${tool}, ${count} nodes, each`, value: rounded((wallMs * 1000) / count), unit: perNodeUnit },
  ]
}

const absent = (tool: string, why = 'not installed here'): Row => ({
  name: tool,
  value: 0,
  unit: 'ms',
  note: `absent: ${why}`,
})

/** Every peer's time for each node beside that of `pipe run` with the same number of nodes, or its nearest. */
function comparedPerNode(rows: readonly Row[]): Row[] {
  const sizeOf = (row: Row): number => Number(/(\d+) nodes/.exec(row.name)?.[1])
  const ours = rows.filter((row) => row.unit === perNodeUnit && row.name.startsWith('pipe run, remembered'))
  return rows.map((row) => {
    if (row.unit !== perNodeUnit || ours.includes(row)) return row
    const distance = (other: Row): number => Math.abs(Math.log(sizeOf(other) / sizeOf(row)))
    const base = ours.reduce((best, other) => (distance(other) < distance(best) ? other : best))
    return { ...row, ratioTo: base.name, ratio: rounded(row.value / base.value) }
  })
}

/** One file made from another, as many times. The files are laid out as a build would leave them. */
function ninjaAndMake(sizes: readonly number[], runs: number): Row[] {
  const rows: Row[] = []
  for (const count of sizes) {
    const dir = mkdtempSync(join(tmpdir(), 'tickpipe-bench-noop-'))
    try {
      const names = Array.from({ length: count }, (_, n) => String(n))
      for (const folder of ['in', 'out']) {
        mkdirSync(join(dir, folder))
        for (const name of names) writeFileSync(join(dir, folder, name), name)
      }
      // `generator` tells ninja to go by times alone, since nobody ran the commands and its log is empty.
      const edges = names.map((name) => `build out/${name}: copy in/${name}\n`).join('')
      writeFileSync(join(dir, 'build.ninja'), `rule copy\n  command = cp $in $out\n  generator = 1\n${edges}`)
      const outputs = names.map((name) => `out/${name}`).join(' ')
      const rules = names.map((name) => `out/${name}: in/${name}\n\tcp $< $@\n`).join('')
      writeFileSync(join(dir, 'Makefile'), `all: ${outputs}\n${rules}`)
      for (const [tool, args] of [
        ['ninja', []],
        ['make', ['-rR']],
      ] as const) {
        const name = [tool, ...args].join(' ')
        if (isInstalled(tool))
          rows.push(
            ...rowsOf(
              name,
              count,
              bestOf(runs, () => measured(tool, args, dir, process.env)),
            ),
          )
        else if (count === sizes[0]) rows.push(absent(name))
      }
    } finally {
      rmSync(dir, { recursive: true })
    }
  }
  return rows
}

/** Runners of package scripts, fetched from npm for the occasion, on as many scripts as they are used with. */
function taskRunners(quick: boolean): Row[] {
  const dir = mkdtempSync(join(tmpdir(), 'tickpipe-bench-runners-'))
  const count = quick ? 100 : 500
  try {
    writeFileSync(join(dir, 'package.json'), '{ "private": true }')
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--save-exact', 'turbo', 'wireit']
    const { status } = spawnSync('npm', install, { cwd: dir, stdio: 'ignore', timeout: 120_000 })
    if (status !== 0) return ['turbo', 'wireit'].map((tool) => absent(tool, 'npm could not fetch it'))
    return [...turbo(dir, count), ...wireit(dir, count)]
  } finally {
    rmSync(dir, { recursive: true })
  }
}

const quietEnv = (dir: string): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${join(dir, 'node_modules', '.bin')}:${process.env['PATH']}`,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  CI: '1',
})

function turbo(tools: string, count: number): Row[] {
  const dir = join(tools, 'turbo')
  for (let n = 0; n < count; n++) {
    const folder = join(dir, 'packages', `p${n}`)
    mkdirSync(folder, { recursive: true })
    const scripts = { build: 'cp in out' }
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: `p${n}`, version: '1.0.0', scripts }))
    writeFileSync(join(folder, 'in'), String(n))
  }
  const root = { name: 'root', private: true, packageManager: 'npm@10.0.0', workspaces: ['packages/*'] }
  writeFileSync(join(dir, 'package.json'), JSON.stringify(root))
  const packages = Object.fromEntries(
    Array.from({ length: count }, (_, n) => [
      [`node_modules/p${n}`, { resolved: `packages/p${n}`, link: true }],
      [`packages/p${n}`, { name: `p${n}`, version: '1.0.0' }],
    ]).flat() as [string, unknown][],
  )
  const lock = { name: 'root', lockfileVersion: 3, packages: { '': root, ...packages } }
  writeFileSync(join(dir, 'package-lock.json'), JSON.stringify(lock))
  writeFileSync(join(dir, 'turbo.json'), JSON.stringify({ tasks: { build: { inputs: ['in'], outputs: ['out'] } } }))
  execFileSync('git', ['init', '-q'], { cwd: dir })
  return runnerRows('turbo', ['run', 'build', '--output-logs=none'], dir, count, quietEnv(tools))
}

function wireit(tools: string, count: number): Row[] {
  const dir = join(tools, 'wireit')
  mkdirSync(join(dir, 'in'), { recursive: true })
  const scripts: Record<string, string> = { all: 'wireit' }
  const wired: Record<string, object> = { all: { dependencies: Array.from({ length: count }, (_, n) => `s${n}`) } }
  for (let n = 0; n < count; n++) {
    writeFileSync(join(dir, 'in', String(n)), String(n))
    scripts[`s${n}`] = 'wireit'
    wired[`s${n}`] = { command: `mkdir -p out && cp in/${n} out/${n}`, files: [`in/${n}`], output: [`out/${n}`] }
  }
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'wired', scripts, wireit: wired }))
  const env = { ...quietEnv(tools), WIREIT_LOGGER: 'quiet' }
  return runnerRows('wireit', [], dir, count, env, ['npm', ['run', '-s', 'all']])
}

function runnerRows(
  tool: string,
  args: readonly string[],
  dir: string,
  count: number,
  env: NodeJS.ProcessEnv,
  [command, commandArgs]: readonly [string, readonly string[]] = [tool, args],
): Row[] {
  try {
    measured(command, commandArgs, dir, env) // makes everything
    return rowsOf(
      tool,
      count,
      bestOf(2, () => measured(command, commandArgs, dir, env)),
      'as installed from npm',
    )
  } catch (error) {
    return [absent(tool, `it could not run: ${(error as Error).message.split('\n')[0]!.slice(0, 200)}`)]
  }
}

function snakemake(quick: boolean): Row[] {
  if (!isInstalled('snakemake')) return [absent('snakemake')]
  const count = quick ? 300 : 1000
  const dir = mkdtempSync(join(tmpdir(), 'tickpipe-bench-snakemake-'))
  try {
    mkdirSync(join(dir, 'in'))
    for (let n = 0; n < count; n++) writeFileSync(join(dir, 'in', String(n)), String(n))
    const rule = 'rule copy:\n  input: "in/{n}"\n  output: "out/{n}"\n  run:\n    open(output[0], "w").write("x")\n'
    writeFileSync(join(dir, 'Snakefile'), `rule all:\n  input: [f"out/{n}" for n in range(${count})]\n${rule}`)
    mkdirSync(join(dir, 'out'))
    for (let n = 0; n < count; n++) writeFileSync(join(dir, 'out', String(n)), 'x')
    const run = () => measured('snakemake', ['-c2', '--quiet', '--rerun-triggers', 'mtime'], dir, process.env)
    run()
    return rowsOf('snakemake', count, bestOf(2, run), 'by times alone')
  } finally {
    rmSync(dir, { recursive: true })
  }
}
