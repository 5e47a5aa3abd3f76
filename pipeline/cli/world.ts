import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, homedir, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { type SegmentSizes, segmentSizes } from '../../cas/generation.ts'
import { layoutOf } from '../../cas/layout.ts'
import type { Store } from '../../cas/store.ts'
import { openStore } from '../../cas/store.ts'
import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import { codeObjects } from '../engine/code/codeObjects.ts'
import { findProject, isInProject, type ProjectPlace } from '../engine/code/findProject.ts'
import { type LoadedProject, loadProject } from '../engine/code/loadProject.ts'
import { StoredProjectCode } from '../engine/code/projectCode.ts'
import { type ResolvedConfig, resolveConfig } from '../engine/config.ts'
import { Engine } from '../engine/engine.ts'
import type { Job } from '../engine/executor/job.ts'
import { createLocalExecutor, type InspectOptions } from '../engine/executor/localExecutor.ts'
import type { ConfiguredPipeline, Pipeline, Project } from '../engine/graph.ts'
import type { Patience } from '../engine/run/options.ts'
import { parseInstant } from './instant.ts'
import { ProjectWatch } from './projectWatch.ts'

const dayMs = 86_400_000

export interface OpenOptions {
  readonly pipeline?: string | undefined
  readonly set?: readonly string[]
  readonly asOf?: string | undefined
  readonly offline?: boolean
  /** Writes nothing under the root. Where there is no store yet, an empty one elsewhere stands for it until it closes. */
  readonly readOnly?: boolean
  /** Worker threads for pure tasks; as many as cores by default. */
  readonly workers?: number | undefined
  /** Nodes to be shown to a debugger. */
  readonly inspect?: Omit<InspectOptions, 'inspectionOf'> | undefined
}

/** The process's own facts, handed in by the command's edge. */
export interface Surroundings {
  /** Absolute. */
  readonly cwd: string
  /** From --root, absolute. */
  readonly root: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly nowMs: () => number
}

/** By what the store was found: `--root` or PIPE_ROOT, the project around, or nothing of these. */
export type RootFrom = 'named' | 'project' | 'home'

/** A store without a project: for commands that only ask about what is kept. */
export interface Root {
  readonly root: string
  readonly rootFrom: RootFrom
  readonly store: Store
  close(): Promise<void>
}

/** Everything a command works with. */
export interface World extends Root {
  readonly project: LoadedProject
  readonly pipeline: Pipeline
  readonly config: ResolvedConfig
  readonly engine: Engine
  readonly code: StoredProjectCode
  readonly asOfMs: number
  /** The grid `now` was floored to; nothing where an instant was named. */
  readonly asOfGridMs: number | undefined
  readonly watch: ProjectWatch
  /** Of the store's records, from before it was opened. */
  readonly segments: SegmentSizes
}

/** The one place where store, project, code, executor and engine are put together. */
export async function openWorld(surroundings: Surroundings, options: OpenOptions = {}): Promise<World> {
  const { nowMs } = surroundings
  const watch = new ProjectWatch()
  const { project, root } = await watch.during(() => openProject(surroundings))
  const declared = checkProject(project)
  const configured = pickPipeline(declared, options.pipeline)
  const config = await watch.during(() =>
    resolveConfig(configured, options.set ?? [], (value) => project.originOf(value)?.exportName),
  )
  const asOfGridMs = declared.asOfGridMs ?? dayMs
  const asOfMs = asOfFor(options.asOf, asOfGridMs, nowMs())
  const segments = segmentSizes(root)
  const standIn = options.readOnly === true && !hasStore(root) ? mkdtempSync(join(tmpdir(), 'pipe-empty-')) : undefined
  const storeRoot = standIn ?? root
  const store = openStore(storeRoot, {
    create: standIn !== undefined || options.readOnly !== true,
    readOnly: standIn === undefined && options.readOnly === true,
    clock: nowMs,
  })
  const code = new StoredProjectCode(codeObjects(project, { root: storeRoot }), project.dir)
  const workers = options.workers ?? availableParallelism()
  const memoryMb = declared.memoryMb ?? Math.floor((totalmem() / 2 ** 20) * 0.75)
  const engine = new Engine({
    store,
    pipeline: configured.pipeline,
    config,
    code,
    limits: declared.limits ?? {},
    memoryMb,
    patience: patienceOf(declared),
    slots: workers,
    createExecutor: () =>
      createLocalExecutor({
        workers,
        memoryMb,
        stagingDir: store.stagingDir,
        resolvePackage: (name, version) => code.packageDir(name, version),
        mapStack: (digest, stack) => code.mapStack(digest, stack),
        ...(options.inspect === undefined
          ? {}
          : { inspect: { ...options.inspect, inspectionOf: (job: Job) => code.inspectionOf(job) } }),
      }),
    watch: (work) => watch.during(work),
    wallMs: nowMs,
  })
  return {
    root,
    rootFrom: givenRoot(surroundings) === undefined ? 'project' : 'named',
    store,
    project,
    pipeline: configured.pipeline,
    config,
    engine,
    code,
    watch,
    segments,
    asOfGridMs: options.asOf === undefined ? asOfGridMs : undefined,
    asOfMs,
    async close() {
      await store.close()
      if (standIn !== undefined) rmSync(standIn, { recursive: true, force: true })
    },
  }
}

