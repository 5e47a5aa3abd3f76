import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuiltPipe, buildPipe } from '../pipeline/cli/builtPipe.ts'
import { type Measured, measured } from './measuredCommand.ts'

/** A project of as many trivial pure nodes as one asks for, and one that reads them all. */
export interface TrivialProject {
  readonly dir: string
  readonly built: BuiltPipe
  run(count: number, ...flags: string[]): Measured
  /** Forgets finished runs, so that the next one walks the graph. */
  dropMemos(): void
  /** Begins with an empty store. The old one is only moved away: ext4 looks for free inodes among those deleted within
   *  the last minutes one by one, which makes every file that is created after a large deletion cost many times as much. */
  newStore(): void
  remove(): void
}

const wide = `import { defineProject, definePipeline, defineTask, jsonArtifact, many, withConfig, z } from 'tickpipe'

const count = jsonArtifact('count', z.number())

export const square = defineTask({
  name: 'square', kind: 'pure', params: z.object({ n: z.number() }), inputs: {}, output: count,
  run: (_, { n }) => n * n,
})

export const sum = defineTask({
  name: 'sum', kind: 'pure', params: z.object({}), inputs: { all: many(count) }, output: count,
  run: ({ all }) => all.reduce((a, b) => a + b, 0),
})

const wide = definePipeline('wide', z.object({ count: z.number() }), (graph, { count }) => {
  const all = Array.from({ length: count }, (_, n) => graph.add(square, { at: [n], params: { n } }))
  graph.target('sum', graph.add(sum, { inputs: { all } }))
})

export default defineProject({ root: '.pipe', pipelines: [withConfig(wide, { count: 10 })] })
`

export async function trivialProject(): Promise<TrivialProject> {
  const built = await buildPipe()
  const dir = join(built.dir, 'project')
  mkdirSync(dir)
  let oldStores = 0
  writeFileSync(join(dir, 'package.json'), '{ "name": "wide", "type": "module" }\n')
  writeFileSync(join(dir, 'pipe.config.ts'), wide)
  return {
    dir,
    built,
    run: (count, ...flags) =>
      measured(
        process.execPath,
        [built.cli, 'run', '--quiet', '--set', `count=${count}`, '--as-of', '2024-01-01', ...flags],
        dir,
        built.env,
      ),
    dropMemos: () => rmSync(join(built.dir, 'home', '.cache', 'tickpipe', 'index', 'memo'), { recursive: true }),
    newStore: () => {
      if (existsSync(join(dir, '.pipe'))) renameSync(join(dir, '.pipe'), join(dir, `.pipe-${oldStores++}`))
    },
    remove: () => built.remove(),
  }
}
