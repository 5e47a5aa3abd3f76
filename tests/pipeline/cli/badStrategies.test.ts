import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPipe, buildPipe } from './builtPipe.ts'
import { writeStrategyProject } from './strategyProject.ts'

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

describe('a strategy that goes wrong ends its run with status 3, its own line and the instant', () => {
  let built: BuiltPipe
  let dir: string
  beforeAll(async () => {
    built = await buildPipe()
    dir = join(built.dir, 'project')
    writeStrategyProject(
      dir,
      Object.fromEntries(Object.entries(strategies).map(([name, line]) => [name, fileOf(line)])),
    )
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
