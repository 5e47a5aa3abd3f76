import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ProjectCode } from '../../../../pipeline/engine/code/codeCache.ts'
import { parseCodeBundle } from '../../../../pipeline/engine/code/codeObject.ts'
import { driverExports } from '../../../../pipeline/engine/code/codeObjects.ts'
import { linkCode } from '../../../../pipeline/engine/code/linkCode.ts'
import { mapStack } from '../../../../pipeline/engine/code/mapStack.ts'
import { settle, type TempProject, tempProject } from './tempProject.ts'

const require = createRequire(import.meta.url)

const run = ({ bytes }: ProjectCode) =>
  linkCode(bytes, {
    requireBuiltin: (id) => require(id),
    requirePackage: ({ specifier }) => expect.fail(`asked for ${specifier}`),
  }).instantiate()

/** One value port of a project whose file `value.ts` exports `value`. */
const withValue = (files: Readonly<Record<string, string>>): TempProject =>
  tempProject({
    'pipe.config.ts': `import { value } from './value.ts'\nexport default { values: { value } }`,
    ...files,
  })

const codeOf = async (project: TempProject): Promise<ProjectCode> => (await project.codes())['value']!
const resultOf = async (project: TempProject): Promise<unknown> => {
  const { get } = run(await codeOf(project))['value'] as { get(): unknown }
  return get()
}

