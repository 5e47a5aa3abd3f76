import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fillFlags, reasons } from '../../../lib/backtest/orders.ts'
import { markKlines } from '../../../lib/tables/priceKlines.ts'
import { schemaToJson } from '../../../lib/tables/schema.ts'
import { ownTables } from '../../../pipeline/cli/schema/ownTables.ts'
import { openWorld } from '../../../pipeline/cli/world.ts'
import { type Said, say } from './fakeProcess.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickpipe-schema-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ask = (...words: string[]): Promise<Said> => say(['schema', ...words], { cwd: folder })

interface Told {
  name: string
  columns: { name: string; sqlType: string; unit: string | null; doc: string | null }[]
  madeBy: string[]
  readBy: string[]
  inside: unknown
  declaredIn: string | null
}
const tablesOf = ({ stdout }: Said): Told[] => (JSON.parse(stdout) as { tables: Told[] }).tables

describe('pipe schema', () => {
  test('lists the tables of tickpipe where there is no project', async () => {
    const { stdout, status } = await ask()
    expect(status).toBe('ok')
    for (const { schema } of ownTables) expect(stdout).toMatch(new RegExp(`^${schema.name} +${schema.version} `, 'm'))
    expect(stdout).toMatch(/^equity .* equity\.parquet of backtestRun$/m)
  })

  test('shows one with types, units and sort key', async () => {
    const { stdout } = await ask('funding')
    expect(stdout).toContain('funding  version 3\nOne row a settlement.')
    expect(stdout).toContain('sorted by    symbol, tsMs, unique')
    expect(stdout).toMatch(/^intervalHours {2}i32, nullable +INTEGER +h +hours since/m)
    expect(stdout).toMatch(/^rate +decimal\(18,18\) +DECIMAL\(18,18\) +share of notional$/m)
  })

  test('says of every column of fills and equity what it is, and of flags and reasons all there are', async () => {
    const told = tablesOf(await ask('--json')).filter(({ name }) => name === 'fills' || name === 'equity')
    const docs = told.flatMap(({ columns }) => columns).filter(({ name }) => name !== 'symbol')
    expect(docs.filter(({ doc }) => doc === null)).toEqual([])
    const docOf = (column: string) => docs.find(({ name }) => name === column)!.doc
    for (const [name, bit] of Object.entries(fillFlags)) expect(docOf('flags')).toContain(`${bit} ${name}`)
    for (const reason of reasons) expect(docOf('reason')).toContain(reason)
  })

  test('tells how equal keys are ordered', async () => {
    expect((await ask('events')).stdout).toContain('sorted by    tsMs, rank, then venue sequence, source, row')
  })

  test('writes a document', async () => {
    const { stdout } = await ask('--markdown')
    for (const { schema } of ownTables) {
      expect(stdout).toContain(`## ${schema.name}\n`)
      for (const name of Object.keys(schema.columns)) expect(stdout).toContain(`| \`${name}\` | `)
    }
    for (const row of stdout.split('\n').filter((line) => line.startsWith('|'))) {
      expect(row.replaceAll('\\|', '').match(/\|/g), row).toHaveLength(6)
    }
  })

  test('names what was meant', async () => {
    const { status, stderr } = await ask('klin')
    expect(status).toBe('usage')
    expect(stderr).toContain('there is no table "klin"; did you mean "klines"?')
  })

  test('has no table twice, and none that differs from what is stored', async () => {
    const names = tablesOf(await ask('--json')).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(ownTables.map(({ schema }) => schemaToJson(schema))).toContain(schemaToJson(markKlines.schema))
  })
})

