import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { type Digest, digestOf } from '../../cas/digest.ts'
import type { Store } from '../../cas/store.ts'
import type { FaultCode } from '../../lib/fault.ts'
import { type Manifest, manifestTexts } from '../../snapshots/manifest.ts'
import type { ResolvedConfig } from './config.ts'
import type { RunEvent } from './event.ts'
import type { CodeRef, Executor } from './executor/job.ts'
import type { Pipeline } from './graph.ts'
import { History } from './run/history.ts'
import { forbidExit } from './run/noExit.ts'
import type { Patience, RunOutcome } from './run/options.ts'
import { Run } from './run/run.ts'
import type { CodeChange } from './verdict.ts'
import { type CodeIdentities, type KnowledgeOptions, StoreKnowledge } from './walk/knowledge.ts'
import { NodeGraph } from './walk/nodes.ts'
import { type PlannedWalk, planTargets } from './walk/plan.ts'
import { Reasons } from './walk/reasons.ts'
import { unmatchedPatterns } from './walk/unmatched.ts'
import type { NodeState } from './walk/walk.ts'

/** The code of a project as the engine needs it: identities to build keys, objects to run. */
export interface EngineCode extends CodeIdentities {
  /** Stores what a node's code consists of, once, and says where the executor reads it. */
  store(
    state: NodeState,
    store: Store,
  ): Promise<{ readonly code: CodeRef; readonly ports: Readonly<Record<string, CodeRef>> }>
  explain(store: Store, before: Digest, after: Digest): readonly CodeChange[]
}

export interface EngineParts {
  readonly store: Store
  readonly pipeline: Pipeline
  readonly config: ResolvedConfig
  readonly code: EngineCode
  readonly limits: Readonly<Record<string, number>>
  readonly memoryMb: number
  readonly patience?: Partial<Patience>
  readonly slots: number
  /** Around the project's own build function: whoever remembers answers watches there what it looks at. */
  watch<T>(work: () => T): Promise<T>
  /** Made only when something has to be executed. */
  createExecutor(): Executor
  readonly wallMs: () => number
}

/** What is asked of a plan or a run besides its targets. */
export interface Ask {
  readonly asOfMs: number
  readonly force?: readonly string[]
  readonly refresh?: readonly string[]
  readonly offline?: boolean
  /** An existing snapshot: only its observations count, and the network is closed. */
  readonly frozen?: { readonly name: string; readonly manifest: Manifest }
  /** An existing snapshot whose observations come first. */
  readonly from?: Manifest
}

export interface RunAsk extends Ask {
  readonly keepGoing?: boolean
  /** Whoever pins the run wants everything in it whole, and not only what was read. */
  readonly isToBePinned?: boolean
  /** The address of a node that is executed even if it is recorded, and before all others that can run. */
  readonly first?: string
  readonly runId: string
  rerunCommand(address: string): string
  emit(event: RunEvent): void
  readonly stop: AbortSignal
  readonly stopNow: AbortSignal
  readonly stopGraceMs?: number
}

export interface FinishedRun extends RunOutcome {
  readonly runId: string
  readonly manifestId?: Digest
  /** How the command ends. */
  readonly status: FaultCode | 'ok'
}

const patienceDefault: Patience = { timeoutMs: 3_600_000, silenceMs: 120_000 }

/** Plans and runs the targets of one pipeline with one config against one store. */
export class Engine {
  readonly history: History
  private readonly parts: EngineParts

  constructor(parts: EngineParts) {
    this.parts = parts
    parts.store.rememberChecked()
    this.history = new History(parts.store.root)
  }

  /** Target names, in the order they were declared. */
  async targets(): Promise<string[]> {
    return [...(await this.newGraph()).targets.keys()]
  }

  async plan(targets: readonly string[], ask: Ask): Promise<PlannedWalk & { readonly warnings: readonly string[] }> {
    const { pipeline, slots } = this.parts
    const graph = await this.newGraph()
    const knowledge = this.knowledge(ask)
    const planned = await planTargets({
      pipeline: pipeline.name,
      graph,
      targets,
      knowledge,
      reasons: this.reasons(knowledge),
      history: this.history,
      slots,
      snapshot: ask.frozen?.name,
    })
    return { ...planned, warnings: unmatchedPatterns(graph, ask) }
  }

