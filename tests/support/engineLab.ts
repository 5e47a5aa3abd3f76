import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalJson, parseCanonicalJson } from '../../cas/canonicalJson.ts'
import { type Digest, digestOf } from '../../cas/digest.ts'
import { stageBytes } from '../../cas/staging.ts'
import { openStore, type Store } from '../../cas/store.ts'
import { Engine, type EngineCode, type FinishedRun, type RunAsk } from '../../pipeline/engine/engine.ts'
import type { RunEvent } from '../../pipeline/engine/event.ts'
import type { Executor, Job, JobArtifact, JobResult } from '../../pipeline/engine/executor/job.ts'
import { readPlaced } from '../../pipeline/engine/executor/movedFile.ts'
import type { Pipeline } from '../../pipeline/engine/graph.ts'
import type { OutputFile, PureTask, Task } from '../../pipeline/engine/task.ts'
import type { Plan } from '../../pipeline/engine/verdict.ts'
import type { GraphNode } from '../../pipeline/engine/walk/nodes.ts'
import { filesOf } from './runTask.ts'

/** An engine over a real store whose tasks run in this process and whose code identities the test sets by hand. */
export class EngineLab {
  readonly root = mkdtempSync(join(tmpdir(), 'tickpipe-lab-'))
  store: Store
  readonly executed: string[] = []
  readonly events: RunEvent[] = []
  /** Code identity by task name; change it to play an edit. */
  readonly code = new Map<string, string>()
  /** Part of every code identity: keeps the histories of a shared lab apart. */
  generation = ''
  nowMs = 1_700_000_000_000
  private runs = 0

  constructor() {
    this.store = openStore(this.root, { create: true, durability: 'none' })
  }

  engine(pipeline: Pipeline, config: unknown = {}, limits: Readonly<Record<string, number>> = {}): Engine {
    const tasks = new Map<string, PureTask>()
    return new Engine({
      store: this.store,
      pipeline,
      config: { value: pipeline.config.parse(config), shown: config },
      code: this.projectCode(tasks),
      limits,
      memoryMb: 4096,
      slots: 2,
      createExecutor: () => new InProcessExecutor(tasks, this.store.stagingDir, this.executed),
      watch: async (work) => work(),
      wallMs: () => this.nowMs,
    })
  }

  async plan(
    pipeline: Pipeline,
    targets: readonly string[],
    ask: Partial<RunAsk> = {},
    config: unknown = {},
  ): Promise<Plan> {
    return (await this.engine(pipeline, config).plan(targets, { asOfMs: 0, ...ask })).plan
  }

  async run(
    pipeline: Pipeline,
    targets: readonly string[],
    ask: Partial<RunAsk> = {},
    config: unknown = {},
  ): Promise<FinishedRun> {
    this.executed.length = 0
    this.events.length = 0
    return this.engine(pipeline, config).run(targets, {
      asOfMs: 0,
      runId: `run-${String(this.runs++).padStart(4, '0')}`,
      rerunCommand: (address) => `pipe run '${address}'`,
      emit: (event) => this.events.push(event),
      stop: new AbortController().signal,
      stopNow: new AbortController().signal,
      ...ask,
    })
  }

  /** The decoded JSON of a node's artifact in a finished run. */
  value(run: FinishedRun, address: string): unknown {
    const node = run.manifest?.nodes.find((candidate) => candidate.address === address)
    if (node === undefined) throw new Error(`no node ${address} in the manifest`)
    return parseCanonicalJson(
      Buffer.from(this.store.readObject(this.store.readDescriptor(node.artifact).files[0]!.digest)).toString(),
    )
  }

  async reopen(): Promise<void> {
    await this.store.close()
    this.store = openStore(this.root, { durability: 'none' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close()
    rmSync(this.root, { recursive: true, force: true })
  }

  private projectCode(tasks: Map<string, PureTask>): EngineCode {
    const identity = (name: string): Digest =>
      digestOf(`${this.generation} code of ${name}: ${this.code.get(name) ?? 'first'}`)
    return {
      prepare: async (nodes: readonly GraphNode[]) => {
        for (const { task } of nodes) if (task.kind === 'pure') tasks.set(task.name, task)
      },
      ofTask: (task: Task) => identity(task.name),
      ofValue: (value: unknown) => identity((value as { name: string }).name),
      store: async (state) => ({
        code: { digest: identity(state.node.task.name), path: '', finalPath: '' },
        ports: {},
      }),
      explain: () => [],
    }
  }
}

/** Reads and writes JSON and files; no test of the engine itself needs a table. */
class InProcessExecutor implements Executor {
  readonly slots = 2
  private readonly tasks: ReadonlyMap<string, PureTask>
  private readonly stagingDir: string
  private readonly executed: string[]

  constructor(tasks: ReadonlyMap<string, PureTask>, stagingDir: string, executed: string[]) {
    this.tasks = tasks
    this.stagingDir = stagingDir
    this.executed = executed
  }

  async execute(job: Job): Promise<JobResult> {
    this.executed.push(job.address)
    const task = this.tasks.get(job.task)!
    const inputs = Object.fromEntries(
      Object.entries(job.inputs).map(([port, input]) => [
        port,
        input.kind === 'one'
          ? readArtifact(input.artifact)
          : input.kind === 'many'
            ? input.artifacts.map(readArtifact)
            : undefined,
      ]),
    )
    const value = await task.run(inputs as never, parseCanonicalJson(job.paramsJson) as never, {
      seed: (stream) => digestOf(`${job.task} ${stream}`).slice(0, 16),
      log: () => {},
    })
    const made =
      task.output.form === 'files'
        ? (value as readonly OutputFile[])
        : [{ name: 'value.json', bytes: canonicalJson(value) }]
    return {
      type: task.output.name,
      files: made.map(({ name, bytes }) => ({ name, staged: stageBytes(this.stagingDir, bytes) })),
      log: [],
      wallMs: 1,
      cpuMs: 1,
      peakRssMb: 1,
    }
  }

  async close(): Promise<void> {}
}

function readArtifact({ files }: JobArtifact): unknown {
  if (files[0]!.name === 'value.json') return parseCanonicalJson(readPlaced(files[0]!).toString())
  return filesOf(Object.fromEntries(files.map((file) => [file.name, readPlaced(file)])))
}
