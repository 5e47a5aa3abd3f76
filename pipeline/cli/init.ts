import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Fault } from '../../lib/fault.ts'
import { findProject } from '../engine/code/findProject.ts'
import { defineCommand } from './command.ts'
import { arg } from './flag.ts'
import { exampleFiles, supportFiles } from './init/example.ts'
import { version } from './version.ts'

export const init = defineCommand({
  name: 'init',
  summary: 'Write a small example project that runs offline',
  about:
    'Nothing that is there is overwritten: a folder with a pipe.config is refused, and package.json, tsconfig.json and .gitignore are written only where there are none.',
  args: { folder: arg.maybe('Where; the current folder by default', { completes: 'file' }) },
  flags: {},
  examples: [
    { line: 'pipe init my-research && cd my-research && pipe run', says: 'from nothing to a report' },
    { line: 'pipe init', says: 'into the current folder' },
  ],
  json: '{"folder", "written": [path], "kept": [path]}',
  async run(context, values) {
    const folder = resolve(context.cwd, values.folder ?? '.')
    refuseIfTaken(folder)
    const written: string[] = []
    const kept: string[] = []
    for (const [path, text] of Object.entries({
      ...supportFiles(packageName(folder), version, existsSync(join(folder, 'node_modules', '@types', 'node'))),
      ...exampleFiles,
    })) {
      const file = join(folder, path)
      if (existsSync(file)) {
        kept.push(path)
        continue
      }
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      written.push(path)
    }
    context.out.print(renderInit(folder, context.cwd, written, kept))
    context.out.printJson({ folder, written, kept })
    return 'ok'
  },
})

/** The whole example or nothing of it: half of it would neither run nor be anybody's. */
function refuseIfTaken(folder: string): void {
  const taken = configIn(folder) ?? Object.keys(exampleFiles).find((path) => existsSync(join(folder, path)))
  if (taken === undefined) return
  throw new Fault({
    code: 'refused',
    what: `${taken} is there already, and init overwrites nothing`,
    where: folder,
    todo: 'name another folder: pipe init <folder>',
  })
}

/** The config file of a project that is here already; one in a folder above is no hindrance. */
function configIn(folder: string): string | undefined {
  try {
    const { dir, configFile } = findProject(folder)
    return dir === folder ? basename(configFile) : undefined
  } catch (error) {
    if (error instanceof Fault) return undefined
    throw error
  }
}

export function renderInit(folder: string, cwd: string, written: readonly string[], kept: readonly string[]): string {
  return [
    `an example project in ${folder}`,
    ...written.map((path) => `  + ${path}`),
    ...kept.map((path) => `  = ${path} (was there)`),
    '',
    'next',
    ...(folder === cwd ? [] : [`  cd ${folder}`]),
    '  pipe run            make everything',
    '  pipe cat report     see what came out',
    '  pipe run            again: nothing to do',
    '  pipe plan --set window=5   what another config would cost',
  ].join('\n')
}

/** A folder may be called anything; a package may not. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
  return name === '' ? 'my-pipeline' : name
}