describe('what was hashed is what runs', () => {
  test('a task with zod params', async () => {
    const project = tempProject({
      'pipe.config.ts': `import { t } from './t.ts'\nexport default { tasks: { t } }`,
      't.ts': `import { z } from 'zod'\nimport { defineTask, jsonArtifact } from 'tickpipe'
export const t = defineTask({ name: 't', kind: 'pure', params: z.object({ n: z.number().default(2) }), inputs: {},
  output: jsonArtifact('o', z.number()), run: (_i, { n }) => n * 2 })`,
    })
    const { task } = run((await project.codes())['t']!) as {
      task: { params: { parse(x: unknown): { n: number } }; run(i: object, p: object): number }
    }
    expect(task.run({}, task.params.parse({}))).toBe(4)
    expect(() => task.params.parse({ n: 'x' })).toThrow(/expected number/)
  })

  test('a task that reads and writes tables brings the codec with it, any other does not', async () => {
    const project = tempProject({
      'pipe.config.ts': `import { a, b } from './t.ts'\nexport default { tasks: { a, b } }`,
      't.ts': `import { z } from 'zod'\nimport { defineTask, defineTable, f64, filesArtifact, tableArtifact, tsMs } from 'tickpipe'
const rows = tableArtifact(defineTable({ name: 'rows', version: 1, columns: { atTsMs: tsMs(), px: f64() }, sortKey: ['atTsMs'] }))
export const a = defineTask({ name: 'a', kind: 'pure', params: z.object({}), inputs: { rows }, output: rows, run: ({ rows }) => rows })
export const b = defineTask({ name: 'b', kind: 'pure', params: z.object({}), inputs: {}, output: filesArtifact('f'), run: () => [] })`,
    })
    const { a, b } = await project.codes()
    const exports = run(a!) as {
      task: { output: { schema: { columns: object } } }
      makeTable(schema: object, columns: object): { rowCount: number; columns: Record<string, Float64Array> }
      tableWriter(schema: object, write: (bytes: Uint8Array) => void): { append(t: object): void; finish(): void }
      decodeTable(schema: object, bytes: Uint8Array): { rowCount: number; columns: Record<string, Float64Array> }
    }
    const { schema } = exports.task.output
    const pieces: Uint8Array[] = []
    const writer = exports.tableWriter(schema, (piece) => pieces.push(piece))
    writer.append(exports.makeTable(schema, { atTsMs: Float64Array.of(1, 2), px: Float64Array.of(0.5, NaN) }))
    writer.finish()
    const back = exports.decodeTable(schema, Buffer.concat(pieces))
    expect([...back.columns['px']!]).toEqual([0.5, NaN])
    expect(Object.keys(run(b!))).toEqual(['task'])
    const names = [...driverExports.reads, ...driverExports.writes].flatMap((entry) => entry.names)
    expect(Object.keys(exports).sort()).toEqual(['task', ...names].sort())
  })

  test('top-level effects of a reached module are kept, hashed and run', async () => {
    const files = {
      'value.ts': `import { names, add } from './registry.ts'\nadd('value')\nexport const value = { get: () => names }`,
      'registry.ts': `export const names: string[] = ['first']\nexport const add = (name: string) => names.push(name)\nnames.push('second')`,
    }
    const project = withValue(files)
    expect(await resultOf(project)).toEqual(['first', 'second', 'value'])
    const before = (await codeOf(project)).digest
    project.write({ 'registry.ts': files['registry.ts'].replace('second', '2nd') })
    expect((await codeOf(project)).digest).not.toBe(before)
  })

  test('a file that is imported only for its effects is kept and run first', async () => {
    const project = withValue({
      'value.ts': `import './setup.ts'\nimport { list } from './list.ts'\nexport const value = { get: () => list }`,
      'list.ts': 'export const list: string[] = []',
      'setup.ts': `import { list } from './list.ts'\nlist.push('set up')`,
    })
    expect(await resultOf(project)).toEqual(['set up'])
  })

  test('live bindings, namespaces, defaults, re-exports, JSON and classes work across modules', async () => {
    const project = withValue({
      'value.ts': `import count, { increment, Base as B } from './a.ts'
import * as all from './b.ts'
import data from './data.json' with { type: 'json' }
class Sub extends B { override name() { return 'sub of ' + super.name() } }
export const value = { get() { increment(); return [count(), all.n, Object.keys(all), data.list, new Sub().name(), all.inner.deep] } }`,
      'a.ts': `import { n, bump } from './b.ts'\nexport default () => n\nexport const increment = () => bump()\nexport class Base { name() { return 'base' } }`,
      'b.ts': `export let n = 0\nexport const bump = () => { n++ }\nexport * as inner from './c.ts'`,
      'c.ts': 'export const deep = true',
      'data.json': '{ "list": [1, 2], "unused": true }',
    })
    expect(await resultOf(project)).toEqual([1, 1, ['bump', 'inner', 'n'], [1, 2], 'sub of base', true])
  })

  test('modules that import each other find each other’s functions, whoever comes first', async () => {
    const project = withValue({
      'value.ts': `import { ping } from './ping.ts'\nimport { table } from './pong.ts'\nexport const value = { get: () => [ping(3), table.early] }`,
      'ping.ts': `import { pong, table } from './pong.ts'\nexport function ping(n: number): string { return n === 0 ? table.end : 'i' + pong(n) }`,
      'pong.ts': `import { ping } from './ping.ts'\nexport function pong(n: number): string { return 'o' + ping(n - 1) }\nexport const table = { end: '!', early: typeof ping }`,
    })
    expect(await resultOf(project)).toEqual(['ioioio!', 'function'])
  })

  test('built-ins and CommonJS packages look as they do in Node', async () => {
    const project = withValue({
      'value.ts': `import path, { join } from 'node:path'\nimport * as os from 'os'\nimport { twice } from 'cjs'\nimport cjs from 'cjs'
export const value = { get: () => [join('a', 'b'), path.sep, typeof os.EOL, typeof os.default.EOL, twice(2), cjs.twice(3), cjs.sep, cjs.missing] }`,
      'node_modules/cjs/package.json': '{ "name": "cjs", "version": "1.0.0" }',
      'node_modules/cjs/index.js': `const path = require('path'); const h = require('./h')
let missing = 'there'; try { require('not-installed') } catch (e) { missing = e.code }
module.exports = { twice: (x) => h(x) * 2, sep: path.sep, missing }`,
      'node_modules/cjs/h.js': 'module.exports = function (x) { return x + 0 }',
    })
    expect(await resultOf(project)).toEqual(['a/b', '/', 'string', 'string', 4, 6, '/', 'MODULE_NOT_FOUND'])
    expect(parseCodeBundle((await codeOf(project)).bytes).builtins).toEqual(['node:os', 'node:path'])
  })

  test('names in the code are nobody else’s: a variable may be called like an import', async () => {
    const project = withValue({
      'value.ts': `import { a } from './a.ts'\nconst require_app_a = 'mine'\nfunction f(require_a: string) { return require_a + a }
export const value = { get: () => [require_app_a, f('x'), { a }, ((a: number) => ({ a }))(5)] }`,
      'a.ts': `export const a = 'A'`,
    })
    expect(await resultOf(project)).toEqual(['mine', 'xA', { a: 'A' }, { a: 5 }])
  })

  test('nothing of the bundle names where it was built', async () => {
    const project = withValue({
      'value.ts': `import { a } from './sub/a.ts'\nexport const value = { get: () => a }`,
      'sub/a.ts': 'export const a = 1',
    })
    const { bytes, info } = await codeOf(project)
    expect(Buffer.from(bytes).toString()).not.toContain(project.dir)
    expect(JSON.stringify(info)).not.toContain(project.dir)
  })

  const refused: readonly [string, string, object][] = [
    [
      'import() of a file',
      `export const value = {\n  get: () => import('./a.ts') }`,
      { what: expect.stringContaining('import()'), where: 'value.ts:2:14' },
    ],
    [
      'import() of what only the run knows',
      `export const value = { get: (x: string) => import(x) }`,
      { what: expect.stringContaining('import()') },
    ],
    [
      'import.meta.url',
      `export const value = { get: () => import.meta.url }`,
      { what: expect.stringContaining('where the code lies') },
    ],
    [
      'await at the top level',
      `export const value = { get: await 1 }`,
      { todo: expect.stringContaining('inside run') },
    ],
  ]
  for (const [says, text, fault] of refused) {
    test(`refuses ${says}`, async () => {
      const project = withValue({ 'value.ts': text, 'a.ts': 'export const a = 1' })
      await expect(codeOf(project)).rejects.toMatchObject({ name: 'Fault', code: 'usage', ...fault })
    })
  }

  test('import() in what is not reached is nobody’s business', async () => {
    const project = withValue({
      'value.ts': `export const load = () => import('./a.ts')\nexport const value = { get: () => 1 }`,
      'a.ts': '',
    })
    expect(await resultOf(project)).toBe(1)
  })
})

