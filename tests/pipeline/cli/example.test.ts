import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exitStatuses } from '../../../lib/fault.ts'
import { type BuiltPipe, buildPipe, type Ran } from './builtPipe.ts'

/** The example project through its life, by the command as it is built. The tests go on from each other. */
let pipe: BuiltPipe
let project: string
const asOf = ['--as-of', '2024-03-01']

beforeAll(async () => {
  pipe = await buildPipe()
  project = join(pipe.dir, 'my research')
})
afterAll(() => pipe.remove())

const here = (...args: string[]): Ran => pipe.run(args, { cwd: project })
const json = (...args: string[]) => JSON.parse(here(...args, '--json').stdout)

describe('from nothing to a report', () => {
  test('init writes a project, and overwrites nothing', () => {
    const made = pipe.run(['init', '--tasks', 'my research'])
    expect(made.stderr).toBe('')
    expect(made.status).toBe(0)
    expect(JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).name).toBe('my-research')
    const again = here('init')
    expect(again.status).toBe(exitStatuses.refused)
    expect(again.stderr).toContain('pipe.config.ts is there already')
  })

  test('plan executes nothing', () => {
    const planned = json('plan', ...asOf)
    expect(planned).toMatchObject({ hasWork: true, counts: { cached: 0 }, targets: ['results', 'report'] })
    expect(here('plan', '--detailed-exitcode', '-q', ...asOf).status).toBe(exitStatuses.hasWork)
    expect(existsSync(join(project, '.pipe', 'runs'))).toBe(false)
  })

  test('run makes everything, offline, and says where it is', () => {
    const ran = here('run', '--snapshot', 'demo', ...asOf)
    expect(ran.stderr).toContain('done      ')
    expect(ran.stdout).toMatch(/^ok {2}10 nodes: 0 cached, 10 executed, in /)
    expect(ran.stdout).toMatch(/snapshot {2}demo\n {12}[0-9a-f]{64}$/m)
    expect(ran.status).toBe(0)
    expect(ran.stdout + ran.stderr).not.toContain('\x1b')
  })

  test('run again has nothing to do, and plan knew it', () => {
    expect(here('plan', '--detailed-exitcode', ...asOf).status).toBe(0)
    const ran = here('run', '--snapshot', 'demo', ...asOf)
    expect(ran.stdout).toMatch(/^ok {2}nothing to do: 10 nodes, all cached/)
    expect(ran.stdout).toContain('(frozen)')
  })

  test('the snapshot checks with sha256sum alone', () => {
    const folder = join(project, '.pipe', 'snapshots', 'demo')
    execFileSync('sha256sum', ['-c', '--quiet', 'checksums.sha256'], { cwd: folder })
  })

  test('cat prints the report, a value and a table', () => {
    expect(here('cat', 'report').stdout).toMatch(/symbol +trades +return % +hold %\n +BTC/)
    expect(json('cat', 'backtest[BTC]').value).toMatchObject({ symbol: 'BTC', days: 250 })
    const table = here('cat', 'parsePrices[BTC]', '-n', '4').stdout
    expect(table).toContain('… 246 more rows …')
    expect(table.split('\n')).toHaveLength(1 + 4 + 1 + 1 + 1)
  })

  test('cat --raw gives the bytes that were stored', () => {
    const { artifact, files } = json('show', 'fetchPrices[ETH]')
    const [{ sha256 }] = files
    const raw = spawnSync(join(pipe.binDir, 'pipe'), ['cat', artifact.slice(0, 12), '--raw'], {
      cwd: project,
      env: pipe.env,
    })
    expect(execFileSync('sha256sum', { input: raw.stdout }).toString()).toContain(sha256)
  })
})

