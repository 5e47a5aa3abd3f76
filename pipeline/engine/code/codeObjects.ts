import { join } from 'node:path'
import { layoutOf } from '../../../cas/layout.ts'
import { Fault } from '../../../lib/fault.ts'
import type { Port, Task } from '../task.ts'
import { type Analyses, buildCode, type EntryExport } from './buildCode.ts'
import { CodeCache, type ProjectCode } from './codeCache.ts'
import type { LoadedProject } from './loadProject.ts'
import { Packages } from './packages.ts'
import { PackageHashes } from './packageTree.ts'
import { ImportResolver } from './resolveImports.ts'
import { tickpipeDir } from './tickpipePackage.ts'

export interface CodeObjects {
  ofTask(task: Task): Promise<ProjectCode>
  /** For a strategy or whatever else a code port takes. */
  ofValue(value: unknown): Promise<ProjectCode>
  /** What `ofTask` or `ofValue` already gave for this value. */
  known(value: unknown): ProjectCode | undefined
}

/** What the worker calls beside the task itself. It is bundled with every task that reads or writes tables: a codec
 *  that writes other bytes is other code. */
export const driverExports = {
  reads: [{ file: 'lib/tables/parquet.ts', names: ['decodeTable'] }],
  writes: [
    { file: 'lib/tables/parquetWriter.ts', names: ['tableWriter'] },
    { file: 'lib/tables/table.ts', names: ['makeTable'] },
  ],
} as const

/** Builds the code objects of a loaded project, and keeps them under the root's index: where no file they were made
 *  from has changed, nothing is built. */
export function codeObjects(project: LoadedProject, options: { readonly root: string }): CodeObjects {
  const indexDir = layoutOf(options.root).index
  const resolver = new ImportResolver(new Packages(), project.dir, project.closures)
  const cache = new CodeCache(indexDir, new PackageHashes(indexDir), project.dir, project.closures)
  const pending = new Map<unknown, Promise<ProjectCode>>()
  const finished = new Map<unknown, ProjectCode>()
  const analyses: Analyses = new Map()
  const turn = turns(2) // the bundler has threads of its own; two keep it busy while one is brought into form

  const make = async (exports: readonly EntryExport[]): Promise<ProjectCode> =>
    cache.find(exports) ??
    turn(async () => {
      const sinceMs = Date.now()
      return cache.keep(exports, await buildCode(exports, resolver, analyses), resolver, sinceMs)
    })
  const once = async (value: unknown, exports: () => readonly EntryExport[]): Promise<ProjectCode> => {
    const code = pending.get(value) ?? make(exports())
    pending.set(value, code)
    finished.set(value, await code)
    return code
  }

  return {
    ofTask: (task) => once(task, () => taskExports(project, task)),
    ofValue: (value) => once(value, () => [entryExport(project, value, 'value', describe(value))]),
    known: (value) => finished.get(value),
  }
}

/** Lets no more than `count` run at a time. */
function turns(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = count
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}

function taskExports(project: LoadedProject, task: Task): EntryExport[] {
  const exports = [entryExport(project, task, 'task', `task "${task.name}"`)]
  const reads = Object.values(task.inputs ?? {}).some((port) => artifactForm(port) === 'table')
  const writes = task.output.form === 'table'
  for (const { file, names } of [...(reads ? driverExports.reads : []), ...(writes ? driverExports.writes : [])]) {
    exports.push({ file: join(tickpipeDir, file), names: Object.fromEntries(names.map((name) => [name, name])) })
  }
  return exports
}

function artifactForm(port: Port): string {
  return 'port' in port ? artifactForm(port.of) : port.form
}

function entryExport(project: LoadedProject, value: unknown, as: string, what: string): EntryExport {
  const origin = project.originOf(value)
  if (origin !== undefined) return { file: origin.file, names: { [origin.exportName]: as } }
  throw new Fault({
    code: 'usage',
    what: `${what} is not exported by any file of the project, so its code cannot be found`,
    where: project.configFile,
    todo: 'export it by a name from the file that defines it: "export const … = …"',
  })
}

function describe(value: unknown): string {
  const { name } = (value ?? {}) as { name?: unknown }
  return typeof name === 'string' && name !== '' ? `the code "${name}"` : 'the value of a code port'
}
