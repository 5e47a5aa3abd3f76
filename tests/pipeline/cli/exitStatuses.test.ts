import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describeArtifact } from '../../../cas/artifact.ts'
import { digestOf } from '../../../cas/digest.ts'
import { stageBytes } from '../../../cas/staging.ts'
import { openStore } from '../../../cas/store.ts'
import { exitStatuses } from '../../../lib/fault.ts'
import { type BuiltPipe, buildPipe, type Ran } from './builtPipe.ts'
import { writeTroubledProject } from './troubledProject.ts'

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

const here = (...args: string[]): Ran => pipe.run(args, { cwd: project })
const root = () => join(project, '.pipe')

describe('every way a command can end', () => {
  test('ok: the work is done', () => expect(here('run').status).toBe(exitStatuses.ok))

  test('usage: a config that does not fit', () => {
    const ran = here('run', '--set', 'count=many')
    expect(ran.stderr).toContain('--set count')
    expect(ran.status).toBe(exitStatuses.usage)
  })

  test('usage: a target that is not there, with the near one', () => {
    const ran = here('run', 'al')
    expect(ran.stderr).toContain('did you mean "all"')
    expect(ran.status).toBe(exitStatuses.usage)
  })

  test('failed: a task failed, and the block says all there is to know', () => {
    const ran = here('run', '--set', 'failing=1')
    expect(ran.status).toBe(exitStatuses.failed)
    expect(ran.stderr).toMatch(/failed {4}double\[1\] {2}\(double\)/)
    expect(ran.stderr).toContain('asked to fail')
    expect(ran.stderr).toMatch(/pipe\.config\.ts:\d+/)
    expect(ran.stderr).toContain('params    {"fails":true}')
    expect(ran.stderr).toMatch(/inputs {4}number=[0-9a-f]{12}/)
    expect(ran.stderr).toContain(`rerun     pipe run 'double[1]' --set failing=1`)
    const logPath = /log {7}(\S+)/.exec(ran.stderr)![1]!
    expect(readFileSync(logPath, 'utf8')).toContain('asked to fail')
  })

  test('failed: and the command it prints runs only that node again', () => {
    here('run', '--set', 'failing=1')
    const again = here('run', 'double[1]', '--set', 'failing=1')
    expect(again.status).toBe(exitStatuses.failed)
    expect(again.stdout).toContain('2 nodes: 1 cached, 0 executed, 1 failed')
  })

  test('failed: a node that a fan-out grew is run again alone, by the command that is printed', () => {
    const ran = here('run', '-p', 'grown', '--set', 'failing=1')
    const [, address] = /rerun {5}pipe run '?(\S+?)'? --pipeline grown --set failing=1/.exec(ran.stderr)!
    const again = here('run', address!, '--pipeline', 'grown', '--set', 'failing=-1')
    expect(again.status).toBe(exitStatuses.ok)
    expect(again.stdout).toContain('1 executed')
  })

  test('partial: --keep-going finishes what it can', () => {
    const ran = here('run', '--set', 'failing=1', '--keep-going')
    expect(ran.status).toBe(exitStatuses.partial)
    expect(ran.stdout).toContain('3 executed, 1 failed')
  })

  test('hasWork: plan --detailed-exitcode', () => {
    expect(here('plan', '--detailed-exitcode').status).toBe(exitStatuses.hasWork)
    here('run')
    expect(here('plan', '--detailed-exitcode').status).toBe(exitStatuses.ok)
  })

  test('noStore: there is none', () => {
    const ran = here('runs', '--root', join(pipe.dir, 'nowhere'))
    expect(ran.stderr).toContain('there is no store here')
    expect(ran.status).toBe(exitStatuses.noStore)
  })

  test('refused: what cannot be taken back wants to be said', () => {
    here('run', '--snapshot', 'one')
    expect(here('snapshot', 'rm', 'one').status).toBe(exitStatuses.refused)
    expect(here('snapshot', 'rm', 'one', '--yes').status).toBe(exitStatuses.ok)
  })

  test('missingSource: a frozen run lacks a source, and is told the way on', () => {
    here('run', '--snapshot', 'one')
    const ran = here('run', '--snapshot', 'one', '--set', 'count=3')
    expect(ran.status).toBe(exitStatuses.missingSource)
    expect(ran.stderr).toContain('--from one')
    const onward = here('run', '--snapshot', 'two', '--from', 'one', '--set', 'count=3')
    expect(onward.status).toBe(exitStatuses.ok)
  })

  test('nondeterministic: a key has two results; resolve shows and chooses', async () => {
    here('run')
    const { key } = JSON.parse(here('show', 'double[1]', '--json').stdout)
    const other = await recordOtherResult(key)
    const listed = here('resolve')
    expect(listed.status).toBe(exitStatuses.nondeterministic)
    expect(listed.stdout).toContain('1 disputed key')
    expect(here('run', '--snapshot', 'one').status).toBe(exitStatuses.nondeterministic)
    expect(here('resolve', 'double[1]', other.slice(0, 10)).status).toBe(exitStatuses.ok)
    expect(here('resolve').status).toBe(exitStatuses.ok)
  })

  test('notReproducible: a rebuild gives other bytes, and says which', async () => {
    here('run')
    const { key } = JSON.parse(here('show', 'double[1]', '--json').stdout)
    const other = await recordOtherResult(key)
    here('resolve', 'double[1]', other.slice(0, 10))
    expect(here('run', '--snapshot', 'wrong').status).toBe(exitStatuses.ok)
    const ran = here('verify', 'wrong', '--level', 'rebuild')
    expect(ran.status).toBe(exitStatuses.notReproducible)
    expect(ran.stdout).toMatch(/differs {2}wrong double\[1\][\s\S]*value: 41 became 2/)
  })

  test('unverifiable: the code it was made with is not here', () => {
    here('run', '--snapshot', 'one')
    const { code } = JSON.parse(here('show', 'double[1]', '--json').stdout)
    rmSync(join(root(), 'objects', code.run.slice(0, 2), code.run.slice(2)))
    const ran = here('verify', 'one', '--level', 'rebuild')
    expect(ran.stdout).toContain('unverifiable')
    expect(ran.status).toBe(exitStatuses.unverifiable)
  })

  test('interrupted: see below', () => expect(exitStatuses.interrupted).toBe(130))
})