/** Opens the store a command means: --root, else PIPE_ROOT, else the root of the project around, else ~/.pipe. */
export async function openRoot(
  surroundings: Surroundings,
  options: { readonly create?: boolean; readonly readOnly?: boolean } = {},
): Promise<Root> {
  const { root, rootFrom } = await findRoot(surroundings)
  try {
    const store = openStore(root, {
      create: options.create === true,
      readOnly: options.readOnly === true,
      clock: surroundings.nowMs,
    })
    return { root, rootFrom, store, close: () => store.close() }
  } catch (error) {
    throw rootFrom === 'home' && !hasStore(root) ? neitherHereNorAtHome(surroundings.cwd, root) : error
  }
}

async function findRoot(surroundings: Surroundings): Promise<{ root: string; rootFrom: RootFrom }> {
  const given = givenRoot(surroundings)
  if (given !== undefined) return { root: given, rootFrom: 'named' }
  const project = await openProjectIfAny(surroundings)
  if (project !== undefined) return { root: project.root, rootFrom: 'project' }
  return { root: homeRoot(surroundings), rootFrom: 'home' }
}

const neitherHereNorAtHome = (cwd: string, root: string): Fault =>
  new Fault({
    code: 'noStore',
    what: `there is no project in ${cwd} or above it, and no store in the home folder`,
    where: root,
    todo: 'go to your project, name a store with --root, or make a project here with "pipe init"',
  })

/** A project that is broken says so: its store must not be mistaken for the one in the home folder. */
async function openProjectIfAny(surroundings: Surroundings): Promise<{ root: string } | undefined> {
  return isInProject(surroundings.cwd) ? openProject(surroundings) : undefined
}

/** Loads the project around the current folder, and says where its store is. */
export async function openProject(
  surroundings: Surroundings,
): Promise<{ project: LoadedProject; place: ProjectPlace; root: string }> {
  const place = findProject(surroundings.cwd)
  const given = givenRoot(surroundings)
  // Where the store is stands in the config; until that is read, its bundle is cached in the user's cache folder. A
  // folder that holds no store yet may be a typo, and gets no file from reading a config.
  const cacheIn = given !== undefined && hasStore(given) ? given : cacheRoot(surroundings)
  const project = await loadProject(place, { root: cacheIn })
  const { root } = (project.config ?? {}) as Partial<Project>
  return { project, place, root: given ?? (root === undefined ? homeRoot(surroundings) : resolve(place.dir, root)) }
}

/** Whatever cannot be looked at may be one: opening it says what is wrong. */
function hasStore(root: string): boolean {
  try {
    return statSync(layoutOf(root).formatFile, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true
  }
}

const givenRoot = ({ cwd, root, env }: Surroundings): string | undefined =>
  root ?? (env['PIPE_ROOT'] === undefined || env['PIPE_ROOT'] === '' ? undefined : resolve(cwd, env['PIPE_ROOT']))

const homeRoot = ({ env }: Surroundings): string => join(env['HOME'] ?? homedir(), '.pipe')

const cacheRoot = ({ env }: Surroundings): string =>
  join(env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache'), 'tickpipe')

/** The default export of a config file was written by a person: it is looked at before it is believed. */
function checkProject({ config, configFile }: LoadedProject): Project {
  const pipelines = (config as Partial<Project> | null)?.pipelines
  const isConfigured = (entry: unknown): boolean =>
    typeof (entry as ConfiguredPipeline | null)?.pipeline?.build === 'function'
  if (!Array.isArray(pipelines) || pipelines.length === 0 || !pipelines.every(isConfigured)) {
    throw new Fault({
      code: 'usage',
      what: 'its default export is not a project with pipelines',
      where: configFile,
      todo: 'export default defineProject({ pipelines: [withConfig(pipeline, { … })] })',
    })
  }
  return config as Project
}

function patienceOf({ timeoutMs, silenceMs }: Project): Partial<Patience> {
  return { ...(timeoutMs === undefined ? {} : { timeoutMs }), ...(silenceMs === undefined ? {} : { silenceMs }) }
}

function pickPipeline({ pipelines }: Project, name: string | undefined): ConfiguredPipeline {
  if (name === undefined) return pipelines[0]!
  const found = pipelines.find(({ pipeline }) => pipeline.name === name)
  if (found !== undefined) return found
  const names = pipelines.map(({ pipeline }) => pipeline.name)
  throw new Fault({
    code: 'usage',
    what: `there is no pipeline "${name}"${didYouMean(name, names)}`,
    todo: `it is one of: ${names.join(', ')}`,
  })
}

/** Resolved once, here at the edge; only `now` is floored to the grid, an instant that was named is taken as it is. */
function asOfFor(asOf: string | undefined, gridMs: number, nowMs: number): number {
  return asOf === undefined ? Math.floor(nowMs / gridMs) * gridMs : parseInstant(asOf, '--as-of')
}
