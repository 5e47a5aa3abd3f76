import assert from 'node:assert/strict'
import { canonicalJson, parseCanonicalJson } from '../../cas/canonicalJson.ts'
import type { Digest } from '../../cas/digest.ts'
import { short } from '../../cas/digest.ts'
import type { Lease, LiveLease } from '../../cas/leases.ts'
import type { Store } from '../../cas/store.ts'
import { Fault } from '../../lib/fault.ts'
import { absentType, type Manifest, type ManifestNode } from '../../snapshots/manifest.ts'
import { Admission } from './admission.ts'
import type { Decision } from './decide.ts'
import type { NodeFailure, RunCounts, RunEvent } from './event.ts'
import { expectedTails, familyGraph } from './families.ts'
import type { History } from './history.ts'
import type { CodeRef, Executor, Job, JobArtifact, JobInput } from './job.ts'
import { Materials, stageOutput } from './materials.ts'
import type { NodeGraph } from './nodes.ts'
import { placeOf } from './objectPlace.ts'
import { type Made, publish } from './publish.ts'
import { PriorityQueue } from './queue.ts'
import type { Reasons } from './reasons.ts'
import { runSource, SourceFailure } from './runSource.ts'
import { findTargets } from './targets.ts'
import { type Knowledge, type NodeState, Walk } from './walk.ts'

export interface RunOptions {
  readonly runId: string
  readonly pipeline: string
  readonly config: unknown
  readonly graph: NodeGraph
  readonly targets: readonly string[]
  readonly knowledge: Knowledge
  readonly reasons: Reasons
  readonly store: Store
  readonly executor: Executor
  readonly lease: Lease
  readonly history: History
  readonly limits: Readonly<Record<string, number>>
  readonly memoryMb: number
  readonly keepGoing: boolean
  readonly snapshot?: string
  readonly logPath: string
  /** Code objects as the executor reads them, stored when they are first needed. */
  storeCode(state: NodeState): Promise<{ readonly code: CodeRef; readonly ports: Readonly<Record<string, CodeRef>> }>
  rerunCommand(address: string): string
  emit(event: RunEvent): void
  /** Aborted by the first Ctrl-C: finish what runs, start nothing. */
  readonly stop: AbortSignal
  /** Aborted by the second: stop now. */
  readonly stopNow: AbortSignal
  /** Monotonic, for durations; and the wall clock, for provenance only. */
  readonly monotonicMs: () => number
  readonly wallMs: () => number
}

export interface RunOutcome {
  readonly outcome: 'ok' | 'failed' | 'partial' | 'interrupted' | 'disputed'
  readonly counts: RunCounts
  /** Only where every node has its artifact. */
  readonly manifest?: Manifest
  readonly failures: readonly { readonly address: string; readonly failure: NodeFailure }[]
  /** When the first absent source is due to be asked again: until then the same run has the same answer. */
  readonly nextRecheckAtMs?: number
  readonly disputes: readonly {
    readonly address: string
    readonly key: Digest
    readonly first: Digest
    readonly second: Digest
  }[]
}

/** One run: walks the graph, skips what is recorded, executes the rest, publishes as it goes. */
export class Run {
  private readonly options: RunOptions
  private readonly walk: Walk
  private readonly materials: Materials
  private readonly admission: Admission
  private readonly queues = new Map<string, PriorityQueue<NodeState>>()
  private readonly active = new Map<NodeState, Activity>()
  /** Two placements of one computation have one key: it is executed for the first, and the other takes the artifact. */
  private readonly owners = new Map<Digest, Activity>()
  private readonly listsStored = new Set<Digest>()
  private readonly failures: { address: string; failure: NodeFailure }[] = []
  private readonly disputes: { address: string; key: Digest; first: Digest; second: Digest }[] = []
  private readonly startedMs: number
  private readonly cached = new Set<NodeState>()
  private executed = 0
  private unchanged = 0
  private running = 0
  private halted = false
  private broken: unknown
  private tails = new Map<string, number>()
  private tailsOfNodes = 0
  private meanPureMs = 50
  private nextRecheckAtMs: number | undefined
  private nodesAnnounced = 0
  private pumping = false
  private pumpAgain = false
  private finished: (() => void) | undefined