describe('in a project', () => {
  const project = join(folder, 'project')
  beforeAll(() => {
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{ "name": "own", "type": "module" }\n')
    writeFileSync(
      join(project, 'tables.ts'),
      `import { decimal, defineTable, many, defineTask, jsonArtifact, optional, stored, tableArtifact, tsMs, utf8, z } from 'tickpipe'

export const spreads = tableArtifact(defineTable({
  name: 'spreads', version: 3, doc: 'Best bid and ask.',
  columns: { tsMs: tsMs(), bid: decimal(2, 9, { unit: 'USDT', doc: 'a | b' }) },
  sortKey: ['tsMs'], tieBreak: 'arrival',
}))

// Written where it is used, and exported by no name.
const hidden = tableArtifact(defineTable({ name: 'hidden', version: 1, columns: { text: utf8() }, sortKey: [] }))

export const makeSpreads = defineTask({
  name: 'makeSpreads', kind: 'pure', params: z.object({}), inputs: {}, output: spreads,
  run: () => { throw new Error('never run') },
})
export const makeHidden = defineTask({
  name: 'makeHidden', kind: 'pure', params: z.object({}), inputs: { all: optional(many(stored(spreads))) }, output: hidden,
  run: () => { throw new Error('never run') },
})
export const never = jsonArtifact('never', z.number())
`,
    )
    writeFileSync(
      join(project, 'pipe.config.ts'),
      `import { definePipeline, defineProject, withConfig, z } from 'tickpipe'
import { makeHidden, makeSpreads } from './tables.ts'
const one = definePipeline('one', z.object({}), (graph) => {
  const spreads = graph.add(makeSpreads)
  graph.target('hidden', graph.add(makeHidden, { inputs: { all: [spreads] } }))
})
export default defineProject({ root: '.pipe', pipelines: [withConfig(one, {})] })
`,
    )
  })
  const here = (...words: string[]): Promise<Said> =>
    say(['schema', ...words], { cwd: project, env: { HOME: folder }, openWorld })

  test('there are also the tables its tasks make, with the tasks that make and read them', async () => {
    const tables = tablesOf(await here('--json'))
    const own = tables.filter(({ declaredIn }) => declaredIn !== null)
    expect(own.map(({ name, madeBy, readBy, declaredIn }) => ({ name, madeBy, readBy, declaredIn }))).toEqual([
      { name: 'hidden', madeBy: ['makeHidden'], readBy: [], declaredIn: 'tables.ts' },
      { name: 'spreads', madeBy: ['makeSpreads'], readBy: ['makeHidden'], declaredIn: 'tables.ts' },
    ])
    expect(tables.map(({ name }) => name)).toContain('klines')
  })

  test('a bar in a description does not break the document', async () => {
    expect((await here('spreads', '--markdown')).stdout).toContain(
      '| `bid` | decimal(9,2) | DECIMAL(9,2) | USDT | a \\| b |',
    )
  })

  test('no store is made', async () => {
    expect((await here()).status).toBe('ok')
    expect(existsSync(join(project, '.pipe'))).toBe(false)
  })
})

describe('pipe schema --config', () => {
  const project = join(folder, 'settings')
  beforeAll(() => {
    mkdirSync(project, { recursive: true })
    writeFileSync(
      join(project, 'pipe.config.ts'),
      `import { definePipeline, defineProject, withConfig, z } from 'tickpipe'
const config = z.object({
  size: z.int().positive().default(20).describe('How many.'),
  fees: z.object({ maker: z.number().min(0).max(100).default(2), tiers: z.array(z.object({ bps: z.number() })).default([]) }).prefault({}),
  source: z.enum(['sim', 'binance']).default('sim'),
  benchmark: z.string().nullable().default(null),
  sweep: z.record(z.string(), z.array(z.union([z.number(), z.string()]))).default({}),
})
export default defineProject({ pipelines: [withConfig(definePipeline('p', config, () => {}), { size: 5 })] })`,
    )
  })

  const here = (...words: string[]): Promise<Said> =>
    say(['schema', '--config', ...words], { cwd: project, env: { HOME: folder }, openWorld })

  test('says of each setting what it takes, its default, what it is here, and what it is for', async () => {
    const { stdout, status } = await here()
    expect(status).toBe('ok')
    expect(stdout).toBe(`size  whole number above 0
    How many.
    default 20
    here    5
fees.maker  number from 0 up to 100
    default 2
fees.tiers  list of { bps: number }
    default []
source  "sim" | "binance"
    default "sim"
benchmark  string | null
    default null
sweep  { <name>: list of number | string }
    default {}
`)
  })

  test('as JSON for programs', async () => {
    const { stdout } = await here('--json')
    const { settings } = JSON.parse(stdout) as { settings: unknown[] }
    expect(settings[0]).toEqual({
      path: 'size',
      takes: 'whole number above 0',
      fallback: 20,
      value: 5,
      doc: 'How many.',
    })
  })
})
