import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exitStatuses } from '../../../lib/fault.ts'
import { renderLeaks } from '../../../pipeline/cli/leakReport.ts'
import { plainStyle } from '../../../pipeline/cli/style.ts'
import { writeTinyProject } from '../../support/tinyProject/writeTinyProject.ts'
import { type BuiltPipe, buildPipe, type Ran } from './builtPipe.ts'

let pipe: BuiltPipe
let project: string
const asOf = ['--as-of', '2026-04-01']
const here = (...args: string[]): Ran => pipe.run(args, { cwd: project })

beforeAll(async () => {
  pipe = await buildPipe()
  project = join(pipe.dir, 'project')
  writeTinyProject(project)
})
afterAll(() => pipe.remove())

describe('pipe check-lookahead', () => {
  test('runs every check of the pipeline, and is content with honest features and an honest strategy', () => {
    const { stdout, status } = here('check-lookahead', ...asOf)
    expect(stdout).toBe('ok  nothing looks ahead: 3 features and strategies in 2 checks, at 3 or 8 instants each\n')
    expect(status).toBe(0)
    const { checked, leaks } = JSON.parse(here('check-lookahead', '--json', ...asOf).stdout) as {
      checked: { address: string }[]
      leaks: unknown[]
    }
    expect(checked.map(({ address }) => address)).toEqual(['checkFeatures[honest]', 'checkStrategy'])
    expect(leaks).toEqual([])
  })

  test('names a planted column beside honest ones, and what gave it away', () => {
    const planted = ['--set', 'groups=["honest","planted"]', ...asOf]
    const { stdout, status } = here('check-lookahead', ...planted)
    expect(status).toBe(exitStatuses.failed)
    expect(stdout).toMatch(/^feature +group +kind +symbol/)
    expect(stdout).toMatch(/^tomorrow +planted +looks ahead +AAAUSDT +2026-03-.*after 2026-03-/m)
    expect(stdout).not.toMatch(/^(volume_3h|volume_6h|spread_12h)/m)
    const { leaks } = JSON.parse(here('check-lookahead', '--json', ...planted).stdout) as {
      leaks: { feature: string; kind: string }[]
    }
    expect(leaks.map(({ feature, kind }) => [feature, kind])).toEqual([['tomorrow', 'looksAhead']])
  })

  test('names a planted strategy that knows by heart what comes', () => {
    const { stdout, status } = here('check-lookahead', 'check-lookahead', '--set', 'strategy=planted', ...asOf)
    expect(status).toBe(exitStatuses.failed)
    expect(stdout).toMatch(/^remembersTheFuture +strategy +remembers from run to run.*fills row \d+, column/m)
  })

  test('goes by what a snapshot observed', () => {
    expect(here('run', 'report', '--snapshot', 'demo', ...asOf).status).toBe(0)
    expect(here('check-lookahead', '--snapshot', 'demo').status).toBe(0)
  })

  test('is no kinder where a run makes the same target: it tells the leaks, and ends as the check does', () => {
    const planted = ['--set', 'strategy=planted', '--set', 'groups=["honest","planted"]', ...asOf]
    for (const targets of [['check-lookahead', 'check-features'], []]) {
      const { stdout, status } = here('run', ...targets, ...planted)
      expect(status).toBe(exitStatuses.failed)
      expect(stdout).toMatch(/^remembersTheFuture +strategy +remembers from run to run/m)
      expect(stdout).toMatch(/^tomorrow +planted +looks ahead/m)
      expect(stdout).toMatch(/^failed {2}2 leaks among 5 features and strategies in 3 checks/m)
      expect(stdout).toMatch(/^failed {2}\d+ nodes/m)
      expect(stdout).not.toMatch(/^ok/m)
    }
    const lines = here('run', 'check-lookahead', '--json', ...planted)
      .stdout.trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; status?: string; leaks?: { feature: string }[] })
    expect(lines.at(-2)).toMatchObject({ kind: 'leaks', leaks: [{ feature: 'remembersTheFuture' }] })
    expect(lines.at(-1)).toMatchObject({ kind: 'verdict', outcome: 'failed', status: 'failed' })
  })

  test('where nothing looks ahead a run says so, also when there is nothing to do', () => {
    for (let i = 0; i < 2; i++) {
      const { stdout, status } = here('run', 'check-lookahead', 'check-features', ...asOf)
      expect(stdout).toMatch(/^ok/m)
      expect(stdout).toContain('nothing looks ahead: 3 features and strategies in 2 checks, at 3 or 8 instants each')
      expect(status).toBe(0)
    }
    expect(here('run', 'report', ...asOf).stdout).not.toContain('looks ahead')
  })

  test('says where nothing is checked', () => {
    const named = here('check-lookahead', 'report', ...asOf)
    expect(named.stderr).toContain('report: no check')
    expect(named.status).toBe(exitStatuses.usage)
    const venue = join(pipe.dir, 'venue')
    writeTinyProject(venue, { pipeline: 'venue', config: { venue: 'sim', symbols: [], month: '2026-05' } })
    const none = pipe.run(['check-lookahead'], { cwd: venue })
    expect(none.stderr).toContain('nothing in this pipeline checks for time travel')
    expect(none.status).toBe(exitStatuses.usage)
  })

  test('prints leaks in a table', async () => {
    const checked = [{ address: 'checkFeatures[a]', features: ['a', 'b'], cuts: 3 }]
    const at = { group: 'a', symbol: 'BTCUSDT', rowKnownAtMs: Date.UTC(2026, 0, 1), cutMs: Date.UTC(2026, 0, 2) }
    const text = renderLeaks(
      checked,
      [
        { ...at, kind: 'looksAhead', feature: 'tomorrow' },
        { ...at, kind: 'warmupTooShort', feature: 'forgetful' },
        {
          ...at,
          kind: 'looksAhead',
          feature: 'cheat',
          group: 'strategy',
          symbol: '',
          what: 'fills row 3, column side',
        },
      ],
      plainStyle,
    )
    await expect(`${text}\n`).toMatchFileSnapshot('../../golden/check-lookahead.txt')
  })
})
