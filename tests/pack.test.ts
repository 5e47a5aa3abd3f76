import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Manifest } from '../snapshots/manifest.ts'
import { type BuiltPipe, buildPipe } from './pipeline/cli/builtPipe.ts'

/** What `npm pack` makes, installed into a project that has never seen this repository. */
const repo = fileURLToPath(new URL('..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'tickpipe-pack-'))
const app = join(dir, 'app')
let repoPipe: BuiltPipe

beforeAll(async () => {
  const tarball = packCopy()
  mkdirSync(app)
  writeFiles(app, projectFiles)
  npm(app, 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball)
  repoPipe = await buildPipe()
})
afterAll(() => {
  repoPipe?.remove()
  rmSync(dir, { recursive: true, force: true })
})

/** Packs a copy of the sources, so that `prepare` builds there and leaves the repository's own dist alone. */
function packCopy(): string {
  const copy = join(dir, 'copy')
  mkdirSync(copy)
  const { files } = JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8')) as { files: string[] }
  for (const name of [...files, 'package.json', 'rolldown.config.js', 'tsconfig.json']) {
    if (name !== 'dist' && existsSync(join(repo, name))) cpSync(join(repo, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(repo, 'node_modules'), join(copy, 'node_modules'), 'dir')
  const printed = npm(copy, 'pack', '--json', '--foreground-scripts=false', '--pack-destination', dir)
  const [packed] = JSON.parse(printed.slice(printed.indexOf('[\n'))) as [{ filename: string }]
  return join(dir, packed.filename)
}

function npm(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 })
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}

const pipe = (cwd: string, ...args: string[]) => {
  const command = join(app, 'node_modules', '.bin', 'pipe')
  return spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...repoPipe.env, PATH: process.env['PATH'] } })
}

const typeErrors = (project: string): string => {
  const tsc = join(repo, 'node_modules', 'typescript', 'bin', 'tsc')
  return spawnSync(process.execPath, [tsc, '--pretty', 'false'], { cwd: project, encoding: 'utf8' }).stdout
}

/** The manifest of the newest run. */
function lastManifest(project: string): Manifest {
  const runs = join(project, '.pipe', 'runs')
  const [newest] = readdirSync(runs).sort().reverse()
  return JSON.parse(readFileSync(join(runs, newest!, 'manifest.json'), 'utf8')) as Manifest
}

const asOf = ['--as-of', '2024-03-01']

describe('a project that installed the package', () => {
  test('compiles under strict, and each of its wiring mistakes is an error', () => {
    expect(typeErrors(app)).toBe('')
  })

  test('would not compile if a mistake were none', () => {
    const file = join(app, 'mistakes.ts')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replaceAll(/^.*@ts-expect-error.*\n/gm, ''))
    const errors = typeErrors(app)
    writeFileSync(file, text)
    expect(errors.match(/^mistakes\.ts\(\d+,\d+\): error TS/gm)).toHaveLength(text.split('@ts-expect-error').length - 1)
  })

  test('runs by npx', () => {
    const stdout = execFileSync('npx', ['--no-install', 'pipe', 'run', ...asOf], {
      cwd: app,
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...repoPipe.env, PATH: process.env['PATH'] },
    })
    expect(stdout).toMatch(/^ok {2}5 nodes: 0 cached, 5 executed/)
  })

  test('has nothing to do the second time', () => {
    expect(pipe(app, 'run', ...asOf).stdout).toMatch(/^ok {2}nothing to do: 5 nodes, all cached/)
  })

  test('has the code identities and the ids that the repository gives', () => {
    const twin = join(dir, 'twin')
    mkdirSync(twin)
    writeFiles(twin, projectFiles)
    expect(repoPipe.run(['run', ...asOf], { cwd: twin })).toMatchObject({ status: 0 })
    expect(codesOf(lastManifest(app))).toEqual(codesOf(lastManifest(twin)))
    expect(lastManifest(app)).toEqual(lastManifest(twin))
  })
})

const codesOf = (manifest: Manifest) => manifest.nodes.map(({ address, code }) => [address, code])

describe('pipe init', () => {
  const fresh = join(app, 'fresh')
  const small = ['--set', 'to=2026-04-03', '--set', 'universe.size=1']

  test('makes a project of a strategy and a feature, which compiles as it is', () => {
    mkdirSync(fresh)
    expect(pipe(fresh, 'init')).toMatchObject({ status: 0, stderr: '' })
    expect(typeErrors(fresh)).toBe('')
  })

  test('which runs, and has nothing to do the second time', () => {
    const ran = pipe(fresh, 'run', 'features', ...small)
    expect(ran).toMatchObject({ status: 0 })
    expect(ran.stdout).toMatch(/^ok {2}\d+ nodes: 0 cached, \d+ executed/)
    expect(pipe(fresh, 'run', 'features', ...small).stdout).toMatch(/nothing to do/)
  })

  test('whose strategy and feature share a file and no identity', () => {
    const file = join(fresh, 'strategies', 'busiest.ts')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('turnover(b) - turnover(a)', 'turnover(a) - turnover(b)'))
    expect(pipe(fresh, 'run', 'features', ...small).stdout).toMatch(/nothing to do/)
    writeFileSync(file, text)
  })

  test('or one of tasks, from a source to a report', () => {
    const tasks = join(app, 'tasks')
    expect(pipe(app, 'init', '--tasks', 'tasks')).toMatchObject({ status: 0, stderr: '' })
    expect(typeErrors(tasks)).toBe('')
    expect(pipe(tasks, 'run', ...asOf).stdout).toMatch(/^ok {2}10 nodes: 0 cached, 10 executed/)
    expect(pipe(tasks, 'run', ...asOf).stdout).toMatch(/nothing to do/)
  })
})

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

