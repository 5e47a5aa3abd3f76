import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FileLook } from '../../../../pipeline/engine/code/fileMarks.ts'
import { settle, type TempProject, tempProject, writeFiles } from './tempProject.ts'

const withValue = (files: Readonly<Record<string, string>>): TempProject =>
  tempProject({
    'pipe.config.ts': `import { value } from './value.ts'\nexport default { values: { value } }`,
    ...files,
  })

const importing = (specifier: string) => ({
  'value.ts': `import { n } from ${JSON.stringify(specifier)}\nexport const value = { get: () => n, n }`,
})

/** What the loaded config holds, and the identity. */
async function look(project: TempProject) {
  const { config } = await project.load()
  const { value } = (config as { values: { value: { n: number } } }).values
  return { n: value.n, digest: (await project.digests())['value'] }
}

/** Looks, edits, looks again: what was built before is not used. */
async function noticed(project: TempProject, edit: () => void): Promise<readonly [number, number]> {
  await settle()
  const before = await look(project)
  expect(await look(project)).toEqual(before)
  edit()
  await settle()
  const after = await look(project)
  expect(after.digest).not.toBe(before.digest)
  return [before.n, after.n]
}

const n = (value: number) => `export const n = ${value}\n`

describe('what was built is built again', () => {
  test('when a file comes to be that an import means rather', async () => {
    const project = withValue({ ...importing('./h'), 'h.js': n(1) })
    expect(await noticed(project, () => project.write({ 'h.ts': n(2) }))).toEqual([1, 2])
  })

  test('when a file comes to be beside a folder', async () => {
    const project = withValue({ ...importing('./dirx'), 'dirx/index.ts': n(1) })
    expect(await noticed(project, () => project.write({ 'dirx.ts': n(2) }))).toEqual([1, 2])
  })

  test('when a link to a folder leads elsewhere', async () => {
    const project = withValue({ ...importing('./cur/x.ts'), 'sh1/x.ts': n(1), 'sh2/x.ts': n(2) })
    symlinkSync('sh1', join(project.dir, 'cur'))
    const edit = () => {
      symlinkSync('sh2', join(project.dir, 'next'))
      renameSync(join(project.dir, 'next'), join(project.dir, 'cur'))
    }
    expect(await noticed(project, edit)).toEqual([1, 2])
  })

  test('when a link to a file becomes a file, or leads elsewhere', async () => {
    const project = withValue({ ...importing('./x.ts'), 'one.ts': n(1), 'two.ts': n(2) })
    const link = join(project.dir, 'x.ts')
    symlinkSync('one.ts', link)
    const edit = () => {
      rmSync(link)
      symlinkSync('two.ts', link)
    }
    expect(await noticed(project, edit)).toEqual([1, 2])
  })

  test('when the link of an installed package leads to another folder with an equal package.json', async () => {
    const project = withValue(importing('dep'))
    const store = join(project.dir, 'node_modules', '.store')
    for (const [name, value] of Object.entries({ one: 1, two: 2 })) {
      writeFiles(join(store, name, 'node_modules', 'dep'), {
        'package.json': '{ "name": "dep", "version": "1.0.0", "type": "module", "main": "i.js" }',
        'i.js': n(value),
      })
    }
    const link = join(project.dir, 'node_modules', 'dep')
    symlinkSync(join('.store', 'one', 'node_modules', 'dep'), link, 'dir')
    const edit = () => {
      rmSync(link)
      symlinkSync(join('.store', 'two', 'node_modules', 'dep'), link, 'dir')
    }
    expect(await noticed(project, edit)).toEqual([1, 2])
  })

  const manifest = (more: object, name: string | undefined = 'app') => JSON.stringify({ name, type: 'module', ...more })
  const both = { 'one.ts': n(1), 'two.ts': n(2) }

  const manifests: Record<string, { specifier: string; before: Record<string, string>; edit: Record<string, string> }> =
    {
      'when an alias of the project means another file': {
        specifier: '#n',
        before: { ...both, 'package.json': manifest({ imports: { '#n': './one.ts' } }) },
        edit: { 'package.json': manifest({ imports: { '#n': './two.ts' } }) },
      },
      'when an alias of a project without a name means another file': {
        specifier: '#n',
        before: { ...both, 'package.json': '{ "imports": { "#n": "./one.ts" } }' },
        edit: { 'package.json': '{ "imports": { "#n": "./two.ts" } }' },
      },
      'when the project names another file by its own name': {
        specifier: 'app/n',
        before: { ...both, 'package.json': manifest({ exports: { './n': './one.ts' } }) },
        edit: { 'package.json': manifest({ exports: { './n': './two.ts' } }) },
      },
      'when a name that was installed becomes one of the project itself': {
        specifier: 'dep/n.js',
        before: {
          ...both,
          'node_modules/dep/package.json': '{ "name": "dep", "version": "1.0.0", "type": "module" }',
          'node_modules/dep/n.js': n(1),
        },
        edit: { 'package.json': manifest({ exports: { './n.js': './two.ts' } }, 'dep') },
      },
      'when a file comes to be that an alias means rather': {
        specifier: '#in/x',
        before: { 'package.json': manifest({ imports: { '#in/*': { node: './src/*' } } }), 'src/x.js': n(1) },
        edit: { 'src/x.ts': n(2) },
      },
      'when a package comes to lie nearer that an alias means': {
        specifier: './src/sub/again.ts',
        before: {
          'src/package.json': manifest({ imports: { '#dep': 'dep' } }, 'src'),
          'src/sub/again.ts': "export { n } from '#dep'",
          'node_modules/dep/package.json': '{ "name": "dep", "version": "1.0.0", "type": "module", "main": "i.js" }',
          'node_modules/dep/i.js': n(1),
        },
        edit: {
          'src/node_modules/dep/package.json':
            '{ "name": "dep", "version": "1.0.0", "type": "module", "main": "i.js" }',
          'src/node_modules/dep/i.js': n(2),
        },
      },
      'when the package.json of a folder names another file of it': {
        specifier: './lib',
        before: { 'lib/package.json': '{ "main": "a.ts" }', 'lib/a.ts': n(1), 'lib/b.ts': n(2) },
        edit: { 'lib/package.json': '{ "main": "b.ts" }' },
      },
      'when a file comes to be that an absolute path means rather': {
        specifier: 'PROJECT/h',
        before: { 'h.js': n(1) },
        edit: { 'h.ts': n(2) },
      },
    }
  for (const [says, { specifier, before, edit }] of Object.entries(manifests)) {
    test(says, async () => {
      const project = withValue(before)
      project.write(importing(specifier.replace('PROJECT', project.dir)))
      expect(await noticed(project, () => project.write(edit))).toEqual([1, 2])
    })
  }

  test('when a package.json with aliases of its own comes to be between a file and the project', async () => {
    const project = withValue({
      ...importing('./deep/er/again.ts'),
      'deep/er/again.ts': "export { n } from '#n'",
      'one.ts': n(1),
      'deep/two.ts': n(2),
      'package.json': manifest({ imports: { '#n': './one.ts' } }),
    })
    const appear = () => project.write({ 'deep/package.json': '{ "imports": { "#n": "./two.ts" } }' })
    expect(await noticed(project, appear)).toEqual([1, 2])
    await settle()
    rmSync(join(project.dir, 'deep', 'package.json'))
    expect((await look(project)).n).toBe(1)
  })

  test('when a package.json comes to be that says how the modules of a folder are written', async () => {
    const project = withValue({
      ...importing('./sub/again.js'),
      'sub/again.js': `import all from './old.cjs'\nexport const n = typeof all === 'number' ? 2 : 1`,
      'sub/old.cjs': `Object.defineProperty(exports, '__esModule', { value: true })\nexports.default = 5`,
    })
    const appear = () => project.write({ 'sub/package.json': '{ "type": "commonjs" }' })
    expect(await noticed(project, appear)).toEqual([1, 2])
  })

  test('when what a package that is taken as it is depends on is installed anew', async () => {
    const low = (version: string) => JSON.stringify({ name: 'low', version, type: 'module', main: 'i.js' })
    const project = withValue({
      ...importing('native'),
      'node_modules/native/package.json':
        '{ "name": "native", "version": "1.0.0", "type": "module", "main": "i.js", "dependencies": { "low": "*", "none": "*" } }',
      'node_modules/native/i.js': "export { n } from 'low'",
      'node_modules/native/x.wasm': '',
      'node_modules/low/package.json': low('1.0.0'),
      'node_modules/low/i.js': n(1),
    })
    await settle()
    const { inputs } = await project.load()
    const look = () => new FileLook()
    expect(inputs!.every((mark) => look().unchanged(mark))).toBe(true)
    project.write({ 'node_modules/low/package.json': low('2.0.0') })
    const changed = inputs!.filter((mark) => !look().unchanged(mark)).map(({ path }) => path)
    expect(changed).toEqual([join(project.dir, 'node_modules', 'low', 'package.json')])
    expect(inputs!.map(({ path }) => path)).toContain(join(project.dir, 'node_modules', 'none'))
  })

  test('when the config becomes a link to another', async () => {
    const project = tempProject({
      'one.config.ts': `export { value as default } from './one.ts'`,
      'two.config.ts': `export { value as default } from './two.ts'`,
      'one.ts': 'export const value = 1',
      'two.ts': 'export const value = 2',
    })
    const link = join(project.dir, 'pipe.config.ts')
    symlinkSync('one.config.ts', link)
    await settle()
    expect((await project.load()).config).toBe(1)
    rmSync(link)
    symlinkSync('two.config.ts', link)
    expect((await project.load()).config).toBe(2)
  })

  test('and not when a package.json is only touched', async () => {
    const project = withValue({
      ...importing('#n'),
      'one.ts': n(1),
      'package.json': manifest({ imports: { '#n': './one.ts' } }),
    })
    await settle()
    const before = await look(project)
    project.write({ 'package.json': manifest({ imports: { '#n': './one.ts' } }) })
    expect(await look(project)).toEqual(before)
  })

  test('a tsconfig gives no import another meaning', async () => {
    const alias = (file: string) =>
      JSON.stringify({ compilerOptions: { baseUrl: '.', paths: { '#n': [file], alias: [file] } } })
    const imports = manifest({ imports: { '#n': './one.ts' } })
    const project = withValue({
      ...importing('#n'),
      ...both,
      'package.json': imports,
      'tsconfig.json': alias('./two.ts'),
    })
    expect((await look(project)).n).toBe(1)
    const other = withValue({ ...importing('alias'), ...both, 'tsconfig.json': alias('./two.ts') })
    await expect(other.load()).rejects.toMatchObject({ code: 'usage', where: expect.stringContaining('value.ts') })
  })

  test('and not when a folder comes to be that no import means', async () => {
    const project = withValue({ ...importing('./h'), 'h.js': n(1) })
    await settle()
    const before = await look(project)
    mkdirSync(join(project.dir, 'other'))
    expect(await look(project)).toEqual(before)
  })
})
