import { lstatSync, rmSync, type Stats } from 'node:fs'
import { join, resolve } from 'node:path'
import { Fault } from '../lib/fault.ts'
import { type ArtifactDescriptor, parseDescriptor } from './artifact.ts'
import { CheckedDescriptors } from './checkedDescriptors.ts'
import { type CommitRequest, GroupCommit } from './commit.ts'
import { type Digest, short } from './digest.ts'
import type { FaultPoints } from './faultPoints.ts'
import { readIfDescriptor } from './findDescriptor.ts'
import { ensureFolder } from './folders.ts'
import { type Layout, layoutOf, objectPath } from './layout.ts'
import { type Lease, LeaseBoard, type LeaseTiming } from './leases.ts'
import { clearPlace, damagedObject, findObject, isObjectThere, quarantineFile, readChecked } from './objects.ts'
import { RecordLog } from './recordLog.ts'
import { Records } from './records.ts'
import { type Migration, prepareRoot, storeMigrations } from './rootFormat.ts'
import { findInTrash, trashEpochs } from './trash.ts'

export type ArtifactPresence = 'present' | 'evicted' | 'missing'

export interface StoreOptions {
  /** Make the store if there is none. */
  readonly create?: boolean
  readonly readOnly?: boolean
  /** Wall-clock milliseconds, for what records say about when. */
  readonly clock?: () => number
  /** `none` trusts the page cache, for tests and throw-away stores. */
  readonly durability?: 'group' | 'none'
  readonly faults?: FaultPoints | undefined
  readonly leaseTiming?: LeaseTiming
  readonly migrations?: ReadonlyMap<number, Migration>
}

/** Memory is worth more than a second read of the descriptors of a very large graph. */
const descriptorsKeptMax = 50_000

/** Opens the store at a root. Synchronous: everything it does is a handful of small reads. */
export function openStore(root: string, options: StoreOptions = {}): Store {
  const layout = layoutOf(resolve(root))
  prepareRoot(layout, {
    create: options.create ?? false,
    readOnly: options.readOnly ?? false,
    migrations: options.migrations ?? storeMigrations,
  })
  return new Store(layout, options)
}

/** The content-addressed store at one root, as one process has it open. */
export class Store {
  readonly layout: Layout
  readonly readOnly: boolean
  readonly log: RecordLog
  readonly records: Records
  readonly leases: LeaseBoard
  readonly faults: FaultPoints | undefined
  readonly clock: () => number
  readonly #commits: GroupCommit
  readonly #descriptors = new Map<Digest, ArtifactDescriptor>()
  #checked: CheckedDescriptors | undefined
  #session: { lease: Lease; stagingDir: string } | undefined

