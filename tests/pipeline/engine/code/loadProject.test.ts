import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { findProject } from '../../../../pipeline/engine/code/findProject.ts'
import { loadProject } from '../../../../pipeline/engine/code/loadProject.ts'
import { tickpipeDir } from '../../../../pipeline/engine/code/tickpipePackage.ts'
import { projectAt, settle, tempDir, tempProject, writeFiles } from './tempProject.ts'

describe('findProject', () => {
  test('finds the config in the folder or above it', () => {
    const dir = tempDir('find')
    writeFiles(dir, { 'pipe.config.mjs': '' })
    mkdirSync(join(dir, 'a', 'b'), { recursive: true })
    expect(findProject(join(dir, 'a', 'b'))).toEqual({ dir, configFile: join(dir, 'pipe.config.mjs') })
  })

  test('prefers TypeScript, and the nearer folder', () => {
    const dir = tempDir('find')
    writeFiles(dir, { 'pipe.config.js': '', 'pipe.config.ts': '', 'a/pipe.config.js': '' })
    expect(findProject(dir).configFile).toBe(join(dir, 'pipe.config.ts'))
    expect(findProject(join(dir, 'a')).configFile).toBe(join(dir, 'a', 'pipe.config.js'))
  })

  test('without one, says how to begin', () => {
    const dir = tempDir('find')
    expect(() => findProject(dir)).toThrow(
      expect.objectContaining({ name: 'Fault', code: 'usage', todo: expect.stringContaining('pipe init') }),
    )
  })
})

describe('loadProject', () => {
  test('gives the default export, with tickpipe being the one that runs', async () => {
    const project = tempProject({
      'pipe.config.ts': `import { jsonArtifact } from 'tickpipe'\nimport { z } from 'zod'
export default { a: jsonArtifact('numbers', z.number()).name as string }`,
      'node_modules/tickpipe/index.js': 'throw new Error("the wrong copy")',
      'node_modules/tickpipe/package.json': '{ "name": "tickpipe", "version": "0.0.1", "main": "index.js" }',
    })
    expect((await project.load()).config).toEqual({ a: 'numbers' })
  })

  test('loads again what has changed, also in one process', async () => {
    const project = tempProject({
      'pipe.config.ts': `import { n } from './n.ts'\nexport default n`,
      'n.ts': 'export const n = 1',
    })
    expect((await project.load()).config).toBe(1)
    project.write({ 'n.ts': 'export const n = 2' })
    expect((await project.load()).config).toBe(2)
  })

  test('does not start the bundler while no file changes, and does when one does', async () => {
    const project = tempProject({
      'pipe.config.ts': `import { n } from './n.ts'\nexport default n`,
      'n.ts': 'export const n = 1',
    })
    await settle()
    await project.load()
    const started = vi.fn()
    vi.doMock('rolldown', () => {
      started()
      return { rolldown: () => Promise.reject(new Error('it may not run')) }
    })
    try {
      expect((await project.load()).config).toBe(1)
      project.write({ 'n.ts': 'export const n = 1' }) // touched, and the same
      expect((await project.load()).config).toBe(1)
      project.write({ 'n.ts': 'export const n = 3' })
      expect(started).not.toHaveBeenCalled()
      await expect(project.load()).rejects.toThrow('it may not run')
      expect(started).toHaveBeenCalled()
    } finally {
      vi.doUnmock('rolldown')
    }
  })

  test('notices a package that comes to lie nearer', async () => {
    const project = tempProject({
      'pipe.config.ts': `import { n } from './deep/n.ts'\nexport default n`,
      'deep/n.ts': `import { v } from 'dep'\nexport const n = v`,
      'node_modules/dep/package.json': '{ "name": "dep", "version": "1.0.0", "type": "module", "main": "d.js" }',
      'node_modules/dep/d.js': 'export const v = 1',
    })
    await settle()
    expect((await project.load()).config).toBe(1)
    project.write({
      'deep/node_modules/dep/package.json': '{ "name": "dep", "version": "2.0.0", "type": "module", "main": "d.js" }',
      'deep/node_modules/dep/d.js': 'export const v = 2',
    })
    expect((await project.load()).config).toBe(2)
  })

  test('trusts no bundle of files that were written a moment ago', async () => {
    const project = tempProject({ 'pipe.config.ts': 'export default 1' })
    expect((await project.load()).inputs).toBeUndefined()
    await settle()
    const { inputs } = await project.load()
    expect(inputs!.map(({ path }) => path)).toContain(join(project.dir, 'pipe.config.ts'))
  })

  test('works where the root cannot be written', async () => {
    const project = tempProject({ 'pipe.config.ts': 'export default 1', blocker: 'a file' })
    expect((await projectAt(project.dir, join(project.dir, 'blocker')).load()).config).toBe(1)
  })

  test('keeps import.meta of every file', async () => {
    const project = tempProject({
      'pipe.config.ts': `export { here as default } from './sub/here.ts'`,
      'sub/here.ts':
        'export const here = [import.meta.filename, import.meta.dirname, new URL("x", import.meta.url).pathname]',
    })
    const dir = join(project.dir, 'sub')
    expect((await project.load()).config).toEqual([join(dir, 'here.ts'), dir, join(dir, 'x')])
  })

  const broken: readonly [string, Readonly<Record<string, string>>, object][] = [
    [
      'a syntax error with file, line, column and the line itself',
      { 'pipe.config.ts': `import './bad.ts'\nexport default 1`, 'bad.ts': 'const a = 1\nconst b = = 2\n' },
      { where: 'bad.ts:2:11', what: expect.stringContaining('const b = = 2') },
    ],
    [
      'a file that is not there',
      { 'pipe.config.ts': `import { a } from './nope'\nexport default a` },
      { where: 'pipe.config.ts:1:19', todo: expect.stringContaining('.ts') },
    ],
    [
      'a package that is not installed',
      { 'pipe.config.ts': `import { a } from 'left-pad'\nexport default a` },
      { where: 'pipe.config.ts:1:19', todo: expect.stringContaining('npm install left-pad') },
    ],
    [
      'a name that is not exported',
      { 'pipe.config.ts': `import { b } from './a.ts'\nexport default b`, 'a.ts': 'export const a = 1' },
      { where: 'pipe.config.ts:1:10', todo: expect.stringContaining('export it') },
    ],
    [
      'an error the config throws, at its place in the source',
      { 'pipe.config.ts': `import './bad.ts'\nexport default 1`, 'bad.ts': '// why\n\nthrow new Error("no luck")\n' },
      { where: 'bad.ts:3:7', what: expect.stringContaining('no luck') },
    ],
    [
      'a Fault the config throws, in its own words',
      {
        'pipe.config.ts': `import { Fault } from 'tickpipe'\nthrow new Fault({ code: 'usage', what: 'too odd', todo: 'be even' })\nexport default 1`,
      },
      { where: 'pipe.config.ts:2:7', what: 'too odd', todo: 'be even' },
    ],
    [
      'a config without default export',
      { 'pipe.config.ts': 'export const a = 1' },
      { todo: expect.stringContaining('export default') },
    ],
  ]
  for (const [says, files, fault] of broken) {
    test(`reports ${says}`, async () => {
      await expect(tempProject(files).load()).rejects.toMatchObject({ name: 'Fault', code: 'usage', ...fault })
    })
  }
})

