import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Fault } from '../../lib/fault.ts'
import { findProject } from '../engine/code/findProject.ts'
import { defineCommand } from './command.ts'
import { arg, flag } from './flag.ts'
import { strategyExample } from './init/strategyExample.ts'
import { supportFiles } from './init/supportFiles.ts'
import { tasksExample } from './init/tasksExample.ts'
import { version } from './version.ts'

export const init = defineCommand({
  name: 'init',
  summary: 'Start a project: a strategy and a feature of your own, which run offline',
  about:
    'Nothing that is there is overwritten: a folder with a pipe.config is refused, and package.json, tsconfig.json and .gitignore are written only where there are none.',
  args: { folder: arg.maybe('Where; the current folder by default', { completes: 'file' }) },
  flags: { tasks: flag.boolean('A pipeline of tasks of your own instead, from a source to a report') },
  examples: [
    { line: 'pipe init my-research && cd my-research && pipe run backtest', says: 'from nothing to a report' },
    { line: 'pipe init', says: 'into the current folder' },
    { line: 'pipe init --tasks my-pipeline', says: 'what a pipeline is made of' },
  ],
  json: '{"folder", "written": [path], "kept": [path]}',
  async run(context, values) {
    const folder = resolve(context.cwd, values.folder ?? '.')
    const example = values.tasks ? tasksExample : strategyExample
    refuseIfTaken(folder, example)
    const written: string[] = []
    const kept: string[] = []
    for (const [path, text] of Object.entries({
      ...supportFiles(packageName(folder), version, existsSync(join(folder, 'node_modules', '@types', 'node'))),
      ...example,
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
    context.out.print(renderInit(folder, context.cwd, written, kept, values.tasks))
    context.out.printJson({ folder, written, kept })
    return 'ok'
  },
})

/** The whole example or nothing of it: half of it would neither run nor be anybody's. */
function refuseIfTaken(folder: string, example: Readonly<Record<string, string>>): void {
  const taken = configIn(folder) ?? Object.keys(example).find((path) => existsSync(join(folder, path)))
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

export function renderInit(
  folder: string,
  cwd: string,
  written: readonly string[],
  kept: readonly string[],
  isOfTasks: boolean,
): string {
  return [
    `an example project in ${folder}`,
    ...written.map((path) => `  + ${path}`),
    ...kept.map((path) => `  = ${path} (was there)`),
    '',
    'next',
    ...(folder === cwd ? [] : [`  cd ${folder}`]),
    ...(isOfTasks ? nextOfTasks : nextOfStrategy),
  ].join('\n')
}

const nextOfStrategy = [
  '  npx pipe run backtest    make the market, the features, the verdict and its page',
  '  npx pipe run backtest    again: nothing to do',
  '  npx pipe plan backtest --set strategy.params.weight=0.8   what another config would cost',
  '  npx pipe check-lookahead   whether the strategy or the feature sees the future',
]

const nextOfTasks = [
  '  npx pipe run            make everything',
  '  npx pipe cat report     see what came out',
  '  npx pipe run            again: nothing to do',
  '  npx pipe plan --set window=5   what another config would cost',
]

/** A folder may be called anything; a package may not. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
  return name === '' ? 'my-pipeline' : name
}
