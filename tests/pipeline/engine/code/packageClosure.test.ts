import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../../cas/canonicalJson.ts'
import { type Digest, digestOf } from '../../../../cas/digest.ts'
import type { ProjectCode } from '../../../../pipeline/engine/code/codeCache.ts'
import { type PackageRef, parseCodeBundle } from '../../../../pipeline/engine/code/codeObject.ts'
import { linkCode } from '../../../../pipeline/engine/code/linkCode.ts'
import { layOutPackages, placePackages } from '../../../../pipeline/engine/code/packageClosure.ts'
import { hashPackage, parseTree, writeTree } from '../../../../pipeline/engine/code/packageTree.ts'
import { settle, type TempProject, tempDir, tempProject, writeFiles } from './tempProject.ts'

const manifest = (name: string, version: string, dependencies: Record<string, string> = {}) =>
  JSON.stringify({ name, version, main: 'index.js', dependencies })

describe('hashPackage', () => {
  const makePackage = () => {
    const dir = tempDir('package')
    writeFiles(dir, {
      'package.json': manifest('k', '1.0.0'),
      'index.js': 'exports.a = 1',
      'lib/deep.js': '',
      'index.d.ts': 'type',
      'README.md': 'prose',
      'grammar.ts': 'read at run time',
      'index.js.map': '{}',
      'node_modules/other/index.js': 'not mine',
    })
    return { dir, indexDir: tempDir('index') }
  }

  test('lists what can be loaded, sorted, and nothing of other packages', () => {
    const { dir, indexDir } = makePackage()
    const { files, tree } = hashPackage(dir, indexDir)
    expect(files.map(({ path }) => path)).toEqual([
      'README.md',
      'grammar.ts',
      'index.js',
      'lib/deep.js',
      'package.json',
    ])
    expect(files[2]).toEqual({ path: 'index.js', digest: digestOf('exports.a = 1'), sizeBytes: 13, mode: 0o644 })
    expect(tree.digest).toBe(digestOf(tree.bytes))
    expect(parseTree(tree.bytes)).toEqual(files)
  })

  test('the same files give the same tree anywhere, with a cache or without', async () => {
    const [a, b] = [makePackage(), makePackage()]
    await settle()
    const first = hashPackage(a.dir, a.indexDir).tree.digest
    expect(hashPackage(a.dir, a.indexDir).tree.digest).toBe(first)
    expect(hashPackage(b.dir, b.indexDir).tree.digest).toBe(first)
  })

  test('notices an edit in place of the same length', async () => {
    const { dir, indexDir } = makePackage()
    await settle()
    const before = hashPackage(dir, indexDir)
    writeFileSync(join(dir, 'index.js'), 'exports.a = 2')
    expect(hashPackage(dir, indexDir).tree.digest).not.toBe(before.tree.digest)
  })

  test('a damaged cache is no cache', async () => {
    const { dir, indexDir } = makePackage()
    await settle()
    const { digest } = hashPackage(dir, indexDir).tree
    const folder = join(indexDir, 'packages')
    for (const junk of ['', '[]', '{"index.js":{"signature":7}}', '{"index.js":null}']) {
      for (const name of readdirSync(folder)) writeFileSync(join(folder, name), junk)
      expect(hashPackage(dir, indexDir).tree.digest).toBe(digest)
    }
  })
})

describe('a tree from somewhere else', () => {
  const file = { path: 'a.js', digest: digestOf(''), sizeBytes: 0, mode: 0o644 }
  const bad: readonly [string, unknown][] = [
    ['a path that leads out', [{ ...file, path: '../a.js' }]],
    ['an absolute path', [{ ...file, path: '/etc/passwd' }]],
    ['two paths that are one where case does not count', [file, { ...file, path: 'A.js' }]],
    ['a setuid mode', [{ ...file, mode: 0o4755 }]],
    ['a negative size', [{ ...file, sizeBytes: -1 }]],
    ['no digest', [{ ...file, digest: 'x' }]],
    ['no list', { file }],
  ]
  for (const [says, value] of bad) {
    test(`is refused with ${says}`, () => {
      expect(() => parseTree(Buffer.from(JSON.stringify(value)))).toThrow(expect.objectContaining({ code: 'corrupt' }))
    })
  }

  test('is refused when an object holds other bytes', () => {
    const files = parseTree(Buffer.from(canonicalJson([file])))
    expect(() => writeTree(files, tempDir('tree'), () => Buffer.from('x'))).toThrow(
      expect.objectContaining({ code: 'corrupt' }),
    )
  })

  test('keeps the executable bit', () => {
    const dir = tempDir('tree')
    writeTree(parseTree(Buffer.from(canonicalJson([{ ...file, mode: 0o755 }]))), join(dir, 'x'), () => Buffer.alloc(0))
    expect(statSync(join(dir, 'x', 'a.js')).mode & 0o777).toBe(0o755)
  })
})