describe('after a change', () => {
  test('another strategy runs what takes it, and why names the symbol', () => {
    const file = join(project, 'strategies', 'meanReversion.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace('< sum / window ? 1 : 0', '< sum / window ? 0.5 : 0'))
    const why = here('why', 'backtest[BTC]', ...asOf).stdout
    expect(why).toContain('will run because')
    expect(why).toContain('strategies/meanReversion.ts meanReversion changed')
    const ran = here('run', ...asOf)
    expect(ran.stdout).toMatch(/10 nodes: 6 cached, 4 executed/)
  })

  test('a comment runs nothing', () => {
    const file = join(project, 'tasks', 'backtest.ts')
    writeFileSync(file, `// A remark.\n${readFileSync(file, 'utf8')}`)
    expect(json('plan', ...asOf)).toMatchObject({ hasWork: false })
  })

  test('diff says what came of it', () => {
    const { stdout } = here('diff', 'demo', 'last')
    expect(stdout).toContain('3 nodes changed of their own accord')
    expect(stdout).toContain('code of strategy')
    expect(stdout).toContain('backtest[BTC] value.json')
    expect(json('diff', 'demo', 'demo')).toMatchObject({ same: true, changed: [] })
  })

  test('a frozen run with other code leaves the snapshot as it is', () => {
    const ran = here('run', '--snapshot', 'demo', ...asOf)
    expect(ran.stdout).toContain('this run is not the snapshot demo')
    expect(here('verify', 'demo').status).toBe(0)
  })

  test('verify rebuilds the snapshot from its stored code', () => {
    const rebuilt = json('verify', 'demo', '--level', 'rebuild')
    expect(rebuilt).toMatchObject({
      outcome: 'ok',
      reports: [{ level: 'rebuild', counts: { checked: 7 }, findings: [] }],
    })
  })
})

describe('handing it over', () => {
  test('export twice gives one file', () => {
    const [one, two] = [json('snapshot', 'export', 'demo', 'one.tar'), json('snapshot', 'export', 'demo', 'two.tar')]
    expect(one.sha256).toBe(two.sha256)
    expect(here('snapshot', 'export', 'demo', 'one.tar').status).toBe(exitStatuses.refused)
  })

  test('import into an empty store gives the same snapshot, whose code is not trusted', () => {
    const other = ['--root', join(pipe.dir, 'other')]
    const taken = json('snapshot', 'import', 'one.tar', ...other)
    expect(taken.id).toBe(json('snapshot', 'show', 'demo').id)
    expect(here('verify', 'demo', ...other).status).toBe(0)
    const refused = here('verify', 'demo', '--level', 'rebuild', ...other)
    expect(refused.status).toBe(exitStatuses.refused)
    expect(refused.stderr).toContain('--trust-code')
    expect(here('verify', 'demo', '--level', 'rebuild', '--trust-code', ...other).status).toBe(0)
  })

  test('checkout lays files out', () => {
    expect(here('snapshot', 'checkout', 'demo', 'out', '--select', 'parse*').status).toBe(0)
    expect(readdirSync(join(project, 'out', 'parsePrices'))).toHaveLength(3)
  })
})

describe('keeping house', () => {
  test('gc does what its dry run says, and undo takes it back', () => {
    here('snapshot', 'rm', 'demo', '--yes')
    const flags = ['--keep-runs', '1', '--older-than', '0s']
    const planned = json('gc', '--dry-run', ...flags)
    expect(planned.collect.length).toBeGreaterThan(0)
    const done = json('gc', ...flags)
    expect(done.result).toMatchObject({
      collectedObjects: planned.collect.length,
      collectedBytes: planned.collectedBytes,
    })
    expect(json('gc', '--undo').restoredObjects).toBe(planned.collect.length)
    expect(here('verify').status).toBe(0)
  })

  test('why-alive names what keeps an object', () => {
    const { artifact } = json('show', 'report')
    const { reasons } = json('why-alive', artifact, '--older-than', '0s')
    expect(reasons.map((reason: { label: string }) => reason.label)).toContainEqual(expect.stringMatching(/^run /))
  })

  test('a flipped bit is found, named and healed', () => {
    const { files } = json('show', 'report')
    const [{ sha256 }] = files
    const path = join(project, '.pipe', 'objects', sha256.slice(0, 2), sha256.slice(2))
    const bytes = readFileSync(path)
    bytes[0]! ^= 1
    rmSync(path)
    writeFileSync(path, bytes)
    const found = here('verify')
    expect(found.status).toBe(exitStatuses.corrupt)
    expect(found.stdout).toContain('moved to quarantine')
    expect(here('doctor').stdout).toMatch(/warn {2}quarantine/)
    const healed = here('run', ...asOf)
    expect(healed.stderr).toContain('healed')
    expect(healed.status).toBe(0)
    expect(here('verify').status).toBe(0)
  })

  test('runs and doctor tell the story', () => {
    const { runs } = json('runs')
    expect(runs[0]).toMatchObject({ outcome: 'ok', pipeline: 'demo' })
    expect(json('doctor')).toMatchObject({ ok: true })
  })

  test('the graph is drawn in every format', () => {
    expect(here('graph', ...asOf).stdout).toMatch(/^flowchart TD/)
    expect(here('graph', '--format', 'dot', ...asOf).stdout).toMatch(/^digraph/)
    expect(here('graph', '--format', 'svg', ...asOf).stdout).toMatch(/^<svg/)
    here('graph', '--format', 'html', '-o', 'graph.html', ...asOf)
    expect(readFileSync(join(project, 'graph.html'), 'utf8')).toMatch(/^<!doctype html>/)
  })
})

describe('from any folder', () => {
  test('the project is found upward, and --cwd goes there', () => {
    mkdirSync(join(project, 'deep', 'er'), { recursive: true })
    expect(pipe.run(['plan', ...asOf], { cwd: join(project, 'deep', 'er') }).status).toBe(0)
    expect(pipe.run(['-C', 'my research', 'ls', '--targets']).stdout).toBe('results\nreport\n')
  })

  test('where there is none, it says what to do', () => {
    const lost = pipe.run(['run'])
    expect(lost.status).toBe(exitStatuses.usage)
    expect(lost.stderr).toContain('pipe init')
  })

  test('a reader that leaves early ends nothing badly', () => {
    const script = 'set -o pipefail; pipe ls --as-of 2024-03-01 | head -1'
    const piped = spawnSync('bash', ['-c', script], { cwd: project, env: pipe.env, encoding: 'utf8' })
    expect(piped.stdout).toMatch(/^address/)
    expect(piped.stderr).toBe('')
    expect(piped.status).toBe(0)
  })
})