/** A result of other bytes for the same key, as another machine might have recorded it. */
async function recordOtherResult(key: string): Promise<string> {
  const store = openStore(root())
  try {
    const bytes = Buffer.from('{"value":41}')
    const staged = [stageBytes(store.stagingDir, bytes)]
    const described = describeArtifact('number', [
      { name: 'value.json', digest: digestOf(bytes), sizeBytes: bytes.length },
    ])
    staged.push(stageBytes(store.stagingDir, described.bytes))
    const [first] = store.records.results(key as never)
    const payload = store.records.payload(first!)
    await store.commit({ staged, records: [{ kind: 'result', key: key as never, artifact: described.id, payload }] })
    return described.id
  } finally {
    await store.close()
  }
}

describe('an interrupted run', () => {
  const gate = () => join(project, 'gate')
  const startRun = () => {
    const started = pipe.start(['run', '--json', '--set', `gate=${gate()}`], { cwd: project })
    return started
  }
  const kinds = (ran: Ran) =>
    ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).kind)

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`by ${signal} once finishes what runs and keeps it`, async () => {
      const run = startRun()
      await run.says(/"node started"[^\n]*wait\[0\]/)
      run.child.kill(signal)
      await run.says(/"stopping"/)
      writeFileSync(gate(), '')
      const ended = await run.ended
      expect(ended.status).toBe(exitStatuses.interrupted)
      expect(ended.stdout).toMatch(/"node done"[^\n]*wait\[0\]/)
      expect(ended.stdout).not.toMatch(/"node done"[^\n]*double\[0\]/)
      expect(kinds(ended).slice(-2)).toEqual(['run finished', 'verdict'])

      const resumed = here('run', '--set', `gate=${gate()}`)
      expect(resumed.status).toBe(exitStatuses.ok)
      expect(resumed.stderr).not.toContain('done      wait[0]')
      expect(readdirSync(join(root(), 'staging'))).toEqual([])
    })
  }

  test('twice stops at once', async () => {
    const run = startRun()
    await run.says(/"node started"[^\n]*wait\[0\]/)
    run.child.kill('SIGINT')
    await run.says(/"after running nodes"/)
    run.child.kill('SIGINT')
    const ended = await run.ended
    expect(ended.status).toBe(exitStatuses.interrupted)
    expect(ended.stdout).toContain('"how":"now"')
    expect(existsSync(gate())).toBe(false)
  })

  test('that was killed leaves nothing in the way of the next', async () => {
    const run = startRun()
    await run.says(/"node started"[^\n]*wait\[0\]/)
    run.child.kill('SIGKILL')
    await run.ended
    mkdirSync(project, { recursive: true })
    writeFileSync(gate(), '')
    const next = here('run', '--set', `gate=${gate()}`)
    expect(next.status).toBe(exitStatuses.ok)
    expect(here('runs').stdout).toContain('unfinished')
  })
})
