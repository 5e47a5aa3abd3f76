import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type BuiltPipe, buildPipe, type Ran } from './builtPipe.ts'

let pipe: BuiltPipe
let project: string
let made = 0
beforeAll(async () => {
  pipe = await buildPipe()
})
afterAll(() => pipe.remove())
beforeEach(() => {
  project = join(pipe.dir, `project${made++}`)
  mkdirSync(join(project, 'sub'), { recursive: true })
})

/** A project whose only node gives what `expression` was when the graph was built. */
function write(expression: string, more = ''): void {
  writeFileSync(
    join(project, 'pipe.config.ts'),
    `import { defineTask, definePipeline, defineProject, jsonArtifact, withConfig, z } from 'tickpipe'
${more}
export const echo = defineTask({ name: 'echo', kind: 'pure', params: z.object({ seen: z.string() }), inputs: {}, output: jsonArtifact('seen', z.string()), run: (_inputs, { seen }) => seen })
const pipeline = definePipeline('memo', z.object({}), (graph) => graph.target('echo', graph.add(echo, { params: { seen: String(${expression}) } })))
export default defineProject({ root: '.pipe', pipelines: [withConfig(pipeline, {})] })
`,
  )
}

const aliasTo = (file: string): string =>
  JSON.stringify({ name: 'memo', type: 'module', imports: { '#words': `./${file}` } })

const run = (env: NodeJS.ProcessEnv = {}, cwd = project): Ran => pipe.run(['run'], { cwd, env })
const runFolders = (): number => readdirSync(join(project, '.pipe', 'runs')).length
const seen = (): string => pipe.run(['cat', 'echo'], { cwd: project }).stdout.trim()

/** Executes once (of files written this very moment nothing is remembered), and has then something to remember, if it may. */
function settled(env: NodeJS.ProcessEnv = {}): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  run(env)
}

describe('a run with nothing to do', () => {
  test('is answered from memory: no run is recorded, and the answer is the same', () => {
    write("'constant'")
    settled()
    const before = runFolders()
    const ran = run()
    expect(ran.stdout).toContain('nothing to do: 1 node, all cached')
    expect(runFolders()).toBe(before)
  })

  const changes: Record<
    string,
    {
      expression: string
      more?: string
      files?: Readonly<Record<string, string>>
      env?: NodeJS.ProcessEnv
      change?: () => void
      cwd?: () => string
      sees: string
    }
  > = {
    'an edited config': { expression: "'one'", change: () => write("'two'"), sees: '"two"' },
    "a package.json's alias": {
      expression: 'words',
      more: "import { words } from '#words'",
      files: {
        'package.json': aliasTo('one.ts'),
        'one.ts': "export const words = 'one'",
        'two.ts': "export const words = 'two'",
      },
      change: () => writeFileSync(join(project, 'package.json'), aliasTo('two.ts')),
      sees: '"two"',
    },
    'a package.json that comes to be in a folder': {
      expression: 'words',
      more: "import { words } from './sub/words.ts'",
      files: {
        'package.json': aliasTo('one.ts'),
        'one.ts': "export const words = 'one'",
        'sub/words.ts': "export { words } from '#words'",
        'sub/two.ts': "export const words = 'two'",
      },
      change: () => writeFileSync(join(project, 'sub', 'package.json'), aliasTo('two.ts')),
      sees: '"two"',
    },
    'a variable of the environment': { expression: "process.env.WHAT ?? 'none'", env: { WHAT: 'set' }, sees: '"set"' },
    'a variable by way of node:process': {
      expression: "env.WHAT ?? 'none'",
      more: "import { env } from 'node:process'",
      env: { WHAT: 'set' },
      sees: '"set"',
    },
    'the names of all variables': {
      expression: "Object.keys(process.env).includes('WHAT')",
      env: { WHAT: 'set' },
      sees: '"true"',
    },
    'a file that the config reads': {
      expression: "existsSync(join(process.cwd(), 'list')) ? 'there' : 'none'",
      more: "import { existsSync } from 'node:fs'\nimport { join } from 'node:path'",
      change: () => writeFileSync(join(project, 'list'), ''),
      sees: '"there"',
    },
    'the current folder': {
      expression: "process.cwd().endsWith('sub')",
      cwd: () => join(project, 'sub'),
      sees: '"true"',
    },
  }
  for (const [what, { expression, more, files = {}, env, change, cwd, sees }] of Object.entries(changes)) {
    test(`is walked again after a change of ${what}`, () => {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text)
      write(expression, more)
      settled()
      change?.()
      const ran = run(env, cwd?.())
      expect(ran.stdout).toContain('1 executed')
      expect(seen()).toBe(sees)
    })
  }

  test('is walked again after a change of an alias that only the code of a task imports', () => {
    const files = {
      'package.json': aliasTo('one.ts'),
      'one.ts': 'export const scale = 1',
      'two.ts': 'export const scale = 1000',
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text)
    write('scale', "import { scale } from '#words'")
    const config = join(project, 'pipe.config.ts')
    writeFileSync(
      config,
      readFileSync(config, 'utf8').replace('=> seen', '=> seen + scale').replace('String(scale)', "'n'"),
    )
    settled()
    expect(run().stdout).toContain('nothing to do')
    expect(seen()).toBe('"n1"')
    writeFileSync(join(project, 'package.json'), aliasTo('two.ts'))
    expect(run().stdout).toContain('1 executed')
    expect(seen()).toBe('"n1000"')
  })

  test('is walked again when the output of its target is gone, and heals it', () => {
    write("'constant'")
    settled()
    const manifest = JSON.parse(pipe.run(['show', 'echo', '--json'], { cwd: project }).stdout) as {
      files: { sha256: string }[]
    }
    const { sha256 } = manifest.files[0]!
    rmSync(join(project, '.pipe', 'objects', sha256.slice(0, 2), sha256.slice(2)))
    expect(run().stdout).toContain('1 executed')
    expect(seen()).toBe('"constant"')
  })
})
