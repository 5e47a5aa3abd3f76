import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Digest } from '../../../cas/digest.ts'
import { objectPath } from '../../../cas/layout.ts'
import { exitStatuses } from '../../../lib/fault.ts'
import { type BuiltPipe, buildPipe } from './builtPipe.ts'

let pipe: BuiltPipe
beforeAll(async () => {
  pipe = await buildPipe()
})
afterAll(() => pipe.remove())

const config = `import { absent, defineTask, definePipeline, defineProject, jsonArtifact, many, optional, withConfig, z } from 'tickpipe'

const number = jsonArtifact('number', z.number())

export const fetch = defineTask({
  name: 'fetch',
  kind: 'source',
  version: 1,
  params: z.object({ index: z.number() }),
  output: number,
  run: async (_, { index }) => (index === 0 ? absent('nothing there') : index),
})

export const count = defineTask({
  name: 'count',
  kind: 'pure',
  params: z.object({}),
  inputs: { first: optional(number), all: many(number) },
  output: number,
  run: ({ first, all }) => (first === undefined ? 100 : 0) + all.length,
})

const counted = definePipeline('counted', z.object({}), (graph) => {
  const all = [0, 1, 2].map((index) => graph.add(fetch, { at: [index], params: { index } }))
  graph.target('count', graph.add(count, { inputs: { first: all[0]!, all } }))
})

export default defineProject({ root: '.pipe', pipelines: [withConfig(counted, {})] })
`

test('what a source did not have is rebuilt as it was run: undefined, and left out of a list', () => {
  const cwd = join(pipe.dir, 'absent')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'pipe.config.ts'), config)
  expect(pipe.run(['run', '--snapshot', 'one'], { cwd }).status).toBe(exitStatuses.ok)
  expect(pipe.run(['cat', 'count'], { cwd }).stdout.trim()).toBe('102')
  const verified = pipe.run(['verify', 'one', '--level', 'rebuild'], { cwd })
  expect(verified.stdout).toContain('all is well')
  expect(verified.status).toBe(exitStatuses.ok)
})

test('what the code of today would make is compared with what was made: nothing but what was edited differs', () => {
  const cwd = join(pipe.dir, 'edited')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'pipe.config.ts'), config)
  expect(pipe.run(['run', '--snapshot', 'one'], { cwd }).status).toBe(exitStatuses.ok)
  const verify = () => pipe.run(['verify', 'one', '--level', 'current'], { cwd })
  expect(verify().stdout).toContain('all is well')
  writeFileSync(join(cwd, 'pipe.config.ts'), config.replace('? 100', '? 200'))
  const { stdout, status } = verify()
  expect(stdout).toMatch(/changed {2}one count {2}its code changed/)
  expect(stdout).not.toMatch(/one fetch/)
  expect(status).toBe(exitStatuses.ok)
})

const chain = config
  .replace(
    "graph.target('count', graph.add(count, { inputs: { first: all[0]!, all } }))",
    `const counted = graph.add(count, { inputs: { first: all[0]!, all } })
  graph.target('double', graph.add(double, { inputs: { counted } }))`,
  )
  .replace(
    'const counted =',
    `export const double = defineTask({
  name: 'double',
  kind: 'pure',
  params: z.object({}),
  inputs: { counted: number },
  output: number,
  run: ({ counted }) => counted * 2,
})

const counted =`,
  )

describe('the descriptor of what no node has to read is damaged', () => {
  function damaged(name: string, ...asked: string[]) {
    const cwd = join(pipe.dir, name)
    mkdirSync(cwd)
    writeFileSync(join(cwd, 'pipe.config.ts'), chain)
    const run = (...args: string[]) => pipe.run(args, { cwd })
    expect(run('run', ...asked).status).toBe(exitStatuses.ok)
    const manifest = readFileSync(
      join(cwd, '.pipe', 'runs', readdirSync(join(cwd, '.pipe', 'runs'))[0]!, 'manifest.json'),
      'utf8',
    )
    const { artifact } = (JSON.parse(manifest) as { nodes: { address: string; artifact: Digest }[] }).nodes.find(
      ({ address }) => address === 'count',
    )!
    const path = objectPath(join(cwd, '.pipe', 'objects'), artifact)
    const { mtime, atime } = statSync(path)
    const bytes = readFileSync(path)
    bytes[5]! ^= 1
    chmodSync(path, 0o644)
    writeFileSync(path, bytes)
    utimesSync(path, atime, mtime)
    chmodSync(path, 0o444)
    return run
  }

  test('verify names the node that makes it again, and its advice works', () => {
    const run = damaged('advised')
    const { stdout, status } = run('verify')
    expect(status).toBe(exitStatuses.corrupt)
    expect(stdout).toContain("make it again, if it is still part of your pipeline: pipe run 'count'")
    expect(run('run', 'double').stdout).toContain('nothing to do')
    expect(run('run', 'count').status).toBe(exitStatuses.ok)
    expect(run('verify').status).toBe(exitStatuses.ok)
  })

  test.each([
    ['verified before', true],
    ['not noticed by anybody', false],
  ])('%s, a run that is to be pinned makes it again', (name, isVerified) => {
    const run = damaged(`pinned ${name}`)
    if (isVerified) expect(run('verify').status).toBe(exitStatuses.corrupt)
    const { stdout, status } = run('run', 'double', '--snapshot', 'one')
    expect(status).toBe(exitStatuses.ok)
    expect(stdout).toContain('1 executed (1 came out the same)')
    expect(run('verify', 'one').status).toBe(exitStatuses.ok)
  })

  test('of a snapshot, verify names the node likewise, and its advice works', () => {
    const run = damaged('of a snapshot', '--snapshot', 'one')
    const { stdout, status } = run('verify', 'one')
    expect(status).toBe(exitStatuses.corrupt)
    expect(stdout).toContain(`make it again with "pipe run 'count' --snapshot one"`)
    expect(run('run', 'count', '--snapshot', 'one').status).toBe(exitStatuses.ok)
    expect(run('verify', 'one').status).toBe(exitStatuses.ok)
  })
})
