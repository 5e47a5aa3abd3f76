import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { codeObjects } from '../../../../pipeline/engine/code/codeObjects.ts'
import type { Task } from '../../../../pipeline/engine/task.ts'
import { copyProject, makeProject, settle, type TempProject, tempProject, writeFiles } from './tempProject.ts'

const config = `
import { near } from './tasks/near.ts'
import { far } from './tasks/far.ts'
import { alone } from './tasks/alone.ts'
import { calm, bold } from './strategies.ts'
export default { tasks: { near, far, alone }, values: { calm, bold } }
`

const near = `
import { z } from 'zod'
import { defineTask } from 'tickpipe'
import { numbers } from '../lib/types.ts'
import { one } from '../lib/one.ts'

export const near = defineTask({
  name: 'near', kind: 'pure', params: z.object({ n: z.number() }), inputs: {}, output: numbers,
  run: (_inputs, { n }) => ({ x: one(n) }),
})
`

const far = `
import { z } from 'zod'
import { defineTask } from 'tickpipe'
import { numbers } from '../lib/types.ts'

export const far = defineTask({
  name: 'far', kind: 'pure', params: z.object({}), inputs: { numbers }, output: numbers,
  run: ({ numbers }) => ({ x: numbers.x + 1 }),
})
`

const alone = `
import { z } from 'zod'
import { defineTask, filesArtifact } from 'tickpipe'

export const alone = defineTask({
  name: 'alone', kind: 'source', version: 1, params: z.object({}), output: filesArtifact('raw'),
  run: async () => [],
})
`

const files = {
  'pipe.config.ts': config,
  'tasks/near.ts': near,
  'tasks/far.ts': far,
  'tasks/alone.ts': alone,
  'strategies.ts': `import { two } from './lib/two.ts'
export const calm = { decide: () => two(1) }
export const bold = { decide: () => 2 }
`,
  'lib/types.ts': `import { z } from 'zod'
import { jsonArtifact } from 'tickpipe'
export const numbers = jsonArtifact('numbers', z.object({ x: z.number(), 'y': z.string().optional() }))
export const others = jsonArtifact('others', z.object({ x: z.string() }))
`,
  'lib/one.ts': `import { two } from './two.ts'
import { spare } from './spare.ts'
export function one(n: number): number { return two(n) + 1 }
export function idle(n: number): number { return spare(n) }
`,
  'lib/two.ts': `import { three } from './three.ts'\nexport const two = (n: number): number => three(n) * 2\n`,
  'lib/three.ts': `import { four } from './four.ts'\nexport class Three { times = 3; of(n: number) { return four(n) * this.times } }\nexport const three = (n: number) => new Three().of(n)\n`,
  'lib/four.ts': `export function four(n: number): number { return n - 4 }\nexport function unreached() { return 0 }\n`,
  'lib/spare.ts': `export const spare = (n: number) => n\n`,
}

/** What differs after an edit of the project, by the names of its tasks and strategies. */
async function changedBy(project: TempProject, edit: Readonly<Record<string, string>>): Promise<string[]> {
  const before = await project.digests()
  await settle()
  project.write(edit)
  return differences(before, await project.digests())
}

function differences(before: Record<string, string>, after: Record<string, string>): string[] {
  expect(Object.keys(after)).toEqual(Object.keys(before))
  return Object.keys(after).filter((name) => after[name] !== before[name])
}

/** The same for the project above, whose digests are the same wherever it lies. */
async function changedByEdit(edit: Readonly<Record<string, string>>): Promise<string[]> {
  return differences(unedited, await tempProject({ ...files, ...edit }).digests())
}

let unedited: Record<string, string>
beforeAll(async () => {
  const parent = mkdtempSync(join(tmpdir(), 'tickpipe-unedited-'))
  unedited = await makeProject(parent, files).digests()
  rmSync(parent, { recursive: true })
})

const replaced = (text: string, from: string | RegExp, to: string): string => {
  const result = text.replace(from, to)
  expect(result, `${from} is in the text`).not.toBe(text)
  return result
}

