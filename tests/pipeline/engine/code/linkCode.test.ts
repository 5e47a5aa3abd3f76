import nodePath from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type CodeBundle,
  codeFormat,
  makeCodeObject,
  parseCodeBundle,
} from '../../../../pipeline/engine/code/codeObject.ts'
import { type Gates, linkCode } from '../../../../pipeline/engine/code/linkCode.ts'

const bundle = (modules: Record<string, string>, more: Partial<CodeBundle> = {}): CodeBundle => ({
  format: codeFormat,
  entry: 'app/entry',
  modules: Object.entries(modules).map(([id, code]) => ({ id, code })),
  builtins: [],
  packages: [],
  ...more,
})

const closed: Gates = {
  requireBuiltin: (id) => expect.fail(`asked for ${id}`),
  requirePackage: ({ specifier }) => expect.fail(`asked for ${specifier}`),
}

const refused = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    return error
  }
  return expect.fail('it was accepted')
}

describe('linkCode', () => {
  test('runs modules by their ids, each once per instance', () => {
    const code = bundle({
      'app/entry': 'const b = require("app/b"); const c = require("app/c"); exports.sum = b.inc() + c.viaB()',
      'app/b': 'let n = 0; exports.inc = () => ++n',
      'app/c': 'const b = require("app/b"); exports.viaB = () => b.inc()',
    })
    expect(linkCode(code, closed).instantiate()).toEqual({ sum: 3 })
  })

  test('leaks no module state from one instance to the next', () => {
    const linked = linkCode(bundle({ 'app/entry': 'let n = 0; exports.inc = () => ++n' }), closed)
    const first = linked.instantiate() as { inc(): number }
    first.inc()
    const second = linked.instantiate() as { inc(): number }
    expect(second.inc()).toBe(1)
  })

  test('runs in strict mode and keeps the line numbers of the code', () => {
    const linked = linkCode(bundle({ 'app/entry': '\nexports.f = () => {\n  undeclared = 1\n}' }), closed)
    const { f } = linked.instantiate() as { f(): void }
    const error = refused(f) as Error
    expect(error).toMatchObject({ name: 'ReferenceError' })
    expect(error.stack).toContain('app/entry:3:')
  })

  test('a built-in goes through its gate and looks as an import of it does', () => {
    const asked: string[] = []
    const code = bundle({
      'app/entry':
        'const p = require("node:path"); exports.same = p.default.join === p.join; exports.raw = requireExports("node:path")',
    })
    const gates = { ...closed, requireBuiltin: (id: string) => asked.push(id) && nodePath }
    expect(linkCode(code, gates).instantiate()).toEqual({ same: true, raw: nodePath })
    expect(asked).toEqual(['node:path', 'node:path'])
  })

  test('a package goes through its gate with name, version and specifier', async () => {
    const namespace = await import('node:os') // any real module namespace
    const code = bundle(
      {
        'app/entry':
          'const k = require("npm:kernel/fast"); exports.cpus = k.cpus; exports.isDefault = requireExports("npm:kernel/fast") === k.default',
      },
      {
        packages: [
          {
            name: 'kernel',
            version: '1.2.3',
            tree: makeCodeObject(bundle({ 'app/entry': '' })).digest,
            dependencies: {},
            imports: [{ id: 'npm:kernel/fast', specifier: 'kernel/fast' }],
          },
        ],
      },
    )
    const asked: unknown[] = []
    const linked = linkCode(code, { ...closed, requirePackage: (request) => asked.push(request) && namespace })
    expect(linked.instantiate()).toEqual({ cpus: namespace.cpus, isDefault: true })
    expect(asked[0]).toEqual({ name: 'kernel', version: '1.2.3', specifier: 'kernel/fast' })
  })

  test('what the bundle does not list is not found', () => {
    const code = bundle({ 'app/entry': 'try { requireExports("left-pad") } catch (e) { exports.code = e.code }' })
    expect(linkCode(code, closed).instantiate()).toEqual({ code: 'MODULE_NOT_FOUND' })
  })
})

describe('parseCodeBundle', () => {
  const good = bundle({ 'app/entry': 'exports.x = 1' })
  const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

  test('reads what makeCodeObject wrote', () => {
    expect(parseCodeBundle(makeCodeObject(good).bytes)).toEqual(good)
  })

  const bad: readonly [string, Uint8Array, string][] = [
    ['no JSON', new Uint8Array([0xff]), 'corrupt'],
    ['a newer format', bytesOf({ ...good, format: 'tickpipe-code-2' }), 'refused'],
    ['an entry that is not there', bytesOf({ ...good, entry: 'app/other' }), 'corrupt'],
    ['one id twice', bytesOf({ ...good, modules: [...good.modules, ...good.modules] }), 'corrupt'],
    ['a module without code', bytesOf({ ...good, modules: [{ id: 'app/entry' }] }), 'corrupt'],
    ['a built-in without its prefix', bytesOf({ ...good, builtins: ['fs'] }), 'corrupt'],
    ['a package without a tree', bytesOf({ ...good, packages: [{ name: 'a', version: '1' }] }), 'corrupt'],
  ]
  for (const [says, bytes, code] of bad) {
    test(`refuses ${says}`, () => expect(refused(() => parseCodeBundle(bytes))).toMatchObject({ name: 'Fault', code }))
  }
})
