import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { exitStatuses } from '../../../lib/fault.ts'
import { type BuiltPipe, buildPipe, type Ran } from './builtPipe.ts'
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
      expect(ran.stderr).toBe('')
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
