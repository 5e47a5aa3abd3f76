import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../../cas/store.ts'
import { exitStatuses, Fault } from '../../../lib/fault.ts'
import type { Process } from '../../../pipeline/cli/dispatch.ts'
import { type BuiltPipe, buildPipe, type Ran } from './builtPipe.ts'
import { say } from './fakeProcess.ts'
import { writeTroubledProject } from './troubledProject.ts'

/** What a newcomer meets at a prompt, with the command as it is built. */
let pipe: BuiltPipe
let project: string
let serial = 0

beforeAll(async () => {
  pipe = await buildPipe()
})
afterAll(() => pipe.remove())
beforeEach(() => {
  project = join(pipe.dir, `project${serial++}`)
  writeTroubledProject(project)
})
afterEach(() => rmSync(project, { recursive: true }))

test('the command is built executable, as npm links to it', () => {
  expect(statSync(pipe.cli).mode & 0o111).toBe(0o111)
})

const here = (...args: string[]): Ran => pipe.run(args, { cwd: project })
const root = () => join(project, '.pipe')

describe('with --json', () => {
  const lastLine = (ran: Ran) => JSON.parse(ran.stdout.trimEnd().split('\n').at(-1)!)

  test('a run that cannot begin prints its fault as one line', () => {
    for (const args of [
      ['run', 'nosuch', '--json'],
      ['run', '--json', '--nosuch'],
      ['run', '--json', '-p', 'nosuch'],
    ]) {
      const ran = here(...args)
      expect(ran.stdout.trimEnd().split('\n')).toHaveLength(1)
      expect(lastLine(ran)).toMatchObject({ error: { code: 'usage', exitStatus: 2 } })
    }
  })

  test('a fault after the result is in the same document', () => {
    here('run')
    const ran = here('gc', '--dry-run', '--max-size', '1KB', '--json')
    expect(ran.status).toBe(exitStatuses.refused)
    expect(JSON.parse(ran.stdout)).toMatchObject({ dryRun: true, result: null, error: { code: 'refused' } })
  })
})

test('gc does not take --dry-run and --undo together', () => {
  here('run')
  const ran = here('gc', '--dry-run', '--undo')
  expect(ran.status).toBe(exitStatuses.usage)
  expect(ran.stderr).toContain('do not go together')
})

test('a name that is nowhere leaves no folder of a run', () => {
  here('run')
  const before = readdirSync(join(root(), 'runs'))
  expect(here('run', 'nosuch').status).toBe(exitStatuses.usage)
  expect(readdirSync(join(root(), 'runs'))).toEqual(before)
})

describe('why', () => {
  test('takes a target of one node, whatever fan-out is behind it, known or not', () => {
    for (let round = 0; round < 2; round++) {
      const ran = here('why', 'summary', '-p', 'grown')
      expect(ran.stderr).not.toContain('error')
      expect(ran.stdout).toMatch(/^sum {2}\(sum, pure\)/)
      if (round === 0) here('run', '-p', 'grown')
    }
  })

  test('of a target of several nodes names those and no other', () => {
    here('run', '-p', 'grown')
    const ran = here('why', 'all', '-p', 'grown')
    expect(ran.status).toBe(exitStatuses.usage)
    expect(ran.stderr).toContain('"all" stands for 2 nodes')
    expect(ran.stderr).toContain('name one: double[0], double[1]')
  })
})

test('the command that runs a failed node again is as frozen and as offline as the run was', () => {
  here('run', '--snapshot', 'one')
  const ran = here('run', '--set', 'failing=1', '--snapshot', 'one', '--offline')
  expect(ran.stderr).toContain(`rerun     pipe run 'double[1]' --set failing=1 --snapshot one --offline`)
  const onward = here('run', '--set', 'failing=1', '--snapshot', 'two', '--from', 'one')
  expect(onward.stderr).toContain(`rerun     pipe run 'double[1]' --set failing=1 --from one\n`)
})

describe('asking where there is no store', () => {
  for (const args of [['plan'], ['graph'], ['why', 'double[1]'], ['ls'], ['plan', '-p', 'grown', '--json']]) {
    test(`"pipe ${args.join(' ')}" answers as for an empty one, and makes none`, () => {
      const elsewhere = join(pipe.dir, 'mistyped')
      const temporary = mkdtempSync(join(pipe.dir, 'tmp-'))
      for (const extra of [[], ['--root', elsewhere]]) {
        const ran = pipe.run([...args, ...extra], { cwd: project, env: { TMPDIR: temporary } })
        expect(ran.status).toBe(0)
        if (!args.includes('--json')) expect(ran.stderr).toContain('there is no store yet in')
        expect(existsSync(elsewhere)).toBe(false)
        expect(existsSync(root())).toBe(false)
      }
      expect(readdirSync(temporary)).toEqual([])
    })
  }
})

describe('verify', () => {
  test('of a store that cannot be written checks it all the same, and says so', async () => {
    here('run', '--snapshot', 'one')
    const openRoot: Process['openRoot'] = async (_surroundings, options) => {
      if (options?.readOnly !== true) throw new Fault({ code: 'noStore', what: 'the store cannot be written' })
      const store = openStore(root(), { readOnly: true })
      return { root: root(), rootFrom: 'named', store, close: () => store.close() }
    }
    const before = readdirSync(join(root(), 'index'))
    const said = await say(['verify'], { openRoot })
    expect(said.stderr).toContain('this store cannot be written')
    expect(said.stdout).toContain('all is well')
    expect(said.status).toBe('ok')
    expect(readdirSync(join(root(), 'index'))).toEqual(before)
  })

  test('checks the snapshots that are, and names folders that are none', () => {
    here('run', '--snapshot', 's1')
    for (const stray of ['S1', 'a b']) mkdirSync(join(root(), 'snapshots', stray))
    const ran = here('verify')
    expect(ran.status).toBe(exitStatuses.ok)
    expect(ran.stdout).toMatch(/odd file {2}snapshots\/S1: this folder is no snapshot/)
    expect(ran.stdout).toContain('snapshots/a b')
    expect(ran.stdout).toMatch(/^s1 +data/m)
  })
})

test('a pattern that selects nothing is warned of, by a plan and by a run', () => {
  for (const command of ['plan', 'run']) {
    const ran = here(command, '--force', 'dubble*', '--force', 'double[0]', '--refresh', 'double*')
    expect(ran.status).toBe(0)
    expect(ran.stderr).toContain('warning   --force dubble* matches no node')
    expect(ran.stderr).toContain('warning   --refresh double* matches no source')
    expect(ran.stderr).not.toContain('double[0] matches')
  }
})

test('a run that stops at a failure says how many nodes it never came to', () => {
  const ran = here('run', '--set', 'count=9', '--set', 'failing=0', '--workers', '1')
  const counted = Number(/(\d+) skipped/.exec(ran.stdout)?.[1] ?? 0)
  const named = [...ran.stderr.matchAll(/^skipped {3}\S+ {2}after/gm)].length
  const more = Number(/^skipped {3}(?:and )?(\d+) more/m.exec(ran.stderr)?.[1] ?? 0)
  expect(named + more).toBe(counted)
})

test('a node that is called like a target of several is what show and cat mean by the name', () => {
  const config = join(project, 'pipe.config.ts')
  const text = readFileSync(config, 'utf8')
  writeFileSync(config, text.replace("graph.target('all', ...nodes)", "graph.target('double[0]', ...nodes)"))
  expect(here('run').status).toBe(0)
  expect(JSON.parse(here('cat', 'double[0]', '--json').stdout)).toMatchObject({ value: { value: 0 } })
})
