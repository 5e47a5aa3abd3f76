import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ProjectCode } from '../../../../pipeline/engine/code/codeCache.ts'
import { type CodeObjects, codeObjects } from '../../../../pipeline/engine/code/codeObjects.ts'
import { findProject } from '../../../../pipeline/engine/code/findProject.ts'
import { type LoadedProject, loadProject } from '../../../../pipeline/engine/code/loadProject.ts'
import type { Task } from '../../../../pipeline/engine/task.ts'

/** A small project on disk, with a store root beside it, for one test. */
export interface TempProject {
  readonly dir: string
  readonly root: string
  write(files: Readonly<Record<string, string>>): void
  load(): Promise<LoadedProject>
  /** The code of everything in the config's `tasks` and `values`, by name. */
  codes(): Promise<Record<string, ProjectCode>>
  digests(): Promise<Record<string, string>>
}

/** What the config files of these tests export. */
interface TestConfig {
  readonly tasks?: Readonly<Record<string, Task>>
  readonly values?: Readonly<Record<string, unknown>>
}

const require = createRequire(import.meta.url)

/** Where an installed package of this repository lies. */
export const packageDir = (name: string): string => dirname(require.resolve(`${name}/package.json`))

export function tempDir(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `tickpipe-${name}-`))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export const tempProject = (files: Readonly<Record<string, string>>): TempProject => makeProject(tempDir('code'), files)

export function makeProject(parent: string, files: Readonly<Record<string, string>>): TempProject {
  const dir = join(parent, 'app')
  mkdirSync(join(dir, 'node_modules'), { recursive: true })
  symlinkSync(packageDir('zod'), join(dir, 'node_modules', 'zod'), 'dir')
  writeFiles(dir, { 'package.json': JSON.stringify({ name: 'app', type: 'module' }), ...files })
  return projectAt(dir, join(parent, 'root'))
}

export function projectAt(dir: string, root: string): TempProject {
  const load = () => loadProject(findProject(dir), { root })
  const codes = async () => {
    const project = await load()
    return codesOf(project, codeObjects(project, { root }))
  }
  return {
    dir,
    root,
    load,
    codes,
    write: (files) => writeFiles(dir, files),
    digests: async () => Object.fromEntries(Object.entries(await codes()).map(([name, { digest }]) => [name, digest])),
  }
}

async function codesOf(project: LoadedProject, objects: CodeObjects): Promise<Record<string, ProjectCode>> {
  const { tasks = {}, values = {} } = project.config as TestConfig
  const codes: Record<string, ProjectCode> = {}
  for (const [name, task] of Object.entries(tasks)) codes[name] = await objects.ofTask(task)
  for (const [name, value] of Object.entries(values)) codes[name] = await objects.ofValue(value)
  return codes
}

export function writeFiles(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
}

export function copyProject({ dir }: TempProject, root: string): TempProject {
  const target = join(tempDir('moved'), 'elsewhere', 'deeper')
  cpSync(dir, target, { recursive: true, verbatimSymlinks: true })
  return projectAt(target, root)
}

/** A file written within the last moments is not trusted by the caches: its clock is coarse. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40))