  constructor(options: RunOptions) {
    this.options = options
    this.startedMs = options.monotonicMs()
    this.materials = new Materials(options.store)
    this.admission = new Admission(options.executor.slots, options.memoryMb, options.limits)
    this.walk = new Walk(options.graph, options.knowledge, false, {
      onDecided: (state, decision) => this.onDecided(state, decision),
      onSkipped: (state, after) =>
        this.emit({ kind: 'node skipped', address: state.node.address, after: after.node.address }),
    })
  }

  async execute(): Promise<RunOutcome> {
    const { options } = this
    const onStop = () => {
      this.halted = true
      void this.pump()
    }
    options.stop.addEventListener('abort', onStop)
    const { parts: targets } = await findTargets(options.targets, options.graph, this.walk, options.knowledge, () =>
      this.untilIdle(),
    )
    this.walk.start(targets)
    await this.untilIdle()
    if (!this.halted) {
      // What the user asked for must be here, and not only be known.
      for (const target of targets)
        for (const state of this.walk.statesOf(target)) if (!state.failed) this.walk.demand(state)
      await this.untilIdle()
    }
    options.stop.removeEventListener('abort', onStop)
    await options.store.flush()
    if (this.broken !== undefined) throw this.broken
    return this.outcome()
  }

  private async untilIdle(): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.finished = resolve
    })
    await this.pump()
    await idle
  }

  /** Decides, expands and starts all that can be. One at a time, for expanding may wait for code to be bundled. */
  private async pump(): Promise<void> {
    this.pumpAgain = true
    if (this.pumping) return
    this.pumping = true
    try {
      while (this.pumpAgain) {
        this.pumpAgain = false
        if (!this.halted) await this.walk.advance()
        if (this.walk.states.size !== this.nodesAnnounced) {
          this.nodesAnnounced = this.walk.states.size
          this.emit({ kind: 'graph grew', nodes: this.walk.states.size, unexpanded: this.walk.unexpanded })
        }
        this.dispatch()
      }
    } catch (error) {
      // A graph that cannot grow, or an unreadable list: nothing more can be decided.
      this.broken ??= error
      this.halted = true
    } finally {
      this.pumping = false
    }
    if (this.running === 0 && !this.pumpAgain && (this.halted || !this.hasQueued())) this.finished?.()
  }

  private hasQueued(): boolean {
    for (const queue of this.queues.values()) if (queue.size > 0) return true
    return false
  }

  private onDecided(state: NodeState, decision: Decision): void {
    const { address, task } = state.node
    switch (decision.kind) {
      case 'cached':
        this.cached.add(state)
        this.emit({ kind: 'node cached', address, task: task.name, artifact: decision.artifact })
        return
      case 'blocked':
        this.fail(state, this.blockedFault(state), 0)
        return
      case 'maybe':
        assert.fail(`a run decided ${address} before its inputs were known`)
        return
      case 'restore':
        this.cached.delete(state)
        this.prepare(state)
        return
      case 'run':
        this.prepare(state)
    }
  }

  /** Its inputs' bytes are demanded; it waits for those that have to be restored first. */
  private prepare(state: NodeState): void {
    const activity: Activity = { state, waitingFor: 0, waiters: [], twins: [], done: false }
    this.active.set(state, activity)
    const owner = this.owners.get(state.key!)
    if (owner === undefined) this.owners.set(state.key!, activity)
    else if (owner.done) {
      this.takeFromTwin(activity, owner)
      return
    } else {
      owner.twins.push(activity)
      return
    }
    for (const input of state.inputs) {
      for (const inner of input.states) {
        this.walk.demand(inner)
        const upstream = this.active.get(inner)
        if (upstream !== undefined && !upstream.done) {
          activity.waitingFor++
          upstream.waiters.push(activity)
        }
      }
    }
    if (activity.waitingFor === 0) this.enqueue(state)
  }

  private enqueue(state: NodeState): void {
    const name = this.admission.queueOf(state.node.task)
    let queue = this.queues.get(name)
    if (queue === undefined) this.queues.set(name, (queue = new PriorityQueue()))
    queue.push(state, this.tailOf(state.node.task.name))
  }

  private tailOf(task: string): number {
    const { graph, history } = this.options
    if (graph.nodes.size > this.tailsOfNodes * 1.25) {
      this.tailsOfNodes = graph.nodes.size
      this.tails = expectedTails(familyGraph(graph.nodes.values()), (name) => history.estimate(name)?.p50Ms ?? 1000)
    }
    return this.tails.get(task) ?? 0
  }

  private dispatch(): void {
    if (this.halted) return
    // Jobs of a few milliseconds are handed over several at a time; long ones one by one, so that the longest way stays first.
    const lookAhead = this.meanPureMs < 5 ? 4 : this.meanPureMs < 20 ? 2 : 1
    for (const queue of this.queues.values()) {
      for (
        let state = queue.peek();
        state !== undefined && this.admission.admits(state.node.task, lookAhead);
        state = queue.peek()
      ) {
        queue.pop()
        this.admission.enter(state.node.task)
        this.running++
        void this.carryOut(state)
      }
    }
  }

  /** Executes one node, or waits for the process that has it. Never rejects. */
  private async carryOut(state: NodeState): Promise<void> {
    const { lease } = this.options
    try {
      while (true) {
        const claim = lease.claim(state.key!)
        if (claim === 'mine') break
        this.emit({ kind: 'node waiting', address: state.node.address, on: ownerText(claim.heldBy) })
        await lease.waitFor(state.key!)
        if (this.takeFromOther(state)) return
        if (this.options.stop.aborted) return
      }
      // Others see the record only once it is durable: until then the key is still claimed.
      let durable: Promise<void> | undefined
      try {
        // Somebody may have finished it between our decision and our claim.
        if (state.decision?.kind === 'run' && state.decision.why === 'not recorded' && this.takeFromOther(state)) return
        durable = (await this.executeNode(state))?.durable
      } finally {
        const release = () => lease.release(state.key!)
        if (durable === undefined) release()
        else durable.then(release, release)
      }
    } catch (error) {
      if (this.options.stopNow.aborted) this.halted = true
      else this.fail(state, error, error instanceof SourceFailure ? error.attempts : 1)
    } finally {
      this.admission.leave(state.node.task)
      this.running--
      await this.pump()
    }
  }

  /** True when another process recorded this key meanwhile. */
  private takeFromOther(state: NodeState): boolean {
    const { store, knowledge } = this.options
    if (state.node.task.kind === 'source' && state.decision?.kind === 'run' && state.decision.why !== 'not recorded')
      return false
    store.records.refreshLightly()
    const recorded = knowledge.recorded(state.node, state.key!)
    if (recorded === undefined || recorded.recheckDue || knowledge.presence(recorded.artifact) !== 'present')
      return false
    this.cached.add(state)
    this.emit({
      kind: 'node cached',
      address: state.node.address,
      task: state.node.task.name,
      artifact: recorded.artifact,
    })
    this.complete(state, recorded.artifact)
    return true
  }

  /** Done when this process can read what it made; `durable` is when everybody can. */
  private async executeNode(state: NodeState): Promise<{ readonly durable: Promise<void> } | undefined> {
    const { node } = state
    const { options } = this
    const decision = state.decision!
    // Bytes that gc moved to the trash are taken back from there: cheaper than making them again.
    if (decision.kind === 'restore' && (await options.store.reclaim(decision.artifact))) {
      this.cached.add(state)
      this.emit({ kind: 'node healed', address: node.address, artifact: decision.artifact, what: decision.why })
      this.complete(state, decision.artifact)
      return undefined
    }
    const expectedMs = options.history.estimate(node.task.name)?.p50Ms
    this.emit({
      kind: 'node started',
      address: node.address,
      task: node.task.name,
      taskKind: node.task.kind,
      because: options.reasons.of(state, decision, []),
      ...(expectedMs === undefined ? {} : { expectedMs }),
      ...(node.task.limits?.group === undefined ? {} : { group: node.task.limits.group }),
    })
    const made = node.task.kind === 'pure' ? await this.executePure(state) : await this.executeHere(state)
    const published = publish(options.store, state, made, this.walk.lists, this.listsStored, options.wallMs())
    published.durable.catch((error: unknown) => {
      this.broken ??= error
      this.halted = true
    })
    options.history.add(node.task.name, made.wallMs, published.bytesOut, made.requests)
    if (made.recheckAfterMs !== undefined) {
      this.nextRecheckAtMs = Math.min(
        this.nextRecheckAtMs ?? Number.POSITIVE_INFINITY,
        options.wallMs() + made.recheckAfterMs,
      )
    }
    if (node.task.kind === 'pure') this.meanPureMs += (made.wallMs - this.meanPureMs) * 0.05
    if (published.disputedWith !== undefined) {
      await this.dispute(state, published.disputedWith, published.artifact)
      return { durable: published.durable }
    }
    if (decision.kind === 'restore' && decision.artifact !== published.artifact) throw this.otherAnswer(state)
    this.executed++
    const unchanged = options.reasons.previousArtifact(node.address) === published.artifact
    if (unchanged) this.unchanged++
    if (decision.kind === 'restore')
      this.emit({ kind: 'node healed', address: node.address, artifact: published.artifact, what: decision.why })
    this.emit({
      kind: 'node done',
      address: node.address,
      task: node.task.name,
      artifact: published.artifact,
      wallMs: made.wallMs,
      bytesOut: published.bytesOut,
      unchanged,
      ...(made.type === absentType ? { absent: 'the source has nothing here' } : {}),
    })
    this.complete(state, published.artifact)
    return { durable: published.durable }
  }

  /** The same key gave other bytes. The first record serves on, where its bytes are still here. */
  private async dispute(state: NodeState, first: Digest, second: Digest): Promise<void> {
    const { address } = state.node
    this.disputes.push({ address, key: state.key!, first, second })
    const difference = await this.differenceOf(first, second)
    this.emit({
      kind: 'node disputed',
      address,
      key: state.key!,
      first,
      second,
      ...(difference === undefined ? {} : { difference }),
    })
    this.executed++
    if (this.options.store.artifactPresence(first) === 'present') this.complete(state, first)
    else {
      throw new Fault({
        code: 'nondeterministic',
        what: `it was recorded as ${short(first)}, whose bytes are gone, and now gives ${short(second)}`,
        where: address,
        todo: `look at "pipe diff ${short(first)} ${short(second)}", then choose with "pipe resolve '${address}'"`,
      })
    }
  }

  /** In words, down to row and column; nothing where the bytes of one are gone. */
  private async differenceOf(first: Digest, second: Digest): Promise<string | undefined> {
    try {
      const { firstDifference } = await import('./firstDifference.ts')
      return firstDifference(this.jobArtifact(first), this.jobArtifact(second))
    } catch {
      return undefined
    }
  }

  private complete(state: NodeState, artifact: Digest): void {
    const activity = this.active.get(state)
    this.walk.settle(state, artifact)
    this.walk.bytesArrived(state)
    if (activity === undefined) return
    activity.done = true
    for (const waiter of activity.waiters) {
      waiter.waitingFor--
      if (waiter.waitingFor === 0 && !waiter.state.failed) this.enqueue(waiter.state)
    }
    for (const twin of activity.twins) this.takeFromTwin(twin, activity)
  }

  private takeFromTwin(twin: Activity, owner: Activity): void {
    const { state } = twin
    if (owner.state.failed) {
      this.emit({ kind: 'node skipped', address: state.node.address, after: owner.state.node.address })
      this.walk.settleFailed(state)
      this.failWaiters(state)
      return
    }
    const artifact = owner.state.artifact!
    this.cached.add(state)
    this.emit({ kind: 'node cached', address: state.node.address, task: state.node.task.name, artifact })
    this.complete(state, artifact)
  }

  private fail(state: NodeState, error: unknown, attempts: number): void {
    const failure = this.describeFailure(state, error, attempts)
    this.failures.push({ address: state.node.address, failure })
    this.emit({ kind: 'node failed', address: state.node.address, task: state.node.task.name, failure })
    if (!this.options.keepGoing) this.halted = true
    this.walk.settleFailed(state)
    this.failWaiters(state)
  }

  /** Nodes that were decided already and only waited for these bytes. */
  private failWaiters(state: NodeState): void {
    const activity = this.active.get(state)
    if (activity === undefined) return
    activity.done = true
    for (const twin of activity.twins) this.takeFromTwin(twin, activity)
    for (const waiter of activity.waiters) {
      if (waiter.state.failed) continue
      this.emit({ kind: 'node skipped', address: waiter.state.node.address, after: state.node.address })
      this.walk.settleFailed(waiter.state)
      this.failWaiters(waiter.state)
    }
  }

  private async executePure(state: NodeState): Promise<Made> {
    const { task } = state.node
    const { code, ports } = await this.options.storeCode(state)
    const job: Job = {
      address: state.node.address,
      task: task.name,
      code,
      ports,
      paramsJson: canonicalJson(state.node.params),
      inputs: Object.fromEntries(state.inputs.map((input) => [input.port, this.jobInput(input)])),
      ...(task.limits?.timeoutMs === undefined ? {} : { timeoutMs: task.limits.timeoutMs }),
      ...(task.limits?.memoryMb === undefined ? {} : { memoryMb: task.limits.memoryMb }),
      ...(task.limits?.isolate === undefined ? {} : { isolate: task.limits.isolate }),
    }
    const result = await this.options.executor.execute(job, this.options.stopNow)
    for (const line of result.log) this.emit({ kind: 'node log', address: state.node.address, line })
    return { ...result, requests: 0 }
  }

  private jobInput({ form, states }: NodeState['inputs'][number]): JobInput {
    if (form === 'none') return { kind: 'absent' }
    const artifacts = states
      .filter((state) => !this.materials.isAbsent(state.artifact!))
      .map((state) => this.jobArtifact(state.artifact!))
    if (form === 'many') return { kind: 'many', artifacts }
    return artifacts[0] === undefined ? { kind: 'absent' } : { kind: 'one', artifact: artifacts[0] }
  }

  private jobArtifact(artifact: Digest): JobArtifact {
    const { store } = this.options
    const { type, files } = store.readDescriptor(artifact)
    return {
      id: artifact,
      type,
      files: files.map(({ name, digest, sizeBytes }) => ({ name, sizeBytes, ...placeOf(store, digest) })),
    }
  }

  /** Sources and sinks run on this process's event loop. */
  private async executeHere(state: NodeState): Promise<Made> {
    const { node } = state
    const { options } = this
    const { task } = node
    assert.ok(task.kind !== 'pure')
    const inputs: Record<string, unknown> = {}
    for (const { port, states } of state.inputs) {
      inputs[port] = await this.materials.portValue(
        task.inputs![port]!,
        states.map((inner) => inner.artifact!),
        `${node.address}, input ${port}`,
      )
    }
    const params = task.params.parse(node.params)
    const onLog = (line: string) => this.emit({ kind: 'node log', address: node.address, line })
    const startMs = options.monotonicMs()
    if (task.kind === 'sink') {
      const receipt = await task.run(inputs, params, {
        signal: options.stopNow,
        idempotencyKey: state.key!,
        log: onLog,
      })
      const files = await stageOutput(options.store.stagingDir, task.output, receipt, node.address)
      return {
        type: task.output.name,
        files,
        wallMs: options.monotonicMs() - startMs,
        cpuMs: 0,
        peakRssMb: 0,
        requests: 0,
      }
    }
    const result = await runSource({
      task,
      address: node.address,
      inputs,
      params,
      asOfMs: options.knowledge.asOfMs,
      stagingDir: options.store.stagingDir,
      signal: options.stopNow,
      onRetry: (attempt, error) =>
        this.emit({ kind: 'node retried', address: node.address, attempt, error: error.message }),
      onProgress: (bytes, requests) => this.emit({ kind: 'node progress', address: node.address, bytes, requests }),
      onLog,
    })
    return {
      type: result.type,
      files: result.files,
      wallMs: options.monotonicMs() - startMs,
      cpuMs: 0,
      peakRssMb: 0,
      requests: result.requests,
      attempts: result.attempts,
      notes: result.notes,
      ...(result.absent?.recheckAfterMs === undefined ? {} : { recheckAfterMs: result.absent.recheckAfterMs }),
    }
  }

  private blockedFault(state: NodeState): Fault {
    const { snapshot } = this.options
    if (snapshot !== undefined) {
      return new Fault({
        code: 'missingSource',
        what: `the snapshot "${snapshot}" does not hold this source, and a frozen run fetches nothing`,
        where: state.node.address,
        todo: `make a new snapshot that takes over what ${snapshot} has: pipe run ${this.options.targets.join(' ')} --snapshot <new name> --from ${snapshot}`,
      })
    }
    return new Fault({
      code: 'missingSource',
      what: 'this source was never fetched, and --offline fetches nothing',
      where: state.node.address,
      todo: 'run once without --offline',
    })
  }

  /** A source's bytes were lost, and the world no longer gives the same. What was already decided rests on the old ones. */
  private otherAnswer(state: NodeState): Fault {
    return new Fault({
      code: 'corrupt',
      what: 'the bytes of this source are gone from the store, and the source now answers otherwise; the new answer is kept',
      where: state.node.address,
      todo: 'run it again to go on with the new answer',
    })
  }

  private describeFailure(state: NodeState, error: unknown, attempts: number): NodeFailure {
    const { options } = this
    const cause = error instanceof Error ? error : new Error(String(error))
    // A Fault's own stack shows only where it was noticed; what the task threw is its cause.
    const { stack } = cause instanceof Fault && cause.cause instanceof Error ? cause.cause : cause
    return {
      message: cause instanceof Fault && cause.todo !== undefined ? `${cause.message} (${cause.todo})` : cause.message,
      ...(stack === undefined ? {} : { stack }),
      code: cause instanceof Fault ? cause.code : 'failed',
      params: state.node.params,
      inputs: Object.fromEntries(
        state.inputs.map(({ port, states }) => [
          port,
          states.length === 1 ? (states[0]!.artifact ?? '-') : `${states.length} artifacts`,
        ]),
      ),
      attempts,
      logPath: options.logPath,
      rerun: options.rerunCommand(state.node.address),
    }
  }

  private outcome(): RunOutcome {
    const states = [...this.walk.states.values()]
    const incomplete = states.some((state) => state.artifact === undefined) || this.walk.unexpanded > 0
    const counts: RunCounts = {
      total: states.length,
      cached: this.cached.size,
      executed: this.executed,
      unchanged: this.unchanged,
      failed: this.failures.length,
      skipped: states.filter((state) => state.artifact === undefined).length - this.failures.length,
    }
    const outcome = this.outcomeWord(incomplete)
    assert.ok(!incomplete || outcome !== 'ok', 'a run that is not complete says why')
    return {
      outcome,
      counts,
      ...(incomplete || this.failures.length > 0 ? {} : { manifest: this.manifest(states) }),
      failures: this.failures,
      disputes: this.disputes,
      ...(this.nextRecheckAtMs === undefined ? {} : { nextRecheckAtMs: this.nextRecheckAtMs }),
    }
  }

  private outcomeWord(incomplete: boolean): RunOutcome['outcome'] {
    const { stop, stopNow, keepGoing } = this.options
    if (incomplete && (stop.aborted || stopNow.aborted)) return 'interrupted'
    if (this.failures.length > 0) return keepGoing && this.executed > 0 ? 'partial' : 'failed'
    return this.disputes.length > 0 ? 'disputed' : 'ok'
  }

  private manifest(states: readonly NodeState[]): Manifest {
    const { options } = this
    const nodes: ManifestNode[] = []
    for (const state of states) {
      // A sink pushes results out; what it pushed to is nobody's input and in no snapshot's id.
      if (state.node.task.kind === 'sink') continue
      const spec = parseCanonicalJson(state.spec!) as Omit<ManifestNode, 'address' | 'artifact'> & { format?: number }
      delete spec.format
      nodes.push({ ...spec, address: state.node.address, artifact: state.artifact! })
    }
    nodes.sort((a, b) => (a.address < b.address ? -1 : 1))
    return {
      format: 1,
      pipeline: options.pipeline,
      targets: [...new Set(options.targets)].sort().map((name) => ({ name, addresses: this.addressesOf(name) })),
      config: options.config,
      asOfMs: options.knowledge.asOfMs,
      nodes,
    }
  }

  private addressesOf(target: string): string[] {
    const states = this.options.graph.find(target).flatMap((part) => this.walk.statesOf(part))
    const addresses = states.filter(({ node }) => node.task.kind !== 'sink').map(({ node }) => node.address)
    return [...new Set(addresses)].sort()
  }

  private emit(event: DistributiveOmit<RunEvent, 'elapsedMs'>): void {
    this.options.emit({ ...event, elapsedMs: this.options.monotonicMs() - this.startedMs } as RunEvent)
  }
}

/** An execution from its decision to its bytes. */
interface Activity {
  readonly state: NodeState
  waitingFor: number
  readonly waiters: Activity[]
  readonly twins: Activity[]
  done: boolean
}

const ownerText = ({ owner, purpose }: LiveLease): string =>
  owner === undefined ? purpose : `process ${owner.pid} on ${owner.host} (${purpose})`

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
