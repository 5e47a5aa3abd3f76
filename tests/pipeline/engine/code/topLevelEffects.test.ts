import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { linkCode } from '../../../../pipeline/engine/code/linkCode.ts'
import { type TempProject, tempProject } from './tempProject.ts'

const require = createRequire(import.meta.url)

const withValue = (files: Readonly<Record<string, string>>): TempProject =>
  tempProject({
    'pipe.config.ts': `import { value } from './value.ts'\nexport default { values: { value } }`,
    ...files,
  })

/** What `value.get()` gives, in the code object. */
async function resultOf(files: Readonly<Record<string, string>>): Promise<unknown> {
  const code = (await withValue(files).codes())['value']!
  const { value } = linkCode(code.bytes, {
    requireBuiltin: (id) => require(id),
    requirePackage: ({ specifier }) => expect.fail(`asked for ${specifier}`),
  }).instantiate() as { value: { get(): unknown } }
  return value.get()
}

const digestOf = async (files: Readonly<Record<string, string>>) => (await withValue(files).digests())['value']

describe('what the top level of a module does is done in the code object too', () => {
  const registering = (body: string) =>
    `const seen: unknown[] = []\n${body}\nexport const value = { get: () => seen.map(String) }\n`
  const cases: readonly [string, string, readonly string[]][] = [
    [
      'own functions that are named like functions of tickpipe and zod',
      `function many(x: string) { seen.push(x) }\nfunction bool(x: string) { seen.push(x) }\nconst z = { add: (x: string) => seen.push(x) }
many('a')\nconst unused = bool('b')\nz.add('c')`,
      ['a', 'b', 'c'],
    ],
    [
      'own classes named like built-in ones',
      `class Map { constructor(x: string) { seen.push(x) } }\nnew Map('a')`,
      ['a'],
    ],
    ['Array.from with a callback', `Array.from([1, 2], (x) => seen.push(x))`, ['1', '2']],
    ['a chain behind Object.entries', `Object.entries({ a: 1 }).forEach(([k]) => seen.push(k))`, ['a']],
    [
      'a callback of map whose result is unused',
      `const idle = Object.values({ a: 7 }).map((x) => seen.push(x))`,
      ['7'],
    ],
    ['what arguments of a pure function do', `import { many } from 'tickpipe'\nmany(seen.push('a') as never)`, ['a']],
    [
      'what the middle of a chain of zod does',
      `import { z } from 'zod'\nconst idle = z.array((seen.push('a'), z.string())).optional()\nz.string().refine((x) => seen.push(x)).parse('b')`,
      ['a', 'b'],
    ],
    ['an iterator in a constructor', `function* f() { seen.push('a') }\nconst idle = new Set(f())`, ['a']],
    ['static blocks', `class A { static { seen.push('a') } }`, ['a']],
  ]
  for (const [says, body, result] of cases) {
    test(says, async () => expect(await resultOf({ 'value.ts': registering(body) })).toEqual(result))
  }

  test('Object.freeze of something others hold', async () => {
    const files = {
      'value.ts': 'const o = { a: 1 }\nObject.freeze(o)\nexport const value = { get: () => Object.isFrozen(o) }',
    }
    expect(await resultOf(files)).toBe(true)
  })

  test('a module that only passes on what it has changed', async () => {
    const files = {
      'value.ts': `import { Big } from './big.ts'\nexport const value = { get: () => Big.RM }`,
      'big.ts': `import { Big } from 'big'\nBig.RM = 0\nexport { Big }`,
      'node_modules/big/package.json': '{ "name": "big", "version": "1.0.0", "type": "module", "main": "big.js" }',
      'node_modules/big/big.js': 'export class Big {}\nBig.RM = 1\n',
    }
    expect(await resultOf(files)).toBe(0)
  })

  const packaged = (sideEffects: string) => ({
    'value.ts': `import { lookup } from 'tabled'\nexport const value = { get: () => lookup() }`,
    'node_modules/tabled/package.json': `{ "name": "tabled", "version": "1.0.0", "type": "module", "main": "i.js"${sideEffects} }`,
    'node_modules/tabled/i.js': `import { table } from './table.js'\ntable.push(1)\nexport { lookup } from './table.js'\n`,
    'node_modules/tabled/table.js': `export const table = []\nexport const lookup = () => table.length\n`,
  })
  test('a module of a package, unless the package says that it has no effects', async () => {
    expect(await resultOf(packaged(''))).toBe(1)
    expect(await resultOf(packaged(', "sideEffects": ["./i.js"]'))).toBe(1)
    expect(await resultOf(packaged(', "sideEffects": ["i.*"]'))).toBe(1)
    expect(await resultOf(packaged(', "sideEffects": false'))).toBe(0)
    expect(await resultOf(packaged(', "sideEffects": ["./lib/**/*.js", "*.css"]'))).toBe(0)
  })

  test('imports for their effects run in the order they are written', async () => {
    const files = (imports: string) => ({
      'value.ts': `${imports}\nimport { seen } from './seen.ts'\nexport const value = { get: () => seen }`,
      'seen.ts': 'export const seen: string[] = []',
      'z-first.ts': `import { seen } from './seen.ts'\nseen.push('z')`,
      'a-second.ts': `import { seen } from './seen.ts'\nseen.push('a')`,
    })
    expect(await resultOf(files(`import './z-first.ts'\nimport './a-second.ts'`))).toEqual(['z', 'a'])
    expect(await resultOf(files(`import './a-second.ts'\nimport './z-first.ts'`))).toEqual(['a', 'z'])
  })

  test('tagged templates that the bundler writes anew', async () => {
    const files = {
      'node_modules/two/package.json': '{ "name": "two", "version": "1.0.0", "main": "two.js" }',
      'node_modules/two/two.js': 'module.exports = 2',
      'value.ts': `import two from 'two'\nimport { page } from './page.ts'\nimport { html } from './html.ts'
export const value = { get: () => two + page('x') + html\`<script>\${1}</script>\` }`,
      'page.ts': `import { html } from './html.ts'\nexport const page = (x: string) => html\`<script>\${x}</script>\``,
      'html.ts': `export const html = (parts: TemplateStringsArray, ...values: unknown[]) => parts.join(String(values[0]))`,
    }
    expect(await resultOf(files)).toBe('2<script>x</script><script>1</script>')
  })
})

