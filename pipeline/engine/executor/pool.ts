import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import type { Job } from './job.ts'
import {
  claim,
  type JobMessage,
  type JobOutcome,
  type OutcomeMessage,
  type PackageDirs,
  type Progress,
  progressCell,
  type WorkerSetup,
} from './protocol.ts'
import { looksPerSilence, SilenceWatch } from './silence.ts'
import { stackOfThread } from './stack.ts'

/** How a job's thread or process ended before the job did. */
export type Death =
  | { readonly kind: 'aborted' }
  /** With where it was, if that could be told. */
  | { readonly kind: 'timeout'; readonly timeoutMs: number; readonly stack: string }
  | { readonly kind: 'silent'; readonly silenceMs: number; readonly reachedMs: number; readonly stack: string }
  | { readonly kind: 'memory'; readonly what: string }
  | { readonly kind: 'died'; readonly what: string }

export type Ending = JobOutcome | Death

export interface WorkerPool {
  run(job: Job, packageDirs: PackageDirs, signal: AbortSignal): Promise<Ending>
  close(): Promise<void>
}

interface Ticket {
  readonly job: Job
  readonly packageDirs: PackageDirs
  readonly signal: AbortSignal
  settle(ending: Ending): void
}

/** A job runs while the next ones wait in the thread already: how many short ones the engine hands over is its own
 *  decision, and a thread that runs dry takes from one that has some left. */
const placesPerThread = 4

/** Bounds for the heap of a thread, which is otherwise what there is for all. Typed arrays lie outside of it. */
const heapMbMin = 256
const heapMbMax = 4096

/** Room for what is new, up to 64 MB for each of its three parts (16 by default). Tables come and go by the megabyte and
 *  are counted there: with little room they are copied over and over, and the whole run takes a tenth longer. */
const youngMbOf = (heapMb: number): number => Math.round(Math.min(192, heapMb / 4))

/** Threads that run pure tasks, started when there is work for them and used again. */
export interface PoolOptions {
  readonly workers: number
  readonly workerUrl: URL
  readonly stagingDir: string
  /** What all threads may use together. */
  readonly memoryMb: number
}

export function createWorkerPool(options: PoolOptions): WorkerPool {
  const { workers } = options
  assert.ok(Number.isSafeInteger(workers) && workers >= 1)
  const threads: PoolThread[] = []
  const waiting = new Set<Ticket>()
  let closed = false

  const retire = (thread: PoolThread) => {
    const at = threads.indexOf(thread)
    if (at >= 0) threads.splice(at, 1)
  }
  const requeue = (tickets: readonly Ticket[]) => {
    const later = [...waiting]
    waiting.clear()
    for (const ticket of [...tickets, ...later]) waiting.add(ticket)
  }
  const dispatch = () => {
    if (closed) return
    // Every thread gets one job before any gets its second.
    for (let depth = 1; depth <= placesPerThread; depth++) {
      while (waiting.size > 0) {
        const thread = threads.find((thread) => thread.load < depth) ?? (depth === 1 ? start() : undefined)
        if (thread === undefined) break
        const [ticket] = waiting
        waiting.delete(ticket!)
        thread.take(ticket!)
      }
    }
    // A job that waits behind a long one is better off in a thread that has nothing to do.
    if (waiting.size > 0) return
    const idle = threads.length < workers || threads.some((thread) => thread.load === 0)
    if (!idle) return
    const fullest = threads.reduce((best, thread) => (thread.load > best.load ? thread : best), threads[0]!)
    const stolen = fullest !== undefined && fullest.load > 1 ? fullest.giveBack() : undefined
    if (stolen === undefined) return
    waiting.add(stolen)
    dispatch()
  }
  const start = (): PoolThread | undefined => {
    if (threads.length >= workers) return undefined
    const thread = new PoolThread(options, {
      settled: dispatch,
      gone(left) {
        retire(thread)
        requeue(left)
        dispatch()
      },
    })
    threads.push(thread)
    return thread
  }

  return {
    run(job, packageDirs, signal) {
      return new Promise((resolve) => {
        if (closed || signal.aborted) return resolve({ kind: 'aborted' })
        const abort = () => {
          if (waiting.delete(ticket)) ticket.settle({ kind: 'aborted' })
          else threads.find((thread) => thread.holds(ticket))?.drop(ticket)
        }
        const ticket: Ticket = {
          job,
          packageDirs,
          signal,
          settle(ending) {
            signal.removeEventListener('abort', abort)
            resolve(ending)
          },
        }
        signal.addEventListener('abort', abort)
        waiting.add(ticket)
        dispatch()
      })
    },
    async close() {
      closed = true
      for (const ticket of [...waiting]) ticket.settle({ kind: 'aborted' })
      waiting.clear()
      await Promise.all(threads.splice(0).map((thread) => thread.close()))
    },
  }
}