describe('mapStack', () => {
  test('names file and line of the source', async () => {
    const project = withValue({
      'value.ts': `import { boom } from './lib/boom.ts'\n\n// why\nexport const value = {\n  get(): never {\n    return boom('x')\n  },\n}\n`,
      'lib/boom.ts': `interface Gone { a: 1 }\n/** doc */\nconst pad = (n: number) => n\n\nexport function boom(text: string): never {\n  const deep = (): never => {\n    throw new Error(text + pad(1))\n  }\n  return deep()\n}\n`,
    })
    await settle()
    for (const _ of ['cold', 'warm']) {
      const code = await codeOf(project)
      const { get } = run(code)['value'] as { get(): never }
      let stack = ''
      try {
        get()
      } catch (error) {
        stack = mapStack((error as Error).stack!, code.info)
      }
      expect(stack).toContain('at deep (lib/boom.ts:7)')
      expect(stack).toContain('boom (lib/boom.ts:9)')
      expect(stack).toContain('value.ts:6)')
      expect(stack).toContain('runCode.test.ts')
    }
  })
})

test('a root deleted between two plans costs nothing but time', async () => {
  const project = withValue({ 'value.ts': 'export const value = { get: () => 7 }' })
  await settle()
  mkdirSync(join(project.root, 'index'), { recursive: true })
  expect(await resultOf(project)).toBe(7)
})
