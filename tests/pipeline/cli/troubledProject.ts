import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A project whose tasks do whatever a test asks by --set: fail, or wait until a file is there. */
export function writeTroubledProject(dir: string): void {
  mkdirSync(dir, { recursive: true })
  writeFileSync(
    join(dir, 'pipe.config.ts'),
    `import { defineTask, definePipeline, defineProject, jsonArtifact, many, PermanentError, withConfig, z } from 'tickpipe'
import { existsSync } from 'node:fs'

const number = jsonArtifact('number', z.object({ value: z.number() }))

export const wait = defineTask({
  name: 'wait',
  kind: 'source',
  version: 1,
  params: z.object({ index: z.number(), gate: z.string() }),
  output: number,
  async run(_inputs, { index, gate }, { signal, progress }) {
    while (gate !== '' && !existsSync(gate)) {
      if (signal.aborted) throw new PermanentError('told to stop')
      // As a download that goes on: what only waits ends with the first signal.
      progress({ bytes: 1 })
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return { value: index }
  },
})

export const double = defineTask({
  name: 'double',
  kind: 'pure',
  params: z.object({ fails: z.boolean() }),
  inputs: { number },
  output: number,
  run({ number: { value } }, { fails }) {
    if (fails) throw new Error('asked to fail')
    return { value: value * 2 }
  },
})

export const sum = defineTask({
  name: 'sum',
  kind: 'pure',
  params: z.object({}),
  inputs: { numbers: many(number) },
  output: number,
  run: ({ numbers }) => ({ value: numbers.reduce((total, { value }) => total + value, 0) }),
})

const list = jsonArtifact('list', z.object({ indexes: z.array(z.number()) }))

export const listIndexes = defineTask({
  name: 'listIndexes',
  kind: 'pure',
  params: z.object({ count: z.number() }),
  inputs: {},
  output: list,
  run: (_inputs, { count }) => ({ indexes: Array.from({ length: count }, (_, index) => index) }),
})

const config = z.object({ count: z.number(), gate: z.string(), failing: z.number() })

export const troubled = definePipeline('troubled', config, (graph, { count, gate, failing }) => {
  const nodes = Array.from({ length: count }, (_, index) => {
    const source = graph.add(wait, { at: [index], params: { index, gate: index === 0 ? gate : '' } })
    return graph.add(double, { at: [index], params: { fails: index === failing }, inputs: { number: source } })
  })
  graph.target('all', ...nodes)
})

/** The same, grown from an artifact. */
export const grown = definePipeline('grown', config, (graph, { count, failing }) => {
  const listed = graph.add(listIndexes, { params: { count } })
  const all = graph.each(
    listed,
    ({ indexes }) => indexes,
    (index) => {
      const source = graph.add(wait, { at: [index], params: { index, gate: '' } })
      return graph.add(double, { at: [index], params: { fails: index === failing }, inputs: { number: source } })
    },
  )
  graph.target('all', all)
  graph.target('summary', graph.add(sum, { inputs: { numbers: all } }))
})

export default defineProject({ root: '.pipe', pipelines: [troubled, grown].map((pipeline) => withConfig(pipeline, { count: 2, gate: '', failing: -1 })) })
`,
  )
}