interface ThreadEvents {
  /** A place is free. */
  settled(): void
  /** The thread is no more; these jobs never began. */
  gone(left: readonly Ticket[]): void
}

/** One thread and the jobs it holds, the first of which runs. */
class PoolThread {
  readonly #worker: Worker
  readonly #claims = new Int32Array(new SharedArrayBuffer(placesPerThread * 2 * Int32Array.BYTES_PER_ELEMENT))
  readonly #held: { readonly ticket: Ticket; readonly place: number }[] = []
  readonly #events: ThreadEvents
  readonly #heapMb: number
  readonly #progress: Progress = new Float64Array(
    new SharedArrayBuffer(Object.keys(progressCell).length * Float64Array.BYTES_PER_ELEMENT),
  )
  #silence: NodeJS.Timeout | undefined
  #timer: NodeJS.Timeout | undefined
  #lastError: Error | undefined
  #over = false

  constructor({ workerUrl, stagingDir, memoryMb, workers }: PoolOptions, events: ThreadEvents) {
    this.#events = events
    const shareMb = memoryMb / workers
    // Not the share of it: a node that needs more than that runs alone.
    this.#heapMb = Math.round(Math.min(heapMbMax, Math.max(heapMbMin, memoryMb)))
    const setup: WorkerSetup = { stagingDir, memoryMb: shareMb, claims: this.#claims, progress: this.#progress }
    this.#worker = new Worker(workerUrl, {
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb, maxYoungGenerationSizeMb: youngMbOf(this.#heapMb) },
      stdout: false,
      stderr: false,
    })
    this.#worker.on('message', (message: OutcomeMessage) => this.#finished(message))
    this.#worker.on('error', (error: Error) => {
      this.#lastError = error
    })
    this.#worker.on('exit', (code) => this.#end(deathOf(code, this.#lastError, this.#heapMb)))
  }

  /** Jobs it holds; as many as it can when no place is free. */
  get load(): number {
    return this.#freePlace() < 0 ? placesPerThread : this.#held.length
  }

  holds(ticket: Ticket): boolean {
    return this.#held.some((held) => held.ticket === ticket)
  }

  take(ticket: Ticket): void {
    const place = this.#freePlace()
    assert.ok(place >= 0)
    this.#held.push({ ticket, place })
    if (this.#held.length === 1) this.#began()
    const message: JobMessage = { place, job: ticket.job, packageDirs: ticket.packageDirs }
    this.#worker.postMessage(message)
  }

  /** The job that waits here, unless it has just begun. */
  giveBack(): Ticket | undefined {
    const last = this.#held.at(-1)
    if (last === undefined || !this.#unclaim(last.place)) return undefined
    this.#held.pop()
    return last.ticket
  }

  /** Ends one job, and with it the thread if the job runs. */
  drop(ticket: Ticket): void {
    const at = this.#held.findIndex((held) => held.ticket === ticket)
    if (this.#unclaim(this.#held[at]!.place)) {
      this.#held.splice(at, 1)
      ticket.settle({ kind: 'aborted' })
      this.#events.settled()
      return
    }
    this.#end({ kind: 'aborted' }, ticket)
  }

  async close(): Promise<void> {
    this.#over = true
    this.#stopWatching()
    for (const { ticket } of this.#held.splice(0)) ticket.settle({ kind: 'aborted' })
    await this.#worker.terminate()
  }

  /** There are twice as many places as jobs: that of a job which was taken back stays marked until the thread comes by. */
  #freePlace(): number {
    for (let place = 0; place < this.#claims.length; place++) {
      if (Atomics.load(this.#claims, place) !== claim.free) continue
      if (!this.#held.some((held) => held.place === place)) return place
    }
    return -1
  }

  #unclaim(place: number): boolean {
    return Atomics.compareExchange(this.#claims, place, claim.free, claim.pool) === claim.free
  }

  #began(): void {
    const first = this.#held[0]
    if (first === undefined) return
    const { timeoutMs, silenceMs } = first.ticket.job
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => {
        // A thread that is still starting up has not had its chance yet.
        if (Atomics.load(this.#claims, first.place) !== claim.free) {
          void this.#giveUp(first.ticket, (stack) => ({ kind: 'timeout', timeoutMs, stack }))
          return
        }
        this.#stopWatching()
        this.#began()
      }, timeoutMs)
    }
    if (silenceMs !== undefined) this.#watchProgress(first.ticket, silenceMs)
  }

  #watchProgress(ticket: Ticket, silenceMs: number): void {
    const watch = new SilenceWatch(this.#progress[progressCell.count]!)
    this.#silence = setInterval(() => {
      if (!watch.stoodStill(this.#progress[progressCell.count]!)) return
      const reachedMs = this.#progress[progressCell.tsMs]!
      void this.#giveUp(ticket, (stack) => ({ kind: 'silent', silenceMs, reachedMs, stack }))
    }, silenceMs / looksPerSilence)
  }

  /** Ends the job that runs too long, having asked it where it is. */
  async #giveUp(ticket: Ticket, death: (stack: string) => Death): Promise<void> {
    this.#stopWatching()
    const stack = await stackOfThread(this.#worker.threadId)
    // Between two glances it may have ended after all.
    if (this.#held[0]?.ticket === ticket) this.#end(death(stack))
  }

  #stopWatching(): void {
    clearTimeout(this.#timer)
    clearInterval(this.#silence)
  }

  #finished({ place, outcome }: OutcomeMessage): void {
    if (this.#over) return
    Atomics.store(this.#claims, place, claim.free)
    if (outcome === undefined) {
      this.#events.settled()
      return
    }
    const at = this.#held.findIndex((held) => held.place === place)
    const [held] = this.#held.splice(at, 1)
    this.#stopWatching()
    held!.ticket.settle(outcome)
    if (outcome.sound) {
      this.#began()
      this.#events.settled()
    } else this.#end({ kind: 'died', what: 'its thread was replaced' })
  }

  /** `death` is for the job that ran; the others are for another thread. Where none ran, the thread could not even
   *  start, and the next one would fare no better. */
  #end(death: Death, running: Ticket | undefined = this.#held[0]?.ticket): void {
    if (this.#over) return
    this.#over = true
    this.#stopWatching()
    void this.#worker.terminate()
    const left: Ticket[] = []
    for (const { ticket, place } of this.#held.splice(0)) {
      if (ticket === running || !this.#unclaim(place)) ticket.settle(death)
      else left.push(ticket)
    }
    this.#events.gone(left)
  }
}

function deathOf(exitCode: number, error: Error | undefined, heapMb: number): Death {
  if ((error as { code?: string } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return { kind: 'memory', what: `it reached the memory limit of ${heapMb} MB for objects in a worker thread` }
  }
  if (error !== undefined) return { kind: 'died', what: `its worker thread died: ${error.message}` }
  return { kind: 'died', what: `its worker thread ended with exit code ${exitCode}` }
}
