import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRoot } from '../../../pipeline/cli/world.ts'
import { type Said, say } from './fakeProcess.ts'
import { queryRoot } from './queryRoot.ts'

const folder = mkdtempSync(join(tmpdir(), 'pipe-nowhere-'))
const elsewhere = join(folder, 'elsewhere')
const full = join(folder, 'full')
const empty = join(folder, 'empty')
const inHome = join(full, '.pipe')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeAll(async () => {
  for (const made of [elsewhere, full, empty]) mkdirSync(made)
  await queryRoot(inHome, [{ address: 'a', task: 'a', type: 'text', files: { 'a.txt': 'a' } }])
})

const told = `no project in ${elsewhere} or above it: this is the store ${inHome}; --root names another\n`
const outside = (words: readonly string[], home = full, env = {}): Promise<Said> =>
  say(words, { cwd: elsewhere, env: { HOME: home, ...env }, openRoot })

describe('outside of any project', () => {
  for (const command of [['runs'], ['snapshot', 'ls'], ['resolve'], ['show', 'a']]) {
    test(`${command.join(' ')} says that it reads the store in the home folder`, async () => {
      const { stderr, status } = await outside(command)
      expect(stderr).toBe(told)
      expect(status).toBe('ok')
    })
  }

  test('status says so before it says that nothing was planned there', async () => {
    const { stderr, status } = await outside(['status'])
    expect(stderr.startsWith(told)).toBe(true)
    expect(stderr).toContain('no run here has come as far as a plan')
    expect(status).toBe('usage')
  })

  for (const command of [['status'], ['runs'], ['gc'], ['query', 'select 1']]) {
    test(`${command[0]} without a store there ends as documented, and says what is missing`, async () => {
      const { stderr, status } = await outside(command, empty)
      expect(stderr).toBe(
        [
          `error  there is no project in ${elsewhere} or above it, and no store in the home folder`,
          `where  ${join(empty, '.pipe')}`,
          'todo   go to your project, name a store with --root, or make a project here with "pipe init"\n',
        ].join('\n'),
      )
      expect(status).toBe('noStore')
    })
  }

  test('a store that was named is what was asked for, and nothing is said', async () => {
    expect((await outside(['runs', '--root', inHome])).stderr).toBe('')
    expect((await outside(['runs'], empty, { PIPE_ROOT: inHome })).stderr).toBe('')
    expect((await outside(['runs', '--quiet'])).stderr).toBe('')
    expect((await outside(['runs', '--root', join(folder, 'none')])).stderr).toContain('there is no store here')
  })
})

test('in a project without a root of its own the home folder is meant, and nothing is said', async () => {
  const project = join(folder, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'pipe.config.ts'), 'export default { pipelines: [] }')
  const { stderr, status } = await say(['runs'], { cwd: project, env: { HOME: full }, openRoot })
  expect(stderr).toBe('')
  expect(status).toBe('ok')
})
