import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Digest } from './digest.ts'
import { FolderListing } from './folderListing.ts'
import { isGone } from './ioFault.ts'
import type { Layout } from './layout.ts'
import { type ClaimState, LeaseView, LeaseWriter, leaseSuffix } from './leaseFile.ts'
import { readFolder } from './objects.ts'
import { livenessOf, type Owner, thisProcess } from './owner.ts'

/** Says that a process is alive and what it works on: objects it uses are kept by gc, keys it claims are not run twice.
 *  Never needed for correctness, so a wrong answer costs time and nothing else. */
export interface Lease {
  readonly id: string
  claim(key: Digest): 'mine' | { readonly heldBy: LiveLease }
  release(key: Digest): void
  /** Waits for somebody else's claim, until a result is there, or the key is free because the claim was released or
   *  its owner is dead. */
  waitFor(key: Digest, options?: { signal?: AbortSignal; pollMs?: number }): Promise<'free' | 'result'>
  /** Keeps artifacts or objects from being collected while the lease lives. */
  uses(artifacts: Iterable<Digest>): void
  close(): void
}

export interface LiveLease {
  readonly id: string
  readonly owner: Owner | undefined
  readonly purpose: string
  readonly claims: ReadonlyMap<Digest, ClaimState>
  readonly uses: ReadonlySet<Digest>
}

export interface LeaseTiming {
  readonly beatMs: number
  /** An owner on another machine is taken for dead when its counter stood still for so long, by our monotonic clock.
   *  A wrong verdict is survived: see `GroupCommit`. */
  readonly foreignSilenceMs: number
  /** Milliseconds that only ever grow, and mean the same in every process of one boot. */
  readonly monotonicMs: () => number
}

const defaultLeaseTiming: LeaseTiming = {
  beatMs: 5_000,
  foreignSilenceMs: 60_000,
  monotonicMs: () => Number(process.hrtime.bigint() / 1_000_000n),
}

/** All leases of a root, as one process sees them. */
export class LeaseBoard {
  readonly #layout: Layout
  readonly #timing: LeaseTiming
  readonly #hasResult: (key: Digest) => boolean
  readonly #views = new Map<string, LeaseView>()
  readonly #own = new Map<string, OwnLease>()
  readonly #listing: FolderListing
  #beats: Map<string, SeenBeat> | undefined

  constructor(options: { layout: Layout; timing?: LeaseTiming | undefined; hasResult: (key: Digest) => boolean }) {
    this.#layout = options.layout
    this.#listing = new FolderListing(options.layout.leases)
    this.#timing = options.timing ?? defaultLeaseTiming
    this.#hasResult = options.hasResult
  }

