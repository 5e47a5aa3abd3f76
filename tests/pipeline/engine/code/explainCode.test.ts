import { describe, expect, test } from 'vitest'
import { explainCode } from '../../../../pipeline/engine/code/explainCode.ts'
import { settle, type TempProject, tempProject } from './tempProject.ts'

const files = {
  'pipe.config.ts': `import { t } from './tasks/t.ts'\nexport default { tasks: { t } }`,
  'tasks/t.ts': `import { z } from 'zod'
import { defineTask, filesArtifact } from 'tickpipe'
import { one } from '../lib/one.ts'
import { twice } from 'doubler'
import { kernel } from 'kernel'
export const t = defineTask({ name: 't', kind: 'pure', params: z.object({}), inputs: {}, output: filesArtifact('f'), run: () => { one(twice(kernel)); return [] } })
`,
  'lib/one.ts': `import { two } from './two.ts'\nexport const one = (n: number): number => two(n)\n`,
  'lib/two.ts': `import { three } from './three.ts'\nimport { idle } from './idle.ts'\nexport const two = (n: number): number => three(n)\nexport const other = () => idle()\n`,
  'lib/three.ts': `import { four } from './four.ts'\nexport default function four3(n: number): number { return four(n) }\nexport { four3 as three }\n`,
  'lib/four.ts': `import { rate } from './rate.ts'\nexport function four(n: number): number { return n * rate }\nexport const spare = (n: number) => n\n`,
  'lib/rate.ts': 'export const rate = 2\n',
  'lib/idle.ts': 'export const idle = () => 1\n',
  'node_modules/doubler/package.json': '{ "name": "doubler", "version": "1.0.0", "type": "module", "main": "d.js" }',
  'node_modules/doubler/d.js': 'export const twice = (x) => 2 * x',
  'node_modules/kernel/package.json': '{ "name": "kernel", "version": "1.0.0", "type": "module", "main": "k.js" }',
  'node_modules/kernel/k.js': 'export const kernel = 1',
  'node_modules/kernel/k.wasm': '',
}

async function explained(project: TempProject, edit: Readonly<Record<string, string>>) {
  const before = (await project.codes())['t']!
  await settle()
  project.write(edit)
  const after = (await project.codes())['t']!
  return explainCode(before.info, after.info)
}

const toTwo = ['tasks/t.ts#t', 'lib/one.ts#one', 'lib/two.ts#two']
const toThree = [...toTwo, 'lib/three.ts#four3']

describe('explainCode', () => {
  test('names file, symbol and the chain of a helper four imports deep', async () => {
    const edit = { 'lib/four.ts': files['lib/four.ts'].replace('n * rate', 'n / rate') }
    expect(await explained(tempProject(files), edit)).toEqual([
      { file: 'lib/four.ts', symbol: 'four', change: 'changed', chain: [...toThree, 'lib/four.ts#four'] },
    ])
  })

  test('names a constant where it is declared, not where it is used', async () => {
    const edit = { 'lib/rate.ts': 'export const rate = 3\n' }
    expect(await explained(tempProject(files), edit)).toEqual([
      {
        file: 'lib/rate.ts',
        symbol: 'rate',
        change: 'changed',
        chain: [...toThree, 'lib/four.ts#four', 'lib/rate.ts#rate'],
      },
    ])
  })

  test('says first what was edited, then what is reached for it or no more', async () => {
    const edit = { 'lib/two.ts': files['lib/two.ts'].replace('=> three(n)', '=> idle() + n') }
    const changes = await explained(tempProject(files), edit)
    expect(changes.map(({ file, symbol, change }) => [file, symbol, change])).toEqual([
      ['lib/two.ts', 'two', 'changed'],
      ['lib/idle.ts', 'idle', 'added'],
      ['lib/three.ts', 'four3', 'removed'],
      ['lib/four.ts', 'four', 'removed'],
      ['lib/rate.ts', 'rate', 'removed'],
    ])
    expect(changes[0]!.chain).toEqual(toTwo)
    expect(changes[4]!.chain).toEqual([...toThree, 'lib/four.ts#four', 'lib/rate.ts#rate'])
  })

  test('says of a package which version came', async () => {
    const project = tempProject(files)
    const js = {
      'node_modules/doubler/package.json': files['node_modules/doubler/package.json'].replace('1.0.0', '1.1.0'),
      'node_modules/doubler/d.js': 'export const twice = (x) => x + x',
    }
    expect(await explained(project, js)).toEqual([
      {
        file: 'node_modules/doubler',
        symbol: '1.0.0 → 1.1.0',
        change: 'changed',
        chain: ['tasks/t.ts#t', 'node_modules/doubler/d.js#twice'],
      },
    ])
    const wasm = {
      'node_modules/kernel/package.json': files['node_modules/kernel/package.json'].replace('1.0.0', '2.0.0'),
    }
    expect(await explained(project, wasm)).toMatchObject([{ file: 'node_modules/kernel', symbol: '1.0.0 → 2.0.0' }])
  })

  test('says nothing where nothing reached changed', async () => {
    const edit = { 'lib/four.ts': `// why\n${files['lib/four.ts'].replace('=> n', '=> -n')}` }
    expect(await explained(tempProject(files), edit)).toEqual([])
  })
})