const projectFiles = {
  'package.json': '{ "name": "app", "private": true, "type": "module" }\n',
  'tsconfig.json': `${JSON.stringify({
    compilerOptions: {
      target: 'ES2023',
      module: 'NodeNext',
      moduleResolution: 'NodeNext',
      strict: true,
      noUncheckedIndexedAccess: true,
      allowImportingTsExtensions: true,
      noEmit: true,
      skipLibCheck: true,
      types: [],
    },
    include: ['*.ts'],
  })}\n`,
  'tasks.ts': `import { codePort, defineTable, defineTask, f64, filesArtifact, jsonArtifact, makeTable, many, tableArtifact, tsMs, z } from 'tickpipe'

export const raw = filesArtifact('raw')
export const prices = tableArtifact(
  defineTable({ name: 'prices', version: 1, columns: { tsMs: tsMs(), close: f64() }, sortKey: ['tsMs'] }),
)
export const total = jsonArtifact('total', z.object({ name: z.string(), sum: z.number() }))
export interface Weigh {
  weigh(close: number): number
}

export const fetchRaw = defineTask({
  name: 'fetchRaw',
  kind: 'source',
  version: 1,
  params: z.object({ name: z.string(), rows: z.number().int() }),
  output: raw,
  run: async (_inputs, { name, rows }) => [
    { name: 'rows.txt', bytes: Uint8Array.from({ length: rows }, (_, n) => (n * 7 + name.length) % 251) },
  ],
})
export const parse = defineTask({
  name: 'parse',
  kind: 'pure',
  params: z.object({}),
  inputs: { raw },
  output: prices,
  run({ raw }) {
    const bytes = raw.read('rows.txt')
    return makeTable(prices.schema, {
      tsMs: Float64Array.from(bytes, (_, n) => n * 60_000),
      close: Float64Array.from(bytes, (value) => value / 3),
    })
  },
})
export const addUp = defineTask({
  name: 'addUp',
  kind: 'pure',
  params: z.object({ name: z.string() }),
  inputs: { tables: many(prices) },
  code: { weigh: codePort<Weigh>() },
  output: total,
  run({ tables, weigh }, { name }) {
    let sum = 0
    for (const { columns } of tables) for (const close of columns.close) sum += weigh.weigh(close)
    return { name, sum }
  },
})
`,
  'half.ts': `import type { Weigh } from './tasks.ts'

export const half: Weigh = { weigh: (close) => close / 2 }
`,
  'pipe.config.ts': `import { definePipeline, defineProject, withConfig, z } from 'tickpipe'
import { half } from './half.ts'
import { addUp, fetchRaw, parse } from './tasks.ts'

const app = definePipeline('app', z.object({ names: z.array(z.string()), rows: z.number() }), (graph, { names, rows }) => {
  const tables = names.map((name) => {
    const raw = graph.add(fetchRaw, { at: [name], params: { name, rows } })
    return graph.add(parse, { at: [name], inputs: { raw } })
  })
  graph.target('total', graph.add(addUp, { params: { name: 'all' }, inputs: { tables }, code: { weigh: half } }))
})

export default defineProject({ root: '.pipe', pipelines: [withConfig(app, { names: ['a', 'bb'], rows: 100 })] })
`,
  'mistakes.ts': `import { definePipeline, defineTask, withConfig, z } from 'tickpipe'
import { half } from './half.ts'
import { addUp, fetchRaw, parse, total } from './tasks.ts'

export const wrong = definePipeline('wrong', z.object({ rows: z.number() }), (graph, { rows }) => {
  // @ts-expect-error a param of another type
  const raw = graph.add(fetchRaw, { params: { name: 1, rows } })
  // @ts-expect-error a missing param
  graph.add(fetchRaw, { params: { rows } })
  // @ts-expect-error a missing input
  graph.add(parse)
  const table = graph.add(parse, { inputs: { raw: graph.add(fetchRaw, { params: { name: 'a', rows } }) } })
  // @ts-expect-error an artifact of another type
  graph.add(parse, { at: [1], inputs: { raw: table } })
  // @ts-expect-error a code port without its code
  graph.add(addUp, { params: { name: 'a' }, inputs: { tables: [table] } })
  // @ts-expect-error what is no array of tables
  graph.add(addUp, { params: { name: 'a' }, inputs: { tables: [raw] }, code: { weigh: half } })
})
export const badOutput = defineTask({
  name: 'badOutput',
  kind: 'pure',
  params: z.object({}),
  inputs: {},
  output: total,
  // @ts-expect-error what it returns is not what it declares
  run: () => ({ name: 'a', sum: 'b' }),
})
// @ts-expect-error a config of another shape
withConfig(wrong, { rows: 'many' })
`,
}
