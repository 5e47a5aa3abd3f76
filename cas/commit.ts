import { join } from 'node:path'
import type { Digest } from './digest.ts'
import type { FaultPoints } from './faultPoints.ts'
import { flushPath } from './folders.ts'

import type { Layout } from './layout.ts'
import { clearPlace, findObject, lookInPlace, placeStaged } from './objects.ts'
import type { PreparedEntry, RecordLog } from './recordLog.ts'
import { prepareEntry, type RecordEntry, type Records } from './records.ts'
import { discardStaged, type Staged } from './staging.ts'
import { trashEpochs } from './trash.ts'

export interface CommitRequest {
  readonly staged: readonly Staged[]
  readonly records: readonly RecordEntry[]
}

interface Queued {
  readonly staged: readonly Staged[]
  readonly entries: readonly PreparedEntry[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** More flushes in flight than this gained nothing (4 to 64 were measured; Node's own pool has four threads), and
 *  each holds a file descriptor. */
const flushesInFlight = 32

/** A group is at most this many files, so that progress becomes durable in steps even when everything is queued at
 *  once. */
const groupFilesMax = 4096

/** With fewer files than this waiting, the next group waits for as long as the last one took, but not longer than the
 *  limit: on a slow disk groups grow, and the flushes of shard folders are shared by more files. */
const groupFilesWanted = 512
const lingerMsMax = 100

/** Makes commits durable in groups: while one group is being flushed the next one gathers. The order inside a group
 *  is the store's write order: files flushed, put in place, folders flushed, records appended and flushed. */
export class GroupCommit {
  readonly #layout: Layout
  readonly #durable: boolean
  readonly #log: RecordLog
  readonly #records: Records
  readonly #faults: FaultPoints | undefined
  readonly #announce: (digests: readonly Digest[]) => void
  #queue: Queued[] = []
  #working: Promise<void> | undefined
  #hurry: (() => void) | undefined
  #flushing = 0
  /** Objects on their way: staged, not yet in place. Counted, since two commits may carry the same bytes. */
  readonly #pending = new Map<Digest, Staged[]>()
  /** Staged files that were renamed into their place, and are not left over. */
  readonly #placed = new WeakSet<Staged>()

  constructor(options: {
    layout: Layout
    durable: boolean
    log: RecordLog
    records: Records
    faults: FaultPoints | undefined
    /** Says in this process's lease that these objects are in use. */
    announce: (digests: readonly Digest[]) => void
  }) {
    this.#layout = options.layout
    this.#durable = options.durable
    this.#log = options.log
    this.#records = options.records
    this.#faults = options.faults
    this.#announce = options.announce
  }

  commit({ staged, records }: CommitRequest): Promise<void> {
    const entries = records.map(prepareEntry)
    for (const file of staged) {
      const others = this.#pending.get(file.digest)
      if (others) others.push(file)
      else this.#pending.set(file.digest, [file])
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ staged, entries, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  /** Resolves when everything committed so far is durable, or has failed (each commit's own promise says which). */
  async flush(): Promise<void> {
    this.#flushing++
    this.#hurry?.()
    await this.#working
    this.#flushing--
  }

  /** Where this process can read an object that is not in place yet. */
  pendingPath(digest: Digest): string | undefined {
    return this.#pending.get(digest)?.[0]?.stagedPath
  }

  pendingSizeBytes(digest: Digest): number | undefined {
    return this.#pending.get(digest)?.[0]?.sizeBytes
  }

  async #work(): Promise<void> {
    // Everything committed in this turn of the event loop joins the first group.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const group = this.#takeGroup()
      const startedMs = performance.now()
      try {
        const whole = await this.#commitGroup(group)
        for (const request of whole) request.resolve()
      } catch (error) {
        for (const request of group) request.reject(error)
      } finally {
        for (const request of group) this.#forget(request)
      }
      await this.#gather(performance.now() - startedMs)
    }
    this.#working = undefined
  }

  async #gather(lastGroupMs: number): Promise<void> {
    const waiting = this.#queue.reduce((sum, { staged }) => sum + staged.length, 0)
    if (this.#flushing > 0 || waiting === 0 || waiting >= groupFilesWanted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(lastGroupMs, lingerMsMax))
      this.#hurry = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#hurry = undefined
  }

  #takeGroup(): Queued[] {
    let files = 0
    let count = 0
    while (count < this.#queue.length && (count === 0 || files + this.#queue[count]!.staged.length <= groupFilesMax)) {
      files += this.#queue[count++]!.staged.length
    }
    return this.#queue.splice(0, count)
  }

  /** Returns the requests that went through. One whose file cannot be flushed fails alone. */
  async #commitGroup(group: readonly Queued[]): Promise<readonly Queued[]> {
    this.#faults?.hit('commit:begin')
    // Before anything is in place: a collection elsewhere looks at the leases last, and leaves these objects alone
    // however old they are, and whatever any clock says.
    this.#announce(group.flatMap(({ staged }) => staged.map((file) => file.digest)))
    const fresh = new Map<Digest, Staged>()
    const present = new Map<Digest, Staged>()
    const damaged = new Set<Digest>()
    for (const { staged } of group) {
      for (const file of staged) {
        if (fresh.has(file.digest) || present.has(file.digest)) continue
        const there = lookInPlace(this.#layout, file)
        ;(there === 'present' ? present : fresh).set(file.digest, file)
        if (there === 'damage') damaged.add(file.digest)
      }
    }
    const failed = await this.#flushFiles([...fresh.values()])
    this.#faults?.hit('commit:afterFlush')

    const shards = new Set<string>()
    for (const digest of present.keys()) shards.add(digest.slice(0, 2))
    for (const [digest, file] of fresh) {
      if (failed.has(digest)) continue
      if (damaged.has(digest)) clearPlace(this.#layout, file)
      placeStaged(this.#layout, file)
      this.#placed.add(file)
      shards.add(digest.slice(0, 2))
      this.#faults?.hit('commit:midPlace')
    }
    this.#faults?.hit('commit:afterPlace')
    // Also the folders of objects that were there: whoever placed them may not have come to this step. And the folder
    // above, for a shard may be new.
    if (this.#durable && shards.size > 0) {
      await inParallel([...shards, '.'], (shard) => flushPath(join(this.#layout.objects, shard)))
    }
    this.#faults?.hit('commit:afterFolders')

    const whole = group.filter((request) => !request.staged.some((file) => failed.has(file.digest)))
    this.#log.refresh()
    const entries = whole.flatMap((request) => [...request.entries, ...this.#restored(request)])
    if (entries.length > 0) await this.#log.append(entries)
    this.#faults?.hit('commit:afterRecords')
    this.#checkAgain([...present.keys(), ...fresh.keys()], failed)

    for (const request of group) {
      const error = request.staged.map((file) => failed.get(file.digest)).find((found) => found !== undefined)
      if (error !== undefined) request.reject(error)
    }
    this.#faults?.hit('commit:end')
    return whole
  }

  async #flushFiles(files: readonly Staged[]): Promise<Map<Digest, unknown>> {
    const failed = new Map<Digest, unknown>()
    if (!this.#durable) return failed
    await inParallel(files, async (file) => {
      try {
        await flushPath(file.stagedPath)
      } catch (error) {
        failed.set(file.digest, error)
      }
      this.#faults?.hit('commit:midFlush')
    })
    return failed
  }

  /** An artifact that was evicted and is published again is there again, and the records have to say so. */
  #restored(request: Queued): PreparedEntry[] {
    const records = this.#records
    const artifacts = new Set<Digest>()
    for (const { digest } of request.staged) artifacts.add(digest)
    for (const { artifact } of request.entries) if (artifact) artifacts.add(artifact.toString('hex') as Digest)
    return [...artifacts]
      .filter((artifact) => records.isEvicted(artifact))
      .map((artifact) => prepareEntry({ kind: 'restored', key: artifact }))
  }

  /** A collection elsewhere that took us for dead, or judged by a clock that jumped, may have moved an object to the
   *  trash before our record named it. It cannot have unlinked it yet, so it is fetched back. */
  #checkAgain(digests: readonly Digest[], failed: ReadonlyMap<Digest, unknown>): void {
    if (trashEpochs(this.#layout).length === 0) return
    for (const digest of digests) if (!failed.has(digest)) findObject(this.#layout, digest, { readOnly: false })
  }

  #forget(request: Queued): void {
    for (const file of request.staged) {
      const others = this.#pending.get(file.digest)?.filter((other) => other !== file) ?? []
      if (others.length > 0) this.#pending.set(file.digest, others)
      else this.#pending.delete(file.digest)
      // Left over where the object existed before, or the commit failed.
      if (!this.#placed.has(file)) discardStaged(file.stagedPath)
    }
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const runner = async () => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: Math.min(flushesInFlight, items.length) }, runner))
}
