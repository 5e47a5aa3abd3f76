import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPipe, buildPipe, type Ran } from './builtPipe.ts'

let pipe: BuiltPipe
beforeAll(async () => {
  pipe = await buildPipe()
  writeFileSync(
    join(pipe.dir, 'pipe.config.ts'),
    `import { defineTask, definePipeline, defineProject, jsonArtifact, many, withConfig, z } from 'tickpipe'

const number = jsonArtifact('number', z.number())

export const slow = defineTask({
  name: 'slow',
  kind: 'source',
  version: 1,
  params: z.object({ n: z.number(), ms: z.number() }),
  output: number,
  limits: { group: 'slow' },
  async run(_inputs, { n, ms }) {
    await new Promise((resolve) => setTimeout(resolve, ms))
    return n
  },
})

export const sum = defineTask({
  name: 'sum',
  kind: 'pure',
  params: z.object({}),
  inputs: { all: many(number) },
  output: number,
  run: ({ all }) => all.reduce((total, n) => total + n, 0),
})

const pipeline = definePipeline('slow', z.object({ count: z.number(), ms: z.number() }), (graph, { count, ms }) => {
  const all = Array.from({ length: count }, (_, n) => graph.add(slow, { at: [n], params: { n, ms } }))
  graph.target('sum', graph.add(sum, { inputs: { all } }))
})

export default defineProject({ root: '.pipe', limits: { slow: 2 }, pipelines: [withConfig(pipeline, { count: 8, ms: 250 })] })
`,
  )
})
afterAll(() => pipe.remove())

const executedBy = (ran: Ran): string[] =>
  ran.stdout
    .split('\n')
    .filter((line) => line.includes('"node done"'))
    .map((line) => (JSON.parse(line) as { address: string }).address)
const manifestOf = (ran: Ran): unknown =>
  (JSON.parse(ran.stdout.trim().split('\n').at(-1)!) as { manifestId: unknown }).manifestId

describe('two processes on one root', () => {
  test('execute each key once between them, and end with the same id', async () => {
    const runs = [pipe.start(['run', '--json']), pipe.start(['run', '--json'])]
    const [first, second] = await Promise.all(runs.map(({ ended }) => ended))
    expect([first!.status, second!.status]).toEqual([0, 0])
    expect(manifestOf(first!)).toBe(manifestOf(second!))
    const executed = [...executedBy(first!), ...executedBy(second!)]
    expect(executed.sort()).toEqual([...Array.from({ length: 8 }, (_, n) => `slow[${n}]`), 'sum'])
  })

  test('one takes over from another that was killed, and no lock is left for a person to clear', async () => {
    const args = ['run', '--json', '--set', 'ms=400']
    const doomed = pipe.start(args)
    await doomed.says(/"node done"/)
    const heir = pipe.start(args)
    await heir.says(/"node (waiting|started)"/)
    doomed.child.kill('SIGKILL')
    const [dead, done] = await Promise.all([doomed.ended, heir.ended])
    expect(done.status).toBe(0)
    const twice = executedBy(done).filter((address) => executedBy(dead).includes(address))
    expect(twice).toEqual([])
    expect(pipe.run(['doctor']).stdout).toContain('nobody else is at work')
    expect(pipe.run(['verify']).status).toBe(0)
  })
})