  async run(targets: readonly string[], ask: RunAsk): Promise<FinishedRun> {
    const { parts } = this
    const { store, pipeline } = parts
    const startMs = performance.now()
    const graph = await this.newGraph()
    checkNames(targets, graph)
    const runDir = join(store.root, 'runs', ask.runId)
    mkdirSync(runDir, { recursive: true })
    const logPath = join(runDir, 'log')
    const asked = {
      kind: 'run started',
      run: ask.runId,
      pipeline: pipeline.name,
      targets,
      asOfMs: ask.asOfMs,
      logPath,
      slots: parts.slots,
      limits: parts.limits,
    } as const
    ask.emit({ ...asked, elapsedMs: 0, ...(ask.frozen === undefined ? {} : { snapshot: ask.frozen.name }) })

    const lease = store.openLease(`run ${ask.runId}`)
    const executor = lazyExecutor(parts)
    const allowExit = forbidExit()
    const knowledge = this.knowledge(ask, ask.first)
    try {
      const run = new Run({
        runId: ask.runId,
        pipeline: pipeline.name,
        config: parts.config.shown,
        graph,
        targets,
        knowledge,
        reasons: this.reasons(knowledge),
        store,
        executor,
        lease,
        history: this.history,
        limits: parts.limits,
        memoryMb: parts.memoryMb,
        patience: { ...patienceDefault, ...parts.patience },
        keepGoing: ask.keepGoing === true,
        isToBePinned: ask.isToBePinned === true,
        ...(ask.first === undefined ? {} : { first: ask.first }),
        ...(ask.frozen === undefined ? {} : { snapshot: ask.frozen.name }),
        logPath,
        storeCode: (state) => parts.code.store(state, store),
        rerunCommand: ask.rerunCommand,
        emit: ask.emit,
        stop: ask.stop,
        stopNow: ask.stopNow,
        ...(ask.stopGraceMs === undefined ? {} : { stopGraceMs: ask.stopGraceMs }),
        monotonicMs: () => performance.now(),
        wallMs: parts.wallMs,
      })
      const outcome = await run.execute()
      for (const collection of graph.collections)
        if (collection.parts !== undefined) this.history.setWidth(collection.id, collection.parts.length)
      this.history.save()
      for (const message of unmatchedPatterns(graph, ask))
        ask.emit({ kind: 'warning', elapsedMs: performance.now() - startMs, message })
      const id = outcome.manifest === undefined ? undefined : this.writeManifest(runDir, outcome.manifest)
      ask.emit({
        kind: 'run finished',
        elapsedMs: performance.now() - startMs,
        outcome: outcome.outcome,
        counts: outcome.counts,
        ...(id === undefined ? {} : { manifest: id }),
      })
      const rechecks = [outcome.nextRecheckAtMs, knowledge.nextRecheckAtMs].filter((ms) => ms !== undefined)
      return {
        ...outcome,
        ...(rechecks.length === 0 ? {} : { nextRecheckAtMs: Math.min(...rechecks) }),
        runId: ask.runId,
        status: statusOf(outcome),
        ...(id === undefined ? {} : { manifestId: id }),
      }
    } finally {
      allowExit()
      lease.close()
      await executor.close()
    }
  }

  private writeManifest(runDir: string, manifest: Manifest): Digest {
    // The id is the hash of these bytes: making them twice would be noticed in a large graph.
    const bytes = Buffer.concat(Array.from(manifestTexts(manifest), (text) => Buffer.from(text)))
    writeFileSync(join(runDir, 'manifest.json'), bytes)
    return digestOf(bytes)
  }

  private async newGraph(): Promise<NodeGraph> {
    const { pipeline, config, watch } = this.parts
    return watch(() => new NodeGraph(pipeline, config.value))
  }

  private knowledge(ask: Ask, forcedAddress?: string): StoreKnowledge {
    const options: KnowledgeOptions = {
      asOfMs: ask.asOfMs,
      nowMs: this.parts.wallMs(),
      force: ask.force ?? [],
      refresh: ask.refresh ?? [],
      ...(forcedAddress === undefined ? {} : { forcedAddress }),
      offline: ask.offline === true,
      ...(ask.frozen === undefined ? {} : { frozen: ask.frozen.manifest }),
      ...(ask.from === undefined ? {} : { from: ask.from }),
    }
    return new StoreKnowledge(this.parts.store, this.parts.code, options)
  }

  private reasons(knowledge: StoreKnowledge): Reasons {
    const { store, code, pipeline } = this.parts
    return new Reasons({
      store,
      knowledge,
      previous: lastManifest(store.root, pipeline.name),
      explainCode: (before, after) => code.explain(store, before, after),
    })
  }
}

/** A name without brackets is in the graph from the start or nowhere. Said before anything is written: a typo leaves no
 *  folder of a run that never was. */
function checkNames(targets: readonly string[], graph: NodeGraph): void {
  for (const name of targets) if (!name.includes('[')) graph.find(name)
}

/** The manifest of the newest run of a pipeline that was finished by now. Run ids begin with their time, so names order
 *  them. It is read when first asked for: where nothing runs nobody asks. */
function lastManifest(root: string, pipeline: string): () => Manifest | undefined {
  const names = runNames(root).reverse()
  return () => {
    for (const name of names) {
      try {
        const manifest = JSON.parse(readFileSync(join(root, 'runs', name, 'manifest.json'), 'utf8')) as Manifest
        if (manifest.pipeline === pipeline) return manifest
      } catch {
        // Interrupted runs have no manifest, and a torn one only costs better reasons.
      }
    }
    return undefined
  }
}

function runNames(root: string): string[] {
  try {
    return readdirSync(join(root, 'runs')).sort()
  } catch {
    return []
  }
}

function statusOf(outcome: RunOutcome): FaultCode | 'ok' {
  switch (outcome.outcome) {
    case 'ok':
      return 'ok'
    case 'partial':
      return 'partial'
    case 'interrupted':
      return 'interrupted'
    case 'disputed':
      return 'nondeterministic'
    case 'failed': {
      // A failure that has its own exit status keeps it; anything else is a failed task.
      const codes = new Set(outcome.failures.map(({ failure }) => failure.code))
      for (const code of ['nondeterministic', 'missingSource', 'corrupt'] as const) if (codes.has(code)) return code
      return 'failed'
    }
  }
}

/** Worker threads cost time and memory: none is started for a run with nothing to execute. */
function lazyExecutor({ createExecutor, slots }: EngineParts): Executor {
  let made: Executor | undefined
  return {
    slots,
    execute: (job, signal) => (made ??= createExecutor()).execute(job, signal),
    close: async () => made?.close(),
  }
}
