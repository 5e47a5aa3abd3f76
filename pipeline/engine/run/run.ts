import assert from 'node:assert/strict'
import type { Digest } from '../../../cas/digest.ts'
import type { LiveLease } from '../../../cas/leases.ts'
import type { RunEvent } from '../event.ts'
import type { Decision } from '../walk/decide.ts'
import { findTargets } from '../walk/targets.ts'
import { type NodeState, Walk } from '../walk/walk.ts'
import { Admission } from './admission.ts'
import { Execution } from './execution.ts'
import { distrustedObject, isTrusted, lostInputs, unpinnable } from './healing.ts'
import { cachedEvent, doneEvent, startedEvent } from './nodeEvents.ts'
import { blockedFault, describeFailure, firstIsGone, otherAnswer } from './nodeFaults.ts'
import type { RunOptions, RunOutcome, UntimedEvent } from './options.ts'
import { publish } from './publish.ts'
import { Readers } from './readers.ts'
import { ReadyQueue } from './readyQueue.ts'
import { RemainingTime } from './remaining.ts'
import { SourceFailure, SourceStopped } from './source.ts'
import { Tally } from './tally.ts'

/** One run: walks the graph, skips what is recorded, executes the rest, publishes as it goes. */
export class Run {
  private readonly options: RunOptions
  private readonly walk: Walk
  private readonly execution: Execution
  private readonly admission: Admission
  private readonly ready: ReadyQueue
  private readonly tally = new Tally()
  private readonly active = new Map<NodeState, Activity>()
  /** Two placements of one computation have one key: it is executed for the first, and the other takes the artifact. */
  private readonly owners = new Map<Digest, Activity>()
  private readonly listsStored = new Set<Digest>()
  private readonly readers = new Readers()
  private readonly startedMs: number
  private readonly remaining: RemainingTime
  /** Executed a second time because what they read had to be healed. */
  private readonly retried = new Set<NodeState>()
  private running = 0
  private halted = false
  private broken: unknown
  private nodesAnnounced = 0
  private pumping = false
  private pumpAgain = false
  private finished: (() => void) | undefined

  constructor(options: RunOptions) {
    this.options = options
    this.startedMs = options.monotonicMs()
    this.execution = new Execution(options, this.readers, (event) => this.emit(event))
    this.admission = new Admission(options.executor.slots, options.memoryMb, options.limits)
    this.ready = new ReadyQueue(options, this.admission)
    this.remaining = new RemainingTime(options.history, options.executor.slots)
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
    // It also keeps the process alive while nothing but a source's own promise is waited for.
    const ticking = setInterval(() => this.announceRemaining(), 1000)
    try {
      await this.toTheEnd()
    } finally {
      clearInterval(ticking)
      options.stop.removeEventListener('abort', onStop)
    }
    await options.store.flush()
    if (this.broken !== undefined) throw this.broken
    return this.tally.outcome(this.walk, options)
  }

