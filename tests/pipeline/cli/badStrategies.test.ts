import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPipe, buildPipe } from './builtPipe.ts'

const repo = fileURLToPath(new URL('../../../', import.meta.url))

/** Strategies somebody wrote in a hurry, each in a file of its own; the line that is to blame is the fifth. */
const strategies = {
  throws: `if (at === decisionTsMs) throw new RangeError('the book is empty')`,
  givesNaN: `if (at === decisionTsMs) ctx.setWeight('S00USDT', Number.NaN)`,
  unknownSymbol: `if (at === decisionTsMs) ctx.order({ symbol: 'NOPEUSDT', qty: 1 })`,
  looksAhead: `if (at === decisionTsMs) ctx.close('S01USDT', -1)`,
  neverEnds: `while (at === decisionTsMs) count++`,
  hoards: `while (at === decisionTsMs) all.push(new Array(100_000).fill(all.length))`,
} as const
type Name = keyof typeof strategies

const fileOf = (line: string) => `import { z } from 'tickpipe'
const decisionTsMs = Date.UTC(2024, 0, 2)
export const strategy = { name: 'mine', params: z.object({}), decisionEvery: '1h', onBar(ctx: any) {
  const at: number = ctx.nowMs, all: object[] = []; let count = 0
  ${line}
} }
`

function writeProject(dir: string): void {
  mkdirSync(join(dir, 'strategies'), { recursive: true })
  writeFileSync(join(dir, 'package.json'), '{ "name": "mine", "type": "module" }\n')
  for (const [name, line] of Object.entries(strategies))
    writeFileSync(join(dir, 'strategies', `${name}.ts`), fileOf(line))
  const names = Object.keys(strategies)
  writeFileSync(
    join(dir, 'pipe.config.ts'),
    `import { definePipeline, defineProject, withConfig, z } from 'tickpipe'
import { makeBars, makeFunding, makeUniverse } from '${repo}tests/bench/sweep/pipe.config.ts'
import { backtest } from '${repo}tasks/replay/backtest.ts'
${names.map((name) => `import { strategy as ${name} } from './strategies/${name}.ts'`).join('\n')}
const strategies = { ${names.join(', ')} }
const bad = definePipeline('bad', z.object({ strategy: z.string() }), (graph, config) => {
  const size = { index: 0, bars: 72 }
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
export default defineProject({ root: '.pipe', silenceMs: 1500, memoryMb: 256, pipelines: [withConfig(bad, { strategy: 'throws' })] })
`,
  )
}

describe('a strategy that goes wrong ends its run with status 3, its own line and the instant', () => {
  let built: BuiltPipe
  let dir: string
  beforeAll(async () => {
    built = await buildPipe()
    dir = join(built.dir, 'project')
    writeProject(dir)
  })
  afterAll(() => built.remove())

  const cases: readonly (readonly [Name, string, RegExp])[] = [
    ['throws', 'throws', /the strategy threw: the book is empty/],
    ['givesNaN', 'gives a weight that is no number', /S00USDT: the strategy gave the weight NaN/],
    [
      'unknownSymbol',
      'orders a symbol that is not there',
      /NOPEUSDT: the strategy named the unknown symbol "NOPEUSDT"/,
    ],
    ['looksAhead', 'names a row of the future', /S01USDT: the strategy asked for lag -1/],
    ['neverEnds', 'loops for ever', /came as far as 2024-01-02T00:00.* and no further in 1500 ms; it was at/],
    ['hoards', 'eats memory', /needs too much memory: it reached the memory limit of 256 MB/],
  ]
  for (const [name, says, message] of cases) {
    test(`when it ${says}`, () => {
      const before = objects()
      const { status, stderr, stdout } = built.run(['run', 'backtest', '-w', '1', '--set', `strategy=${name}`], {
        cwd: dir,
      })
      const printed = `${stdout}${stderr}`
      expect(printed).toMatch(message)
      expect(status).toBe(3)
      expect(printed).toContain('backtest')
      if (name !== 'hoards') {
        expect(printed).toContain(`strategies/${name}.ts:5`)
        expect(printed).toContain('2024-01-02')
      }
      // Neither an object of the failed node nor anything half-written is left.
      expect(staged()).toEqual([])
      if (before.length > 0) expect(objects().length - before.length).toBeLessThanOrEqual(2) // its code and what is known of it
    })
  }

  const objects = () => listed(join(dir, '.pipe', 'objects'))
  const staged = () => listed(join(dir, '.pipe', 'staging')).filter((name) => !/lease|\.lock/.test(name))
})

function listed(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
  } catch {
    return []
  }
}
