import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