describe('placePackages', () => {
  const ref = (
    name: string,
    version: string,
    dependencies: Record<string, string>,
    isImported = false,
  ): PackageRef => ({
    name,
    version,
    tree: digestOf(name + version),
    dependencies,
    imports: isImported ? [{ id: `npm:${name}`, specifier: name }] : [],
  })

  test('puts each version where its users find it', () => {
    const { places, links } = placePackages([
      ref('a', '1.0.0', { c: '1.0.0', b: '1.0.0' }, true),
      ref('b', '1.0.0', { c: '2.0.0', a: '1.0.0' }),
      ref('c', '1.0.0', {}),
      ref('c', '2.0.0', { b: '1.0.0' }),
    ])
    expect(Object.fromEntries([...places].map(([place, { name, version }]) => [place, `${name}@${version}`]))).toEqual({
      'node_modules/a': 'a@1.0.0',
      'node_modules/b': 'b@1.0.0',
      'node_modules/.versions/c@1.0.0/node_modules/c': 'c@1.0.0',
      'node_modules/.versions/c@2.0.0/node_modules/c': 'c@2.0.0',
    })
    expect(Object.fromEntries(links)).toEqual({
      'node_modules/a/node_modules/c': 'node_modules/.versions/c@1.0.0/node_modules/c',
      'node_modules/b/node_modules/c': 'node_modules/.versions/c@2.0.0/node_modules/c',
    })
  })

  test('every package finds the version it was hashed with, whatever depends on whatever', () => {
    const keys = ['a', 'b', 'c', 'd'].flatMap((name) => ['1.0.0', '2.0.0'].map((version) => ({ name, version })))
    const pick = fc.record({ a: version(), b: version(), c: version(), d: version() }, { requiredKeys: [] })
    fc.assert(
      fc.property(fc.array(pick, { minLength: keys.length, maxLength: keys.length }), (dependencies) => {
        const all = keys.map(({ name, version }, i) => {
          const { [name]: _, ...others } = dependencies[i] as Record<string, string>
          return ref(name, version, others, name === 'a' && version === '1.0.0')
        })
        const { places, links } = placePackages(all)
        const versionAt = (place: string) => places.get(links.get(place) ?? place)?.version
        for (const [place, { dependencies }] of places) {
          for (const [name, version] of Object.entries(dependencies)) {
            expect(nodeLookup(place, name, versionAt)).toBe(version)
          }
        }
      }),
      { seed: 11, numRuns: 300 },
    )
  })

  test('refuses names that lead elsewhere and dependencies that are not there', () => {
    const twice = [ref('a', '1.0.0', {}), ref('a', '1.0.0', {})]
    for (const refs of [
      twice,
      [ref('a', '1/../..', {}, true)],
      [ref('../evil', '1.0.0', {}, true)],
      [ref('a/b', '1.0.0', {}, true)],
      [ref('a', '1.0.0', { b: '1.0.0' }, true)],
    ]) {
      expect(() => placePackages(refs)).toThrow(expect.objectContaining({ code: 'corrupt' }))
    }
  })
})

const version = () => fc.constantFrom('1.0.0', '2.0.0')

/** How Node looks for a package: in `node_modules` of its own folder, then of every folder above. */
function nodeLookup(from: string, name: string, versionAt: (place: string) => string | undefined) {
  const steps = from.split('/')
  for (let depth = steps.length; depth >= 0; depth--) {
    if (steps[depth - 1] === 'node_modules') continue
    const found = versionAt([...steps.slice(0, depth), 'node_modules', name].join('/'))
    if (found !== undefined) return found
  }
  return undefined
}

