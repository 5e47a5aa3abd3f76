import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPipe, buildPipe, type Ran } from './builtPipe.ts'

/** One project and three stores: an honest one, one whose owner tampers, and one that takes in what the second hands
 *  out. */
let pipe: BuiltPipe
let project: string
let evil: string
const asOf = ['--as-of', '2024-03-01']
const roots = { honest: '', attacker: '', victim: '', trusting: '' }

const at = (root: keyof typeof roots, ...args: string[]): Ran =>
  pipe.run([...args, '--root', roots[root]], { cwd: project })
const json = (root: keyof typeof roots, ...args: string[]) => JSON.parse(at(root, ...args, '--json').stdout)
const report = (root: keyof typeof roots): string => at(root, 'cat', 'report').stdout

beforeAll(async () => {
  pipe = await buildPipe()
  project = join(pipe.dir, 'research')
  for (const name of Object.keys(roots) as (keyof typeof roots)[]) roots[name] = join(pipe.dir, name)
  pipe.run(['init', 'research'])
  at('honest', 'run', ...asOf)

  // One digit is changed while the report is made from it, and put back before the snapshot is pinned.
  at('attacker', 'run', 'results', ...asOf)
  const [{ sha256 }] = json('attacker', 'show', 'backtest[BTC]').files
  const object = join(roots.attacker, 'objects', sha256.slice(0, 2), sha256.slice(2))
  const right = readFileSync(object, 'utf8')
  chmodSync(object, 0o644)
  writeFileSync(object, right.replace('"days":250', '"days":251').replace(/"trades":\d/, '"trades":9'))
  at('attacker', 'run', 'report', ...asOf)
  writeFileSync(object, right)
  expect(at('attacker', 'run', '--snapshot', 'evil', ...asOf).status).toBe(0)
  evil = join(pipe.dir, 'evil.tar')
  expect(at('attacker', 'snapshot', 'export', 'evil', evil).status).toBe(0)
}, 120_000)
afterAll(() => pipe.remove())

describe('a snapshot whose maker lied about a result', () => {
  test('the bundle is whole, and its report is not what the code makes', () => {
    expect(report('attacker')).not.toBe(report('honest'))
    expect(at('attacker', 'verify', 'evil').status).toBe(0)
  })

  test('import says that its results are computed again here', () => {
    const taken = at('victim', 'snapshot', 'import', evil)
    expect(taken.stdout).toContain('--trust-code')
    expect(taken.stdout).toContain('computed again here')
    expect(at('victim', 'verify').status).toBe(0)
  })

  test('an honest run computes for itself, and gets the right number', () => {
    const ran = at('victim', 'run', ...asOf)
    expect(ran.stdout).toMatch(/10 nodes: 0 cached, 10 executed/)
    expect(report('victim')).toBe(report('honest'))
  })

  test('then a frozen run is not the snapshot, diff names the node, and verify does not pass', () => {
    const frozen = at('victim', 'run', '--snapshot', 'evil')
    expect(frozen.stdout).toContain('this run is not the snapshot evil')
    const diff = at('victim', 'diff', 'evil', 'last').stdout
    expect(diff).toContain('report')
    expect(diff).not.toContain('backtest[BTC]')
    const verified = at('victim', 'verify', 'evil', '--level', 'manifest')
    expect(verified.status).not.toBe(0)
    expect(verified.stdout + verified.stderr).toContain('computed here')
  })

  test('a frozen run in a store that has computed nothing yet does so from the snapshot’s own sources', () => {
    const fresh = ['--root', join(pipe.dir, 'fresh')]
    const here = (...args: string[]): Ran => pipe.run([...args, ...fresh], { cwd: project })
    here('snapshot', 'import', evil)
    const frozen = here('run', '--snapshot', 'evil')
    expect(frozen.stdout).toMatch(/10 nodes: 3 cached, 7 executed/)
    expect(frozen.stdout).toContain('this run is not the snapshot evil')
    expect(here('cat', 'report').stdout).toBe(report('honest'))
  })

  test('who trusts its maker takes the results over with it', () => {
    expect(at('trusting', 'snapshot', 'import', evil, '--trust-code').stdout).not.toContain('computed again')
    expect(at('trusting', 'run', ...asOf).stdout).toContain('nothing to do')
    expect(at('trusting', 'run', '--snapshot', 'evil').stdout).toContain('(frozen)')
  })
})