  /** Use `openStore`. */
  constructor(layout: Layout, options: StoreOptions) {
    this.layout = layout
    this.readOnly = options.readOnly ?? false
    this.faults = options.faults
    this.clock = options.clock ?? Date.now
    const durable = options.durability !== 'none'
    this.log = new RecordLog({ layout, durable, clock: this.clock, faults: options.faults })
    this.records = new Records({
      root: layout.root,
      log: this.log,
      commit: (records) => this.commit({ staged: [], records }),
    })
    this.#commits = new GroupCommit({
      layout,
      durable,
      log: this.log,
      records: this.records,
      faults: options.faults,
      announce: (digests) => this.#openSession().lease.uses(digests),
    })
    this.leases = new LeaseBoard({
      layout,
      timing: options.leaseTiming,
      hasResult: (key) => {
        this.records.refresh()
        return this.records.result(key) !== undefined
      },
    })
  }

  get root(): string {
    return this.layout.root
  }

  /** Where this process stages its files. Its worker threads may use it with no store of their own. */
  get stagingDir(): string {
    return this.#openSession().stagingDir
  }

  /** Where objects lie, for worker threads that read them by `openLocated`. */
  get objectsDir(): string {
    return this.layout.objects
  }

  /** Makes staged files objects and records what they are, durably and in that order. Commits that come while others
   *  are under way form one group. Until the promise resolves, `locate` and `readObject` of this process see the
   *  objects, and nobody sees the records. */
  async commit(request: CommitRequest): Promise<void> {
    this.#demandWritable()
    this.#openSession()
    await this.#commits.commit(request)
  }

  /** Resolves when nothing that was committed before is on its way any more. */
  flush(): Promise<void> {
    return this.#commits.flush()
  }

  /** A path where the object can be read now, also while it is on its way, or undefined. A pending object moves to
   *  its final place at some moment: readers in other threads use `openLocated`, which knows both. */
  locate(digest: Digest): string | undefined {
    // What is on its way first: it was hashed when it was staged, and what stands in its place may be the damage that
    // it is about to replace.
    const pending = this.#commits.pendingPath(digest)
    // Its group may have moved it into place already and not be durable yet.
    if (pending !== undefined && isObjectThere(pending)) return pending
    return findObject(this.layout, digest, { readOnly: this.readOnly })
  }

  /** Whether an object is in its place, or on its way there. One in the trash is not: `locate` or `reclaim` would
   *  bring it back. */
  hasObject(digest: Digest, sizeBytes?: number): boolean {
    if (isObjectThere(objectPath(this.layout.objects, digest), sizeBytes)) return true
    const pending = this.#commits.pendingSizeBytes(digest)
    return pending !== undefined && (sizeBytes === undefined || pending === sizeBytes)
  }

  /** The bytes of an object, hashed again. A damaged one is moved to quarantine, so that a rebuilt one can take its
   *  place, and reported. */
  readObject(digest: Digest): Uint8Array {
    return this.#readObject(digest)
  }

  #readObject(digest: Digest, onWhole?: (stat: Stats) => void): Uint8Array {
    // Nearly always it is in its place and whole: looking there before reading it would only be one look more.
    if (this.#commits.pendingPath(digest) === undefined) {
      const read = readChecked(objectPath(this.layout.objects, digest), digest, onWhole)
      if (read instanceof Uint8Array) return read
    }
    // A pending file may be renamed between the look and the read; the second look then finds it in its place.
    for (let attempt = 1; ; attempt++) {
      const path = this.locate(digest)
      if (path === undefined) throw this.#absent(digest)
      const read = readChecked(path, digest)
      if (read instanceof Uint8Array) return read
      if (attempt === 1 && read.problem === 'it is not there') continue
      this.quarantine(digest, path, read.problem)
      throw damagedObject(digest, read.problem)
    }
  }

  /** The bytes of an object, hashed, wherever they lie. Nothing is moved, taken back or put in quarantine: what a plan
   *  reads must not change what the plan is about. */
  peekObject(digest: Digest): Uint8Array {
    const pending = this.#commits.pendingPath(digest)
    const inTrash = trashEpochs(this.layout).reverse()
    const paths = [
      objectPath(this.layout.objects, digest),
      ...inTrash.map((name) => join(this.layout.trash, name, digest)),
    ]
    let problem: string | undefined
    for (const path of pending === undefined ? paths : [pending, ...paths]) {
      const read = readChecked(path, digest)
      if (read instanceof Uint8Array) return read
      if (read.problem !== 'it is not there') problem ??= read.problem
    }
    throw problem === undefined ? this.#absent(digest) : damagedObject(digest, problem)
  }

  /** Moves a damaged object aside and records that. Says whether it did. */
  quarantine(digest: Digest, path: string, why: string): boolean {
    if (this.readOnly) return false
    this.#descriptors.delete(digest)
    this.#checked?.forget(digest)
    if (!quarantineFile(this.layout, digest, { path, why })) return false
    // The finding lies beside the quarantined file as well, so a record that cannot be written loses nothing.
    this.commit({ staged: [], records: [{ kind: 'quarantined', key: digest, payload: { why } }] }).catch(() => {})
    return true
  }

  readDescriptor(artifact: Digest): ArtifactDescriptor {
    const known = this.#descriptors.get(artifact) ?? this.#checked?.recall(artifact)
    if (known) return known
    let stat: Stats | undefined
    const bytes = this.#readObject(artifact, (seen) => {
      stat = seen
    })
    const descriptor = parseDescriptor(bytes)
    if (stat !== undefined) this.#checked?.add(artifact, stat, bytes)
    if (this.#descriptors.size >= descriptorsKeptMax) this.#descriptors.clear()
    this.#descriptors.set(artifact, descriptor)
    return descriptor
  }

  /** From now on, a descriptor that an earlier process has checked is not read again while its file is untouched, and
   *  what this process checks is left for the next. For whoever walks a graph of ten thousands of artifacts; those who
   *  look for damage read the bytes. */
  rememberChecked(): void {
    this.#checked ??= new CheckedDescriptors(this.layout, this.clock)
  }

  /** `present`: the descriptor and every file are there with the right sizes. Otherwise the records say whether that
   *  is on purpose. */
  artifactPresence(artifact: Digest): ArtifactPresence {
    if (this.#isThere(artifact)) return 'present'
    if (this.records.isEvicted(artifact)) return 'evicted'
    // Two collections at once, one of them killed, can leave an object in the trash and the other's `restored` as the
    // last word. What lies in the trash was given up on purpose all the same.
    this.records.refresh()
    return this.records.isEvicted(artifact) || this.isReclaimable(artifact) ? 'evicted' : 'missing'
  }

  /** Whether everything the artifact consists of is in place or in the trash, in the right sizes: `reclaim` would bring
   *  it back. A look only: nothing is moved. */
  isReclaimable(artifact: Digest): boolean {
    const descriptor = readIfDescriptor(this.layout, artifact)
    if (!descriptor) return false
    const isSomewhere = (digest: Digest, sizeBytes?: number) =>
      this.hasObject(digest, sizeBytes) || findInTrash(this.layout, digest, sizeBytes) !== undefined
    return isSomewhere(artifact) && descriptor.files.every((file) => isSomewhere(file.digest, file.sizeBytes))
  }

  /** Brings an evicted artifact back if the trash still holds what it lacks. Says whether it is present now. */
  async reclaim(artifact: Digest): Promise<boolean> {
    this.#demandWritable()
    const descriptor = readIfDescriptor(this.layout, artifact)
    if (!descriptor) return false
    // First said, then taken: a collection that runs now will not take it away again.
    this.#openSession().lease.uses([artifact, ...descriptor.files.map((file) => file.digest)])
    this.locate(artifact)
    for (const { digest, sizeBytes } of descriptor.files) {
      if (this.hasObject(digest, sizeBytes)) continue
      // What stands in its place may be damage, and no reason to leave the whole object in the trash.
      if (findInTrash(this.layout, digest, sizeBytes) !== undefined) clearPlace(this.layout, { digest, sizeBytes })
      this.locate(digest)
    }
    if (this.artifactPresence(artifact) !== 'present') return false
    if (this.records.isEvicted(artifact))
      await this.commit({ staged: [], records: [{ kind: 'restored', key: artifact }] })
    return true
  }

  openLease(purpose: string): Lease {
    this.#demandWritable()
    return this.leases.open(purpose)
  }

  /** Finishes what is under way, seals the records and gives up the leases. */
  async close(): Promise<void> {
    await this.flush()
    this.log.close({ saveCache: !this.readOnly })
    if (!this.readOnly) this.#checked?.save()
    if (this.#session) rmSync(this.#session.stagingDir, { recursive: true, force: true })
    this.#session = undefined
    this.leases.closeAll()
  }

  /** Whether an artifact lacks an object because of damage: something else stands in its place, or did until it was
   *  moved to quarantine. */
  isDamaged(artifact: Digest): boolean {
    const files = readIfDescriptor(this.layout, artifact)?.files ?? []
    const isLost = (digest: Digest, sizeBytes?: number) =>
      !this.hasObject(digest, sizeBytes) &&
      (lstatSync(objectPath(this.layout.objects, digest), { throwIfNoEntry: false }) !== undefined ||
        this.records.of('quarantined', digest).length > 0)
    return isLost(artifact) || files.some((file) => isLost(file.digest, file.sizeBytes))
  }

  #isThere(artifact: Digest): boolean {
    // Remembering a descriptor takes a look at its file; another would be one too many.
    const remembered = this.#checked?.look(artifact)
    if (remembered !== undefined) return this.#filesAreThere(remembered)
    if (!this.hasObject(artifact)) return false
    try {
      return this.#filesAreThere(this.readDescriptor(artifact))
    } catch (error) {
      if (error instanceof Fault && error.code === 'corrupt') return false
      throw error
    }
  }

  #filesAreThere({ files }: ArtifactDescriptor): boolean {
    return files.every((file) => this.hasObject(file.digest, file.sizeBytes))
  }

  /** Every writing process holds a lease, named like its staging folder: as long as it lives, nobody sweeps either. */
  #openSession(): { lease: Lease; stagingDir: string } {
    if (this.#session) return this.#session
    this.#demandWritable()
    const lease = this.leases.open('store')
    const stagingDir = join(this.layout.staging, lease.id)
    ensureFolder(stagingDir)
    this.#session = { lease, stagingDir }
    return this.#session
  }

  #demandWritable(): void {
    if (!this.readOnly) return
    throw new Fault({ code: 'noStore', what: 'this store is open for reading only', where: this.root })
  }

  #absent(digest: Digest): Fault {
    return new Fault({
      code: 'unverifiable',
      what: `the object ${short(digest)} is not in this store`,
      where: this.root,
      todo: 'run the node it belongs to again, with "pipe run"',
      details: { digest },
    })
  }
}