describe('a package closure', () => {
  const project = () =>
    tempProject({
      'pipe.config.ts': `import { value } from './value.ts'\nexport default { values: { value } }`,
      'value.ts': `import { run } from 'kernel'\nexport const value = { get: () => run(4) }`,
      'node_modules/kernel/package.json': manifest('kernel', '3.0.0', {
        helper: '*',
        '@types/x': '*',
        'not-there': '*',
      }),
      'node_modules/kernel/index.js':
        'const { half } = require("helper"); exports.run = (x) => half(x) + require("fs").readFileSync(__dirname + "/k.wasm", "utf8")',
      'node_modules/kernel/k.wasm': 'asm',
      'node_modules/kernel/node_modules/helper/package.json': manifest('helper', '2.0.0'),
      'node_modules/kernel/node_modules/helper/index.js': 'exports.half = (x) => x / 2 + ":nested:"',
      'node_modules/helper/package.json': manifest('helper', '1.0.0'),
      'node_modules/helper/index.js': 'exports.half = () => "the wrong one"',
    })

  async function runFrom({ bytes }: ProjectCode, dir: string): Promise<unknown> {
    const loaded = await import(
      /* @vite-ignore */ pathToFileURL(createRequire(join(dir, 'x.js')).resolve('kernel')).href
    )
    const { value } = linkCode(bytes, {
      requireBuiltin: (id) => expect.fail(id),
      requirePackage: ({ name, version, specifier }) => {
        expect([name, version, specifier]).toEqual(['kernel', '3.0.0', 'kernel'])
        return loaded
      },
    }).instantiate() as { value: { get(): unknown } }
    return value.get()
  }

  test('runs from stored objects when today’s node_modules are gone', async () => {
    const { codes, dir } = project()
    const code = (await codes())['value']!
    expect(await runFrom(code, dir)).toBe('2:nested:asm')

    const store = new Map<Digest, Uint8Array>()
    for (const entry of code.packageObjects()) {
      const bytes = 'bytes' in entry ? entry.bytes : readFileSync(entry.path)
      expect(digestOf(bytes)).toBe(entry.digest)
      store.set(entry.digest, bytes)
    }
    rmSync(join(dir, 'node_modules'), { recursive: true })
    const { packages } = parseCodeBundle(code.bytes)
    expect(packages.map(({ name, version, dependencies }) => [name, version, dependencies])).toEqual([
      ['helper', '2.0.0', {}],
      ['kernel', '3.0.0', { helper: '2.0.0' }],
    ])
    const target = mkdtempSync(join(tempDir('laid-out'), 'x'))
    const dirs = layOutPackages(packages, (digest) => store.get(digest)!, target)
    expect(dirs['kernel@3.0.0']).toBe(join(target, 'node_modules', 'kernel'))
    expect(await runFrom(code, target)).toBe('2:nested:asm')
  })

  test('with two versions of a dependency finds both when it is laid out', async () => {
    const two = tempProject({
      'pipe.config.ts': `import { value } from './value.ts'\nexport default { values: { value }, closures: ['kernel'] }`,
      'value.ts': `import { run } from 'kernel'\nexport const value = { get: () => run(1) }`,
      'node_modules/kernel/package.json': manifest('kernel', '3.0.0', { '@s/h': '*', other: '*' }),
      'node_modules/kernel/index.js': 'exports.run = () => [require("@s/h").v, require("other").v]',
      'node_modules/kernel/node_modules/@s/h/package.json': manifest('@s/h', '2.0.0'),
      'node_modules/kernel/node_modules/@s/h/index.js': 'exports.v = 2',
      'node_modules/other/package.json': manifest('other', '1.0.0', { '@s/h': '*', kernel: '*' }),
      'node_modules/other/index.js': 'exports.v = require("@s/h").v',
      'node_modules/@s/h/package.json': manifest('@s/h', '1.0.0'),
      'node_modules/@s/h/index.js': 'exports.v = 1',
    })
    const code = (await two.codes())['value']!
    const store = new Map(
      code.packageObjects().map((entry) => [entry.digest, 'bytes' in entry ? entry.bytes : readFileSync(entry.path)]),
    )
    const target = tempDir('laid-out')
    layOutPackages(parseCodeBundle(code.bytes).packages, (digest) => store.get(digest)!, target)
    expect(await runFrom(code, two.dir)).toEqual([2, 1])
    expect(await runFrom(code, target)).toEqual([2, 1])
  })

  test('says where its packages lie today', async () => {
    const { codes, dir } = project()
    await settle()
    for (const _ of ['cold', 'warm']) {
      const { packageDirs } = (await codes())['value']!
      const modules = join(realpathSync(dir), 'node_modules')
      expect(packageDirs).toEqual({
        'helper@2.0.0': join(modules, 'kernel', 'node_modules', 'helper'),
        'kernel@3.0.0': join(modules, 'kernel'),
      })
    }
  })

  test('is also what the config lists', async () => {
    const listed = tempProject({
      'pipe.config.ts': `import { value } from './value.ts'\nexport default { values: { value }, closures: ['plain'] }`,
      'value.ts': `import { n } from 'plain'\nexport const value = { get: () => n }`,
      'node_modules/plain/package.json': manifest('plain', '1.0.0'),
      'node_modules/plain/index.js': 'exports.n = 1',
    })
    const { packages, modules } = parseCodeBundle((await listed.codes())['value']!.bytes)
    expect(packages.map(({ name }) => name)).toEqual(['plain'])
    expect(modules.map(({ id }) => id)).toEqual(['project/value', 'tickpipe:entry'])
  })

  test('is not made of an empty folder', () => {
    const dir = tempDir('empty')
    mkdirSync(join(dir, 'sub'))
    expect(hashPackage(dir, tempDir('index')).files).toEqual([])
  })

  describe('whose packages bring their own copies of one version', () => {
    const copies = (inA: string, inB: string) =>
      tempProject({
        'pipe.config.ts': `import { value } from './value.ts'\nexport default { values: { value } }`,
        'value.ts': `import { a } from 'a'\nimport { b } from 'b'\nexport const value = { get: () => [a(), b()] }`,
        ...Object.fromEntries(
          Object.entries({ a: inA, b: inB }).flatMap(([name, text]) => [
            [`node_modules/${name}/package.json`, manifest(name, '1.0.0', { dep: '*' })],
            [`node_modules/${name}/index.js`, `exports.${name} = () => require("dep").x`],
            [`node_modules/${name}/${name}.wasm`, ''],
            [`node_modules/${name}/node_modules/dep/package.json`, manifest('dep', '1.0.0')],
            [`node_modules/${name}/node_modules/dep/index.js`, text],
          ]),
        ),
      })
    const refsOf = async (project: TempProject) => parseCodeBundle((await project.codes())['value']!.bytes).packages

    test('is one package where the copies are equal, until one of them is edited', async () => {
      const project = copies('exports.x = 1', 'exports.x = 1')
      await settle()
      const before = await project.digests()
      expect((await refsOf(project)).map(({ name, version }) => `${name}@${version}`)).toEqual([
        'a@1.0.0',
        'b@1.0.0',
        'dep@1.0.0',
      ])
      for (const [owner, other] of ['ab', 'ba']) {
        project.write({ [`node_modules/${owner}/node_modules/dep/index.js`]: 'exports.x = 2' })
        await settle()
        expect(await project.digests(), `${owner}, not ${other}`).not.toEqual(before)
        project.write({ [`node_modules/${owner}/node_modules/dep/index.js`]: 'exports.x = 1' })
        await settle()
        expect(await project.digests()).toEqual(before)
      }
    })

    test('keeps copies that differ apart, and each user finds its own', async () => {
      const refs = await refsOf(copies('exports.x = 1', 'exports.x = 2'))
      const deps = refs.filter(({ name }) => name === 'dep')
      expect(deps.map(({ version }) => version)).toEqual([
        expect.stringMatching(/^1\.0\.0\+[0-9a-f]{8}$/),
        expect.stringMatching(/^1\.0\.0\+[0-9a-f]{8}$/),
      ])
      const used = refs.filter(({ name }) => name !== 'dep').map(({ dependencies }) => dependencies['dep'])
      expect(new Set(used)).toEqual(new Set(deps.map(({ version }) => version)))
      expect(placePackages(refs).links.size).toBe(2)
    })

    test('notices a copy that comes to be', async () => {
      const project = copies('exports.x = 1', 'exports.x = 1')
      rmSync(join(project.dir, 'node_modules/a/node_modules'), { recursive: true })
      project.write({
        'node_modules/dep/package.json': manifest('dep', '1.0.0'),
        'node_modules/dep/index.js': 'exports.x = 1',
      })
      await settle()
      const before = await project.digests()
      project.write({
        'node_modules/a/node_modules/dep/package.json': manifest('dep', '1.0.0'),
        'node_modules/a/node_modules/dep/index.js': 'exports.x = 3',
      })
      expect(await project.digests()).not.toEqual(before)
    })
  })
})
