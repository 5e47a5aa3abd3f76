import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
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

  test('and not when a folder comes to be that no import means', async () => {
    const project = withValue({ ...importing('./h'), 'h.js': n(1) })
    await settle()
    const before = await look(project)
    mkdirSync(join(project.dir, 'other'))
    expect(await look(project)).toEqual(before)
  })
})
