import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repo = fileURLToPath(new URL('../../../', import.meta.url))

/** A project that backtests one of some strategies, each in a file of its own, over three days of two made-up symbols. */
export function writeStrategyProject(dir: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(dir, 'strategies'), { recursive: true })
  writeFileSync(join(dir, 'package.json'), '{ "name": "mine", "type": "module" }\n')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, 'strategies', `${name}.ts`), text)
  const names = Object.keys(files)
  writeFileSync(
    join(dir, 'pipe.config.ts'),
    `import { definePipeline, defineProject, withConfig, z } from 'tickpipe'
import { makeBars, makeFunding, makeUniverse } from '${repo}tests/bench/sweep/pipe.config.ts'
import { backtest } from '${repo}tasks/replay/backtest.ts'
${names.map((name) => `import { strategy as ${name} } from './strategies/${name}.ts'`).join('\n')}
const strategies = { ${names.join(', ')} }
const bad = definePipeline('bad', z.object({ strategy: z.string() }), (graph, config) => {
  const size = { index: 0, bars: 72, intervalMs: 3_600_000 }
  graph.target('backtest', graph.add(backtest, {
    params: { baseInterval: '1h', from: '2024-01-01', to: '2024-01-04' },
    inputs: {
      universe: graph.add(makeUniverse, { params: { symbols: 2 } }),
      minutes: [0, 1].map((index) => graph.add(makeBars, { at: [index], params: { ...size, index } })),
      funding: [graph.add(makeFunding, { params: size })],
    },
    code: { strategy: strategies[config.strategy] },
  }))
})
export default defineProject({ root: '.pipe', silenceMs: 1500, memoryMb: 256, pipelines: [withConfig(bad, { strategy: '${names[0]}' })] })
`,
  )
}
