import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeAnyTable } from '../../lib/tables/parquet.ts'
import { absentType, type Manifest, type ManifestNode } from '../../snapshots/manifest.ts'
import type { ComparedNode } from '../../snapshots/nodeChange.ts'
import type { DataProblem, RebuildInput, StoredArtifact, VerifyHands } from '../../snapshots/verifyLevel.ts'
import { parseCodeBundle } from '../engine/code/codeObject.ts'
import { layOutPackages } from '../engine/code/packageClosure.ts'
import type { CodeRef, Executor, JobArtifact, JobInput } from '../engine/executor/job.ts'
import { createLocalExecutor } from '../engine/executor/localExecutor.ts'
import { firstDifference } from '../engine/run/firstDifference.ts'
import type { Context, Digest, Store } from './context.ts'

/** What checking a snapshot needs of the present program: readers of artifacts, an executor of stored code, today's
 *  project. Whoever makes them closes them. */
export interface Hands extends Required<VerifyHands> {
  close(): Promise<void>
}

export function makeHands(context: Context, store: Store, workers: number | undefined): Hands {
  const rebuilding = new Rebuilding(store, workers ?? availableParallelism())
  return {
    readArtifact: async (artifact) => readArtifact(artifact),
    diffArtifacts: async (recorded, rebuilt) => firstDifference(recorded, rebuilt),
    execute: (node, inputs) => rebuilding.execute(node, inputs),
    current: (manifest) => currentNodes(context, manifest),
    close: () => rebuilding.close(),
  }
}

/** Tables are decoded whole, which checks their structure; their rows must count what the descriptor says. */
function readArtifact(artifact: StoredArtifact): DataProblem[] {
  const problems: DataProblem[] = []
  for (const { name, path, rows } of artifact.files) {
    if (name.endsWith('.parquet')) {
      const { rowCount } = decodeAnyTable(readFileSync(path))
      if (rows !== undefined && rows !== rowCount) {
        problems.push({ severity: 'error', what: `${name} has ${rowCount} rows; its descriptor says ${rows}` })
      }
    } else if (name.endsWith('.json')) {
      try {
        JSON.parse(readFileSync(path, 'utf8'))
      } catch (error) {
        problems.push({
          severity: 'error',
          what: `${name} is not JSON: ${error instanceof Error ? error.message : error}`,
        })
      }
    }
  }
  return problems
}

/** Executes nodes from their stored code, with packages laid out from the store: today's node_modules have no say. */
class Rebuilding {
  private readonly store: Store
  private readonly workers: number
  private readonly packageDirs = new Map<string, string>()
  private readonly laidOut = new Set<Digest>()
  private folder: string | undefined
  private executor: Executor | undefined

  constructor(store: Store, workers: number) {
    this.store = store
    this.workers = workers
  }

  async execute(node: ManifestNode, inputs: Readonly<Record<string, RebuildInput>>) {
    if (!('run' in node.code)) throw new TypeError('only pure nodes are rebuilt')
    const code = this.codeRef(node.code.run)
    const ports = Object.entries(node.code.ports ?? {}).map(([port, digest]) => [port, this.codeRef(digest)] as const)
    this.executor ??= createLocalExecutor({
      workers: this.workers,
      stagingDir: this.store.readOnly ? this.ownFolder() : this.store.stagingDir,
      resolvePackage: (name, version) => this.packageDirs.get(`${name}@${version}`)!,
    })
    const result = await this.executor.execute(
      {
        address: node.address,
        task: node.task,
        code,
        ports: Object.fromEntries(ports),
        // Canonical already: a manifest is canonical JSON, and parsing keeps the order of its keys.
        paramsJson: JSON.stringify(node.params),
        inputs: Object.fromEntries(Object.entries(inputs).map(([port, input]) => [port, jobInput(input)])),
      },
      new AbortController().signal,
    )
    return { type: result.type, files: result.files }
  }

  async close(): Promise<void> {
    await this.executor?.close()
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true })
  }

  private ownFolder(): string {
    this.folder ??= mkdtempSync(join(tmpdir(), 'pipe-rebuild-'))
    return this.folder
  }

  private codeRef(digest: Digest): CodeRef {
    if (!this.laidOut.has(digest)) {
      this.laidOut.add(digest)
      this.layOut(digest)
    }
    const path = this.store.locate(digest)!
    return { digest, path, finalPath: path }
  }

  private layOut(digest: Digest): void {
    const { packages } = parseCodeBundle(this.store.readObject(digest))
    if (packages.length === 0) return
    const target = join(this.ownFolder(), digest)
    const dirs = layOutPackages(packages, (object) => this.store.readObject(object), target)
    for (const [name, dir] of Object.entries(dirs)) this.packageDirs.set(name, dir)
  }
}

/** As the run had it: what a source did not have is undefined, and left out of a list. */
function jobInput(input: RebuildInput): JobInput {
  if (input.kind === 'many') {
    return { kind: 'many', artifacts: input.artifacts.filter((artifact) => !isNothing(artifact)).map(jobArtifact) }
  }
  if (input.kind === 'absent' || isNothing(input.artifact)) return { kind: 'absent' }
  return { kind: 'one', artifact: jobArtifact(input.artifact) }
}

const isNothing = ({ type }: StoredArtifact): boolean => type === absentType

/** What is verified lies where it stays. */
function jobArtifact({ id, type, files, descriptor }: StoredArtifact): JobArtifact {
  const digests = new Map(descriptor.files.map(({ name, digest }) => [name, digest]))
  return { id, type, files: files.map((file) => ({ ...file, digest: digests.get(file.name)!, finalPath: file.path })) }
}

/** What the project around would make now of the targets of a snapshot, as far as that is known without a run. */
async function currentNodes(context: Context, manifest: Manifest): Promise<ComparedNode[]> {
  const world = await context.openWorld({ pipeline: manifest.pipeline, readOnly: true, offline: true })
  try {
    const targets = manifest.targets.map((target) => target.name)
    const { walk } = await world.engine.plan(targets, {
      asOfMs: manifest.asOfMs,
      frozen: { name: 'the snapshot', manifest },
    })
    return [...walk.states.values()].flatMap(({ spec, node }) => {
      if (spec === undefined || node.task.kind === 'sink') return []
      return [{ ...spec, address: node.address }]
    })
  } finally {
    await world.close()
  }
}