describe('a code identity stays the same', () => {
  const edits: readonly [string, Readonly<Record<string, string>>][] = [
    [
      'with a comment',
      { 'lib/one.ts': `// why\n/** doc */\n${replaced(files['lib/one.ts'], 'return two', '/* in */ return two')}` },
    ],
    [
      'with a license comment',
      { 'lib/one.ts': `/*! @license MIT */\n//! keep\n/** @preserve */\n${files['lib/one.ts']}` },
    ],
    [
      'after a reformat: lines, quotes, semicolons, parentheses, commas, quoted keys',
      {
        'lib/one.ts': `import {two} from "./two.ts";\nimport { spare } from './spare.ts';
export function one(n: number): number {
    return (two(n)) + 1;
};
export function idle(n: number): number { return spare(n) }`,
        'lib/types.ts': replaced(
          replaced(
            files['lib/types.ts'],
            "z.object({ x: z.number(), 'y': z.string().optional() })",
            'z.object(\n{ "x": z.number(),\ny: z.string().optional(), },)',
          ),
          "'numbers'",
          '"numbers"',
        ),
      },
    ],
    [
      'with swapped import lines',
      { 'tasks/near.ts': replaced(near, /(import { numbers.*\n)(import { one.*\n)/, '$2$1') },
    ],
    [
      'with every import line in reverse',
      {
        'tasks/near.ts': near
          .trim()
          .split('\n')
          .sort(
            (a, b) =>
              Number(b.startsWith('import')) - Number(a.startsWith('import')) ||
              (a.startsWith('import') ? (a < b ? 1 : -1) : 0),
          )
          .join('\n'),
      },
    ],
    [
      'with an unused import',
      { 'tasks/near.ts': `import { readFileSync } from 'node:fs'\nimport { spare } from '../lib/spare.ts'\n${near}` },
    ],
    ['when an unreached function changes', { 'lib/four.ts': replaced(files['lib/four.ts'], 'return 0', 'return 99') }],
    [
      'when an unreached schema changes',
      { 'lib/types.ts': replaced(files['lib/types.ts'], 'x: z.string()', 'x: z.boolean()') },
    ],
    [
      'when an unreached function gets another import',
      { 'lib/one.ts': replaced(files['lib/one.ts'], 'return spare(n)', 'return spare(spare(n))') },
    ],
    ['when functions change places', { 'lib/one.ts': files['lib/one.ts'].trim().split('\n').reverse().join('\n') }],
    ['when a type changes', { 'lib/two.ts': `export interface Extra { readonly a: 1 }\n${files['lib/two.ts']}` }],
    [
      'when another task of the same file appears',
      {
        'tasks/far.ts': `${far}\nexport const further = defineTask({ ...far, name: 'further' as never })\nexport const schema = z.object({ q: z.string() })\n`,
      },
    ],
  ]
  for (const [says, edit] of edits) {
    test(says, async () => expect(await changedByEdit(edit)).toEqual([]))
  }

  test('when the project lies elsewhere', async () => {
    const project = tempProject(files)
    expect(await copyProject(project, project.root).digests()).toEqual(await project.digests())
  })

  test('when the project is called otherwise, or has no name, or is part of a larger one', async () => {
    const project = tempProject(files)
    for (const manifest of ['{ "name": "other", "version": "7.0.0", "type": "module" }', '{ "type": "module" }']) {
      project.write({ 'package.json': manifest })
      expect(differences(unedited, await project.digests())).toEqual([])
    }
    writeFiles(join(project.dir, '..'), { 'package.json': '{ "name": "larger", "type": "module" }' })
    expect(differences(unedited, await project.digests())).toEqual([])
  })

  test('whether zod is imported by its own name or by way of tickpipe', async () => {
    const project = tempProject({
      ...files,
      'lib/types.ts': files['lib/types.ts'].replace(/^.*\n.*\n/, `import { jsonArtifact, z } from 'tickpipe'\n`),
    })
    expect(differences(unedited, await project.digests())).toEqual([])
    const edit = {
      'lib/types.ts': replaced(files['lib/types.ts'], 'x: z.string()', 'x: z.boolean()').replace(
        /^.*\n.*\n/,
        `import { jsonArtifact, z } from 'tickpipe'\n`,
      ),
    }
    project.write(edit)
    expect(differences(unedited, await project.digests())).toEqual([])
  })

  test('whether tasks are built one by one or all at once', async () => {
    const project = tempProject(files)
    const loaded = await project.load()
    const { tasks } = loaded.config as { tasks: Record<string, Task> }
    const objects = codeObjects(loaded, { root: project.root })
    const codes = await Promise.all(Object.values(tasks).map((task) => objects.ofTask(task)))
    expect(codes.map(({ digest }) => digest)).toEqual(Object.keys(tasks).map((name) => unedited[name]))
    expect(objects.known(tasks['near'])).toBe(codes[0])
  })

  test('in every build, warm or cold, with or without an index', async () => {
    const project = tempProject(files)
    await settle()
    const first = await project.digests()
    expect(await project.digests()).toEqual(first)
    rmSync(project.root, { recursive: true })
    expect(await project.digests()).toEqual(first)
  })
})

describe('a code identity changes', () => {
  const edits: readonly [string, Readonly<Record<string, string>>, readonly string[]][] = [
    [
      'with a helper four imports deep: whatever reaches it',
      { 'lib/four.ts': replaced(files['lib/four.ts'], 'n - 4', 'n - 5') },
      ['near', 'calm'],
    ],
    [
      'with a class on the way',
      { 'lib/three.ts': replaced(files['lib/three.ts'], 'times = 3', 'times = 4') },
      ['near', 'calm'],
    ],
    [
      "with a task's own run, and not the consumer's",
      { 'tasks/near.ts': replaced(near, 'one(n)', 'one(n + 1)') },
      ['near'],
    ],
    [
      'with the schema of an artifact: whoever reads or writes it',
      { 'lib/types.ts': replaced(files['lib/types.ts'], 'x: z.number()', 'x: z.number().int()') },
      ['near', 'far'],
    ],
    [
      'with a strategy: its own digest only',
      { 'strategies.ts': replaced(files['strategies.ts'], '=> 2', '=> 3') },
      ['bold'],
    ],
    ['with a string', { 'tasks/alone.ts': replaced(alone, "'raw'", "'rawer'") }, ['alone']],
  ]
  for (const [says, edit, changed] of edits) {
    test(says, async () => expect(await changedByEdit(edit)).toEqual(changed))
  }
})

describe('packages', () => {
  const withPackages = (): TempProject => {
    const project = tempProject({
      'pipe.config.ts': `import { js, wasm, none } from './values.ts'\nexport default { values: { js, wasm, none } }`,
      'values.ts': `import { twice } from 'doubler'
import { run } from 'kernel'
export const js = { decide: () => twice(1) }
export const wasm = { decide: () => run() }
export const none = { decide: () => 0 }
`,
    })
    const modules = join(project.dir, 'node_modules')
    writeFiles(modules, {
      'doubler/package.json': '{ "name": "doubler", "version": "1.0.0", "main": "index.js", "sideEffects": false }',
      'doubler/index.js':
        'const { add } = require("adder"); exports.twice = (x) => add(x, x); exports.idle = () => 1\n',
      'adder/package.json': '{ "name": "adder", "version": "1.0.0", "type": "module", "exports": "./add.js" }',
      'adder/add.js': 'export const add = (a, b) => a + b\nexport const sub = (a, b) => a - b\n',
      'kernel/package.json':
        '{ "name": "kernel", "version": "1.0.0", "type": "module", "main": "k.js", "dependencies": { "adder": "*" } }',
      'kernel/k.js': 'import { add } from "adder"; export const run = () => add(1, 1)\n',
      'kernel/k.wasm': '\0asm',
      'kernel/k.d.ts': 'export declare const run: () => number\n',
    })
    return project
  }
  const modulesEdit = (edit: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(edit).map(([name, text]) => [`node_modules/${name}`, text]))

  const edits: readonly [string, Readonly<Record<string, string>>, readonly string[]][] = [
    [
      'a bumped JavaScript package: its users',
      {
        'doubler/package.json': '{ "name": "doubler", "version": "1.0.1", "main": "index.js", "sideEffects": false }',
        'doubler/index.js': 'exports.twice = (x) => 2 * x\n',
      },
      ['js'],
    ],
    [
      'a bumped package whose reached code is the same: nobody',
      { 'doubler/package.json': '{ "name": "doubler", "version": "1.0.1", "main": "index.js", "sideEffects": false }' },
      [],
    ],
    [
      'a bumped dependency of both kinds of package: the users of both',
      { 'adder/add.js': 'export const add = (a, b) => b + a\n' },
      ['js', 'wasm'],
    ],
    ['other WASM bytes: its users', { 'kernel/k.wasm': '\0asm\x01' }, ['wasm']],
    [
      'a bumped WASM package: its users',
      {
        'kernel/package.json':
          '{ "name": "kernel", "version": "1.1.0", "type": "module", "main": "k.js", "dependencies": { "adder": "*" } }',
      },
      ['wasm'],
    ],
    ['types and maps of a WASM package: nobody', { 'kernel/k.d.ts': '', 'kernel/k.js.map': '{}' }, []],
    ['a text that a WASM package may read: its users', { 'kernel/grammar.md': 'hello' }, ['wasm']],
  ]
  for (const [says, edit, changed] of edits) {
    test(says, async () => expect(await changedBy(withPackages(), modulesEdit(edit))).toEqual(changed))
  }

  test('a bumped package that does not say it has no effects: whoever imports a file that imports it', async () => {
    const edit = { 'doubler/package.json': '{ "name": "doubler", "version": "1.0.0", "main": "index.js" }' }
    const project = withPackages()
    project.write(modulesEdit(edit))
    expect(await changedBy(project, modulesEdit({ 'doubler/index.js': 'exports.twice = (x) => 2 * x\n' }))).toEqual([
      'js',
      'wasm',
      'none',
    ])
  })

  test('two versions of one package do not get in each other’s way', async () => {
    const project = withPackages()
    writeFiles(join(project.dir, 'node_modules'), {
      'doubler/node_modules/adder/package.json': '{ "name": "adder", "version": "2.0.0", "main": "add.js" }',
      'doubler/node_modules/adder/add.js': 'exports.add = (a, b) => a * 10 + b\n',
    })
    project.write({
      'values.ts': `import { twice } from 'doubler'\nimport { add } from 'adder'
export const js = { decide: () => [twice(1), add(1, 1)] }\nexport const wasm = js\nexport const none = js\n`,
    })
    const { js } = await project.codes()
    const ids = js!.info.modules.map(({ id }) => id)
    expect(ids).toContain('adder@1.0.0/add')
    expect(ids).toContain('adder@2.0.0/add')
  })

  test('a second copy of the same version, nested by an installer, changes nothing', async () => {
    const project = withPackages()
    project.write({
      'values.ts': `import { twice } from 'doubler'\nimport { add } from 'adder'
export const js = { decide: () => [twice(1), add(1, 1)] }\nexport const wasm = js\nexport const none = js\n`,
    })
    const before = await project.digests()
    const modules = join(project.dir, 'node_modules')
    cpSync(join(modules, 'adder'), join(modules, 'doubler', 'node_modules', 'adder'), { recursive: true })
    await settle()
    expect(await project.digests()).toEqual(before)
  })

  test('a linked package is the same as an installed one', async () => {
    const project = withPackages()
    const before = await project.digests()
    const modules = join(project.dir, 'node_modules')
    cpSync(join(modules, 'kernel'), join(modules, '.store', 'node_modules', 'kernel'), { recursive: true })
    cpSync(join(modules, 'adder'), join(modules, '.store', 'node_modules', 'adder'), { recursive: true })
    rmSync(join(modules, 'kernel'), { recursive: true })
    symlinkSync(join('.store', 'node_modules', 'kernel'), join(modules, 'kernel'), 'dir')
    expect(await project.digests()).toEqual(before)
  })
})