  private async toTheEnd(): Promise<void> {
    const { options } = this
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
      const lost = options.isToBePinned && !this.halted ? unpinnable(options.store, this.walk.states.values()) : []
      for (const state of lost) if (!this.active.has(state)) this.walk.demandAgain(state)
      await this.untilIdle()
    }
  }

  private announceRemaining(): void {
    const news = this.remaining.news(this.walk.states.values(), this.options.monotonicMs())
    if (news !== undefined) this.emit({ kind: 'progress expected', ...news })
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
        for (const artifact of this.options.knowledge.takeReclaimable()) await this.options.store.reclaim(artifact)
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
    if (this.running === 0 && !this.pumpAgain && (this.halted || this.ready.isEmpty)) this.finished?.()
  }

  private onDecided(state: NodeState, decision: Decision): void {
    const { address } = state.node
    switch (decision.kind) {
      case 'cached':
        this.tally.cached.add(state)
        this.emit(cachedEvent(state, decision.artifact))
        return
      case 'blocked':
        this.fail(state, blockedFault(state, this.options), 0)
        return
      case 'maybe':
        assert.fail(`a run decided ${address} before its inputs were known`)
        return
      case 'restore':
        this.tally.cached.delete(state)
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
    if (state.node.task.kind === 'pure') this.readers.enter(state)
    this.ready.add(state)
  }

  private dispatch(): void {
    if (this.halted) return
    for (const state of this.ready.takeAdmitted()) {
      this.running++
      void this.carryOut(state)
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
      if (this.options.stopNow.aborted || error instanceof SourceStopped) this.halted = true
      else if (!this.retryHealed(state, error)) {
        this.fail(state, error, error instanceof SourceFailure ? error.attempts : 1)
      }
    } finally {
      this.readers.leave(state)
      this.admission.leave(state.node.task)
      this.running--
      await this.pump()
    }
  }

  /** Where stored bytes could not be trusted, has them made again and executes the node once more behind them. A sink
   *  may have pushed something out already, so its next run does that. */
  private retryHealed(state: NodeState, error: unknown): boolean {
    const { store } = this.options
    const distrusted = distrustedObject(error)
    if (distrusted === undefined || state.node.task.kind === 'sink' || this.retried.has(state)) return false
    this.retried.add(state)
    // It may be no input but code, which is stored again when it is next asked for.
    isTrusted(store, distrusted)
    const activity = this.active.get(state)!
    for (const inner of lostInputs(store, state)) {
      if (this.active.get(inner)?.done !== false) {
        // Whoever made these bytes in this run has to make them again.
        this.owners.delete(inner.key!)
        if (!this.walk.demandAgain(inner)) return false
      }
      const upstream = this.active.get(inner)!
      if (upstream.done) continue
      activity.waitingFor++
      upstream.waiters.push(activity)
    }
    if (activity.waitingFor === 0) this.enqueue(state)
    return true
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
    this.tally.cached.add(state)
    this.emit(cachedEvent(state, recorded.artifact))
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
      this.tally.cached.add(state)
      this.emit({ kind: 'node healed', address: node.address, artifact: decision.artifact, what: decision.why })
      this.complete(state, decision.artifact)
      return undefined
    }
    this.emit(startedEvent(state, decision, options))
    const made = await this.remaining.during(state, options.monotonicMs(), this.execution.make(state))
    const published = publish(options.store, state, made, this.walk.lists, this.listsStored, options.wallMs())
    published.durable.catch((error: unknown) => {
      this.broken ??= error
      this.halted = true
    })
    options.history.add(node.task.name, made.wallMs, published.bytesOut, made.requests)
    if (made.recheckAfterMs !== undefined) this.tally.recheckAt(options.wallMs() + made.recheckAfterMs)
    this.ready.noteDuration(state, made.wallMs)
    if (published.disputedWith !== undefined) {
      await this.dispute(state, published.disputedWith, published.artifact)
      return { durable: published.durable }
    }
    if (decision.kind === 'restore' && decision.artifact !== published.artifact) throw otherAnswer(state)
    this.tally.executed++
    const unchanged = options.reasons.previousArtifact(node.address) === published.artifact
    if (unchanged) this.tally.unchanged++
    if (decision.kind === 'restore')
      this.emit({ kind: 'node healed', address: node.address, artifact: published.artifact, what: decision.why })
    const sayDone = () => this.emit(doneEvent(state, made, published, unchanged))
    // What the world gave, or was given, cannot be had again for nothing: it is done once a crash does not lose it. A
    // pure node that is lost with its group is only computed again. The run's end waits for all groups.
    if (node.task.kind === 'pure') sayDone()
    else published.durable.then(sayDone, () => {})
    this.complete(state, published.artifact)
    return { durable: published.durable }
  }

  /** The same key gave other bytes. The first record serves on, where its bytes are still here. */
  private async dispute(state: NodeState, first: Digest, second: Digest): Promise<void> {
    const { address } = state.node
    this.tally.disputes.push({ address, key: state.key!, first, second })
    const difference = await this.execution.differenceOf(first, second)
    this.emit({
      kind: 'node disputed',
      address,
      key: state.key!,
      first,
      second,
      ...(difference === undefined ? {} : { difference }),
    })
    this.tally.executed++
    if (this.options.store.artifactPresence(first) === 'present') this.complete(state, first)
    else {
      throw firstIsGone(address, first, second)
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
    this.tally.cached.add(state)
    this.emit(cachedEvent(state, artifact))
    this.complete(state, artifact)
  }

  private fail(state: NodeState, error: unknown, attempts: number): void {
    const failure = describeFailure(state, error, attempts, this.options)
    this.tally.failures.push({ address: state.node.address, failure })
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

  private emit(event: UntimedEvent): void {
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