describe('origins', () => {
  test('every exported object and function knows its file and name', async () => {
    const project = tempProject({
      'pipe.config.ts': `import def, { a, type T, renamed, fn, K, C, once } from './things.ts'
import named from './named.ts'
import cls from './cls.ts'
export { z } from 'zod'
const inner: T = { q: 1 }
export default { a, def, renamed, fn, K, C, once, named, cls, inner }`,
      'things.ts': `export const a = { is: 'a' }
const local = { is: 'local' }
export { local as renamed, C }
export function fn() {}
export class K {}
export interface T { q: number }
interface Hidden { x: 1 }
export type { Hidden }
enum C { A, B }
export const once = a
export declare const ghost: object
export default { is: 'default' } satisfies object
export const n = 1`,
      'named.ts': 'export default function named() {}\n',
      'cls.ts': 'export default class {}\n',
    })
    const { config, originOf } = await project.load()
    const found = Object.fromEntries(
      Object.entries(config as object).map(([name, value]) => {
        const origin = originOf(value)
        return [name, origin && [origin.file.slice(project.dir.length + 1), origin.exportName]]
      }),
    )
    expect(found).toEqual({
      a: ['things.ts', 'a'],
      def: ['things.ts', 'default'],
      renamed: ['things.ts', 'renamed'],
      fn: ['things.ts', 'fn'],
      K: ['things.ts', 'K'],
      C: ['things.ts', 'C'],
      once: ['things.ts', 'a'],
      named: ['named.ts', 'default'],
      cls: ['cls.ts', 'default'],
      inner: undefined,
    })
  })

  test('what tickpipe itself exports has its origin in its sources', async () => {
    const project = tempProject({ 'pipe.config.ts': `import { absent } from 'tickpipe'\nexport default absent` })
    const { config, originOf } = await project.load()
    expect(originOf(config)).toEqual({ file: join(tickpipeDir, 'pipeline/engine/task.ts'), exportName: 'absent' })
  })

  test('a task that no file exports is refused, with what to do', async () => {
    const project = tempProject({
      'pipe.config.ts': `import { tasks } from './t.ts'\nexport default { tasks }`,
      't.ts': `import { defineTask, filesArtifact } from 'tickpipe'\nimport { z } from 'zod'
const hidden = defineTask({ name: 'hidden', kind: 'pure', params: z.object({}), inputs: {}, output: filesArtifact('f'), run: () => [] })
export const tasks = { hidden }`,
    })
    await expect(project.codes()).rejects.toMatchObject({
      code: 'usage',
      what: expect.stringContaining('"hidden"'),
      todo: expect.stringContaining('export it'),
    })
  })
})

test('loadProject names the place it was given', async () => {
  const project = tempProject({ 'pipe.config.ts': 'export default {}' })
  const loaded = await loadProject(findProject(project.dir), { root: project.root })
  expect(loaded).toMatchObject({ dir: project.dir, configFile: join(project.dir, 'pipe.config.ts') })
  expect(loaded.closures).toContain('apache-arrow')
})

test('loadProject shows a syntax error where it was written', async () => {
  const project = tempProject({ 'pipe.config.ts': 'export default {' })
  const fault = await project.load().then(
    () => expect.fail('it loaded'),
    (error: unknown) => error as { what: string; where: string },
  )
  expect(fault.what).toContain('export default {')
  expect(fault.what).not.toContain('__tickpipe')
  expect(fault.where).toMatch(/^pipe\.config\.ts:1:1[67]$/)
})
