import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { describe, expect, test } from 'vitest'
import { tickpipeDir } from '../../../../pipeline/engine/code/tickpipePackage.ts'
import { packageDir, type TempProject, tempProject } from './tempProject.ts'

const project = (): TempProject =>
  tempProject({
    'pipe.config.ts': `import { table, plain } from './tasks.ts'\nimport { strategy } from './strategy.ts'
export default { tasks: { table, plain }, values: { strategy } }`,
    'tasks.ts': `import { z } from 'zod'
import { defineTask, defineTable, f64, filesArtifact, tableArtifact, tsMs } from 'tickpipe'
import { rate } from './rate.ts'
const rows = tableArtifact(defineTable({ name: 'rows', version: 1, columns: { atTsMs: tsMs(), px: f64() }, sortKey: ['atTsMs'] }))
export const table = defineTask({ name: 'table', kind: 'pure', params: z.object({}), inputs: { rows }, output: rows, run: ({ rows }) => rows })
export const plain = defineTask({ name: 'plain', kind: 'pure', params: z.object({ n: z.number() }), inputs: {}, output: filesArtifact('f'), run: (_i, { n }) => (rate(n), []) })`,
    'rate.ts':
      'export class Rate { #n = 2; static of = 3; get n() { return this.#n } }\nexport const rate = (n: number) => n * new Rate().n',
    'strategy.ts': 'export const strategy = { decide: (x?: { a: number }) => x?.a ?? 1 }',
  })

/** The same work as `digests()`, bundled as the command is, for a Node of its own. */
async function writeScript(file: string): Promise<void> {
  const source = `
import { codeObjects } from ${JSON.stringify(join(tickpipeDir, 'pipeline/engine/code/codeObjects.ts'))}
import { findProject } from ${JSON.stringify(join(tickpipeDir, 'pipeline/engine/code/findProject.ts'))}
import { loadProject } from ${JSON.stringify(join(tickpipeDir, 'pipeline/engine/code/loadProject.ts'))}
const [, , dir, root] = process.argv
const project = await loadProject(findProject(dir), { root })
const objects = codeObjects(project, { root })
const digests = {}
for (const [name, task] of Object.entries(project.config.tasks)) digests[name] = (await objects.ofTask(task)).digest
for (const [name, value] of Object.entries(project.config.values)) digests[name] = (await objects.ofValue(value)).digest
console.log(JSON.stringify(digests))`
  const build = await rolldown({
    input: 'script',
    platform: 'node',
    logLevel: 'silent',
    external: [/^rolldown/],
    plugins: [
      {
        name: 'script',
        resolveId: (id) => (id === 'script' ? '\0script' : null),
        load: (id) => (id === '\0script' ? source : null),
      },
    ],
  })
  await build.write({ file, format: 'es' })
  await build.close()
}

function install({ dir }: TempProject): string {
  const target = join(dir, 'node_modules', 'tickpipe')
  mkdirSync(join(target, 'dist'), { recursive: true })
  for (const part of ['package.json', 'pipeline', 'lib', 'cas', 'snapshots', 'tasks']) {
    cpSync(join(tickpipeDir, part), join(target, part), { recursive: true })
  }
  symlinkSync(packageDir('rolldown'), join(dir, 'node_modules', 'rolldown'), 'dir')
  return target
}

const runScript = (command: string, args: readonly string[]): unknown =>
  JSON.parse(execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }))

describe('identities are the same', () => {
  test('from the repository and from a packed install', async () => {
    const app = project()
    const fromRepository = await app.digests()
    const script = join(install(app), 'dist', 'digests.js')
    await writeScript(script)
    expect(runScript(process.execPath, [script, app.dir, join(app.root, 'packed')])).toEqual(fromRepository)
  })

  test('on Node 24', async (context) => {
    const node24 = ['-y', '-p', 'node@24', 'node']
    try {
      expect(execFileSync('npx', [...node24, '-v'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).toMatch(
        /^v24/,
      )
    } catch {
      context.skip('Node 24 could not be had from the npm registry')
    }
    const app = project()
    const here = await app.digests()
    const script = join(install(app), 'dist', 'digests.js')
    await writeScript(script)
    expect(runScript('npx', [...node24, script, app.dir, join(app.root, 'node24')])).toEqual(here)
  })
})
