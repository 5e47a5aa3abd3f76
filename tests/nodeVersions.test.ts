import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPipe, buildPipe } from './pipeline/cli/builtPipe.ts'
import { otherNodes } from './support/otherNodes.ts'

/** The example project under another version of Node, other numbers of workers, another time zone and another
 *  language: the manifest, and with it its id, is the same to the byte. */
const otherMajor = process.versions.node.startsWith('24.') ? '20' : '24'
const otherNode = findNode(otherMajor)

/** What is not on this machine npm has as a package; where it cannot be had, there is nothing to compare with. */
function findNode(major: string): string | undefined {
  const here = otherNodes().find(({ version }) => version.startsWith(`${major}.`))
  if (here !== undefined) return here.path
  const args = ['-y', '--prefer-offline', '-p', `node@${major}`, 'node', '-p', 'process.execPath']
  const { status, stdout } = spawnSync('npx', args, { cwd: tmpdir(), encoding: 'utf8', timeout: 90_000 })
  const path = stdout?.trim().split('\n').at(-1)
  return status === 0 ? path : undefined
}

let pipe: BuiltPipe
beforeAll(async () => {
  pipe = await buildPipe()
  expect(pipe.run(['init', '--tasks', 'example'])).toMatchObject({ status: 0 })
})
afterAll(() => pipe.remove())

interface Machine {
  readonly node?: string
  readonly workers?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Runs everything into an empty store, and says by which Node. */
function manifestId({ node = process.execPath, workers = '2', env = {} }: Machine): string {
  rmSync(join(pipe.dir, 'example', '.pipe'), { recursive: true, force: true })
  const { status, stdout, stderr } = spawnSync(
    node,
    [pipe.cli, 'run', '--json', '--as-of', '2024-03-01', '--workers', workers],
    { cwd: join(pipe.dir, 'example'), encoding: 'utf8', env: { ...pipe.env, ...env } },
  )
  if (status !== 0) throw new Error(`it ended with ${status}: ${stdout}${stderr}`)
  const verdict = JSON.parse(stdout.trim().split('\n').at(-1)!) as { manifestId: string; counts: { executed: number } }
  expect(verdict.counts.executed).toBe(10)
  return verdict.manifestId
}

describe('the id of what a run made', () => {
  let here: string
  beforeAll(() => {
    here = manifestId({})
  })

  test('does not depend on the number of workers', () => {
    expect(manifestId({ workers: '1' })).toBe(here)
  })

  test('does not depend on time zone and language', () => {
    const env = { TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', LANGUAGE: 'tr' }
    expect(manifestId({ env })).toBe(here)
  })

  test.skipIf(otherNode === undefined)(`is the same on Node ${otherMajor} (skipped where npm cannot give it)`, () => {
    const { stdout } = spawnSync(otherNode!, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    expect(stdout.startsWith(`${otherMajor}.`)).toBe(true)
    expect(manifestId({ node: otherNode!, workers: '1', env: { TZ: 'America/St_Johns' } })).toBe(here)
    expect(manifestId({ node: otherNode!, workers: '2' })).toBe(here)
  })
})