describe('what is not reached and does nothing changes no identity', () => {
  const value = 'export const value = { get: () => 1 }\n'
  const idle: readonly [string, string][] = [
    [
      'schemas, in any way zod is imported',
      `import * as zod from 'zod'\nimport { z as y } from 'tickpipe'\nimport { object, string } from 'zod'
const base = zod.object({ a: zod.array(zod.string().min(1)).optional() })\nexport const more = base.extend({ b: y.number() })
export default object({ a: string().transform((x) => x.length) })`,
    ],
    [
      'artifact types and tasks',
      `import * as t from 'tickpipe'\nimport { jsonArtifact as json, z } from 'tickpipe'
const out = json('o', z.object({ x: z.number() }))
export const task = t.defineTask({ name: 'q', kind: 'pure', params: z.object({}), inputs: { a: t.many(out) }, output: out, run: () => ({ x: 1 }) })`,
    ],
    [
      'strategies, features and pipelines',
      `import * as t from 'tickpipe'\nimport { column as c, defineProject, defineStrategy, duration, featureGroup, secret, usdmPipeline, withConfig, z } from 'tickpipe'
const params = z.strictObject({ back: duration.default('7d'), span: t.duration.optional(), key: secret().optional() })
export const s = defineStrategy({ name: 's', params, decisionEvery: '1d', onBar: () => {} })
const hour = c.sumOver(c.input('volume'), '1h')\nconst same = t.column.minus(hour, t.column.ago(hour, '1h'))
export const g = featureGroup('g', [{ name: 'f', says: 'x', column: same }])
export default defineProject({ pipelines: [withConfig(usdmPipeline({ strategies: { s }, groups: { g } }), { from: '2026-04-01' })] })`,
    ],
    [
      'new containers',
      `const a = new Map([['a', 1]])\nconst b = new Set<string>()\nconst s = Symbol('s')\nconst n = BigInt('12')\nconst f = Object.freeze({ a: [1] })\nexport const k = Object.keys({ a: 1 })\nconst c = new Float64Array(4)`,
    ],
    ['classes', `export class A { static of = new Map(); get x() { return 1 } }\nexport class B extends A {}`],
  ]
  for (const [says, body] of idle) {
    test(says, async () => {
      expect(await digestOf({ 'value.ts': `${body}\n${value}` })).toBe(await digestOf({ 'value.ts': value }))
    })
  }
})
