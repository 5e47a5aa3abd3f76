import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { digestOf, isDigest } from '../../../cas/digest.ts'
import { layoutOf } from '../../../cas/layout.ts'
import { Fault } from '../../../lib/fault.ts'
import { FileLook, type FileMark } from './fileMarks.ts'
import type { ProjectPlace } from './findProject.ts'
import { readIndexFile, readIndexJson, sweepIndexFiles, writeIndexFile } from './indexFile.ts'
import { pointAt, readMappings } from './lineMap.ts'
import { markInputs } from './markInputs.ts'
import { type Origin, originOf } from './origins.ts'
import { noteClosure } from './packageClosure.ts'
import { Packages } from './packages.ts'
import { bundleProject, type ProjectBundle } from './projectBundle.ts'
import { ImportResolver } from './resolveImports.ts'
import { tickpipeDir } from './tickpipePackage.ts'

export interface LoadedProject extends ProjectPlace {
  /** The default export of the config file, as it is. */
  readonly config: unknown
  readonly originOf: (value: unknown) => Origin | undefined
  /** Every file the config was made from. Undefined when one was written this very moment: what is derived from this
   *  load is then not worth keeping. */
  readonly inputs: readonly FileMark[] | undefined
  /** Packages that are taken as they are, besides those with WASM or native code. */
  readonly closures: readonly string[]
}

const defaultClosures: readonly string[] = ['apache-arrow', 'parquet-wasm']

/** Bundles and imports a project's config. With no file changed since the last time, the bundle of then serves: the
 *  bundler is not even loaded. */
export async function loadProject(place: ProjectPlace, options: { readonly root: string }): Promise<LoadedProject> {
  const { dir, configFile } = place
  const cacheDir = join(
    layoutOf(options.root).index,
    'projects',
    digestOf(`${tickpipeDir}\n${configFile}`).slice(0, 16),
  )
  const known = readEntry(join(cacheDir, 'entry.json'))
  const look = new FileLook()
  let bundleFile = known && join(cacheDir, `${known.bundle}.mjs`)
  let inputs: readonly FileMark[] | undefined = known?.inputs
  if (bundleFile === undefined || !existsSync(bundleFile) || !inputs!.every((mark) => look.unchanged(mark))) {
    const made = await makeBundle(place, cacheDir)
    bundleFile = made.bundleFile
    inputs = made.inputs
  }
  const config = await importConfig(bundleFile, place)
  return { dir, configFile, config, originOf, inputs, closures: closuresOf(config) }
}

interface Entry {
  readonly bundle: string
  readonly inputs: readonly FileMark[]
}

function readEntry(path: string): Entry | undefined {
  const value = readIndexJson(path) as Partial<Entry> | undefined
  return isDigest(value?.bundle) && Array.isArray(value.inputs) ? (value as Entry) : undefined
}

async function makeBundle({ dir, configFile }: ProjectPlace, cacheDir: string) {
  const sinceMs = Date.now()
  const resolver = new ImportResolver(new Packages(), dir, defaultClosures)
  resolver.lookedAt.addLink(configFile)
  const bundle = await bundleProject(configFile, resolver)
  // They are no part of the bundle, but of the code of tasks that import them, and of what a run gives.
  noteClosure(bundle.closures, resolver.packages, (located) => resolver.lookedAt.addPackage(located))

  // Named by its content: within one process an equal name would give the module that was imported before.
  const name = digestOf(bundle.code)
  const sourceMap = JSON.stringify({ mappings: bundle.mappings, sources: sourcePaths(bundle, cacheDir) })
  sweepIndexFiles(cacheDir, 3_600_000)
  writeIndexFile(join(cacheDir, `${name}.map.json`), sourceMap)
  writeIndexFile(join(cacheDir, `${name}.mjs`), bundle.code)

  const inputs = markInputs(new FileLook(), bundle.files, resolver, sinceMs)
  if (inputs !== undefined) writeIndexFile(join(cacheDir, 'entry.json'), JSON.stringify({ bundle: name, inputs }))
  const bundleFile = join(cacheDir, `${name}.mjs`)
  return { bundleFile: existsSync(bundleFile) ? bundleFile : writeAside(bundle.code), inputs }
}

/** For a root that cannot be written. */
function writeAside(code: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'tickpipe-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  const path = join(dir, 'project.mjs')
  writeFileSync(path, code)
  return path
}

/** The bundler writes sources relative to a `dist` folder that does not exist. */
function sourcePaths({ sources, files }: ProjectBundle, cacheDir: string): string[] {
  return sources.map((source) => {
    const tail = source.replace(/^(\.\.\/)+/, '')
    return files.find((file) => file.endsWith(tail)) ?? join(cacheDir, source)
  })
}

async function importConfig(bundleFile: string, { dir, configFile }: ProjectPlace): Promise<unknown> {
  let module: { readonly default?: unknown }
  try {
    module = await import(pathToFileURL(bundleFile).href)
  } catch (error) {
    throw configFault(error, bundleFile, dir, configFile)
  }
  if (module.default !== undefined) return module.default
  throw new Fault({
    code: 'usage',
    what: 'the config file has no default export',
    where: configFile,
    todo: 'write "export default defineProject({ … })"',
  })
}

function configFault(error: unknown, bundleFile: string, dir: string, configFile: string): Fault {
  const { name, message, stack, what, todo } = error as Error & { what?: unknown; todo?: unknown }
  // A Fault thrown by the project is one of its own copy of tickpipe, so no instance of ours.
  const isFault = name === 'Fault' && typeof what === 'string'
  const position = thrownAt(stack ?? '', bundleFile)
  return new Fault({
    code: 'usage',
    what: isFault ? what : `the config could not be loaded: ${message ?? String(error)}`,
    where:
      position === undefined ? configFile : `${relative(dir, position.file)}:${position.line}:${position.column + 1}`,
    todo: isFault && typeof todo === 'string' ? todo : 'correct what this line does',
    cause: error,
  })
}

function thrownAt(stack: string, bundleFile: string): { file: string; line: number; column: number } | undefined {
  const at = stack.indexOf(basename(bundleFile))
  const [, line, column] = /:(\d+):(\d+)/.exec(at < 0 ? '' : stack.slice(at)) ?? []
  const map = readIndexJson(bundleFile.replace(/\.mjs$/, '.map.json')) as
    | { mappings: string; sources: string[] }
    | undefined
  const code = readIndexFile(bundleFile)
  if (line === undefined || column === undefined || map === undefined || code === undefined) return undefined
  return positionIn(Buffer.from(code).toString('utf8'), map, Number(line), Number(column) - 1)
}

function positionIn(code: string, map: { mappings: string; sources: string[] }, line: number, column: number) {
  let offset = column
  for (let i = 1, start = 0; i < line; i++) {
    const next = code.indexOf('\n', start) + 1
    offset += next - start
    start = next
  }
  const best = pointAt(readMappings(map.mappings, code), offset)
  const file = best && map.sources[best.source]
  return best === undefined || file === undefined ? undefined : { file, line: best.line, column: best.column }
}

function closuresOf(config: unknown): readonly string[] {
  const listed = (config as { readonly closures?: unknown } | null)?.closures
  const names = Array.isArray(listed) ? listed.filter((name) => typeof name === 'string') : []
  return [...new Set([...defaultClosures, ...names])].sort()
}