  open(purpose: string): Lease {
    const lease = new OwnLease(this, new LeaseWriter(this.#layout, purpose), this.#timing.beatMs)
    this.#own.set(lease.id, lease)
    return lease
  }

  hasResult(key: Digest): boolean {
    return this.#hasResult(key)
  }

  forget(id: string): void {
    this.#own.delete(id)
  }

  /** Whether a folder or file named after a lease still has an owner. */
  isAlive(id: string): boolean {
    return this.#own.has(id) || this.live(undefined).some((lease) => lease.id === id)
  }

  /** Every lease whose owner lives, except one. Leases of the dead are removed on the way. */
  live(except: string | undefined): LiveLease[] {
    return this.#liveAmong(idsIn(readFolder(this.#layout.leases)).filter((id) => id !== except))
  }

  /** Leases other than one that claim a key. Asked before every execution, so nothing is read that is known: what this
   *  process holds, it holds in memory. */
  claimants(key: Digest, except: string): LiveLease[] {
    const others = idsIn(this.#listing.names()).filter((id) => {
      if (id === except) return false
      const own = this.#own.get(id)
      return own === undefined || own.holds(key)
    })
    return this.#liveAmong(others).filter((lease) => lease.claims.has(key))
  }

  #liveAmong(ids: readonly string[]): LiveLease[] {
    const live: LiveLease[] = []
    for (const id of ids) {
      const view = this.#view(id)
      if (!view) continue
      if (this.#own.has(id) || !this.#isDead(view)) live.push(view)
      else this.#bury(view)
    }
    return live
  }

  /** Keeps what was seen of foreign heartbeats for the next process: a command that runs for a second could never
   *  tell by itself that an owner has been silent for a minute. */
  rememberBeats(): void {
    if (!this.#beats || this.#beats.size === 0) return
    const seen: RememberedBeats = { bootId: thisProcess().bootId, beats: [...this.#beats] }
    try {
      writeFileSync(join(this.#layout.index, beatsFileName), JSON.stringify(seen))
    } catch {
      // Only a cache: the next process begins to watch anew.
    }
  }

  closeAll(): void {
    for (const lease of [...this.#own.values()]) lease.close()
  }

  #view(id: string): LeaseView | undefined {
    try {
      let view = this.#views.get(id)
      if (view) return view.refresh() ? view : this.#dropView(id)
      view = new LeaseView(this.#layout.leases, id)
      this.#views.set(id, view)
      return view
    } catch (error) {
      if (isGone(error)) return this.#dropView(id)
      throw error
    }
  }

  #dropView(id: string): undefined {
    this.#views.delete(id)
    this.#beats?.delete(id)
  }

  #isDead(view: LeaseView): boolean {
    const liveness = view.owner ? livenessOf(view.owner) : 'foreign'
    if (liveness !== 'foreign') return liveness === 'dead'
    const beats = view.beats()
    const nowMs = this.#timing.monotonicMs()
    this.#beats ??= readRememberedBeats(this.#layout)
    const seen = this.#beats.get(view.id)
    if (!seen || seen.beats !== beats || seen.sinceMs > nowMs) {
      this.#beats.set(view.id, { beats, sinceMs: nowMs })
      return false
    }
    return nowMs - seen.sinceMs > this.#timing.foreignSilenceMs
  }

  #bury(view: LeaseView): void {
    try {
      view.remove()
    } catch {
      // A root that we may only read: the lease stays, and everybody judges for himself.
    }
    this.#dropView(view.id)
  }
}

const idsIn = (names: readonly string[]): string[] =>
  names.filter((name) => name.endsWith(leaseSuffix)).map((name) => name.slice(0, -leaseSuffix.length))

interface SeenBeat {
  readonly beats: string
  readonly sinceMs: number
}

interface RememberedBeats {
  readonly bootId: string
  readonly beats: readonly (readonly [id: string, seen: SeenBeat])[]
}

const beatsFileName = 'lease-beats.json'

function readRememberedBeats(layout: Layout): Map<string, SeenBeat> {
  try {
    const seen = JSON.parse(readFileSync(join(layout.index, beatsFileName), 'utf8')) as RememberedBeats
    // The monotonic clock starts anew with each boot.
    if (seen.bootId === thisProcess().bootId) return new Map(seen.beats)
  } catch {
    // Absent, torn, or of another make.
  }
  return new Map()
}

/** How long a claim waits for a rival that has announced itself to decide, before it takes the rival for the owner. */
const rivalPatienceMs = 50

class OwnLease implements Lease {
  readonly id: string
  readonly #board: LeaseBoard
  readonly #writer: LeaseWriter
  readonly #timer: NodeJS.Timeout
  readonly #held = new Set<Digest>()
  #open = true

  constructor(board: LeaseBoard, writer: LeaseWriter, beatMs: number) {
    this.id = writer.id
    this.#board = board
    this.#writer = writer
    this.#timer = setInterval(() => this.#beat(), beatMs)
    // A lease never keeps a process running.
    this.#timer.unref()
  }

  /** Announces the claim first and looks at the others afterwards: of two that come at the same time, at least one
   *  sees the other. Where both do, the one with the smaller id goes on. */
  claim(key: Digest): 'mine' | { readonly heldBy: LiveLease } {
    if (this.#held.has(key)) return 'mine'
    this.#writer.note('wanted', [key])
    const rival = this.#rivalFor(key)
    if (rival) {
      this.#writer.note('released', [key])
      return { heldBy: rival }
    }
    this.#writer.note('held', [key])
    this.#held.add(key)
    return 'mine'
  }

  holds(key: Digest): boolean {
    return this.#held.has(key)
  }

  release(key: Digest): void {
    if (this.#held.delete(key)) this.#writer.note('released', [key])
  }

  async waitFor(key: Digest, options?: { signal?: AbortSignal; pollMs?: number }): Promise<'free' | 'result'> {
    let pollMs = options?.pollMs ?? 5
    for (;;) {
      if (this.#board.hasResult(key)) return 'result'
      if (this.#claimants(key).length === 0) return 'free'
      await sleep(pollMs, undefined, { signal: options?.signal })
      pollMs = Math.min(pollMs * 1.5, 250)
    }
  }

  uses(artifacts: Iterable<Digest>): void {
    const list = [...artifacts]
    if (list.length > 0) this.#writer.note('uses', list)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#timer)
    this.#board.forget(this.id)
    this.#writer.close()
  }

  #rivalFor(key: Digest): LiveLease | undefined {
    const untilMs = performance.now() + rivalPatienceMs
    for (;;) {
      const rivals = this.#claimants(key)
      const holder = rivals.find((lease) => lease.claims.get(key) === 'held' || lease.id < this.id)
      if (holder) return holder
      // Rivals left here want the key and have the larger id. They withdraw when they see us, unless they looked
      // before we came; a moment shows which.
      if (rivals.length === 0) return undefined
      if (performance.now() > untilMs) return rivals[0]
      Atomics.wait(pause, 0, 0, 1)
    }
  }

  #claimants(key: Digest): LiveLease[] {
    return this.#board.claimants(key, this.id)
  }

  #beat(): void {
    try {
      this.#writer.beat()
    } catch {
      // A full disk: others may take us for dead, which is survived.
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))
