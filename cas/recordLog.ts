import { closeSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../lib/fault.ts'
import { type Digest, digestFromBytes, short } from './digest.ts'
import type { FaultPoints } from './faultPoints.ts'
import { FolderListing } from './folderListing.ts'
import type { Layout } from './layout.ts'
import { loadRecordCache, saveRecordCache } from './recordCache.ts'
import { RecordIndex } from './recordIndex.ts'
import { entryLayout, groupHeaderSizeBytes, isEntryIntact, kindNumber, type RawEntry } from './segment.ts'
import { isSegmentGone, newSegmentState, readRange, readSegment, type SegmentState } from './segmentFile.ts'
import { type DamagedStretch, eachEntry } from './segmentScan.ts'
import { type AppendedGroup, SegmentWriter, segmentSuffix } from './segmentWriter.ts'

export interface SegmentDamage extends DamagedStretch {
  readonly segment: string
}

/** An entry whose payload is already in bytes, so that a value that cannot be written fails its own caller and not the
 *  whole group. */
export type PreparedEntry = Omit<RawEntry, 'sequence' | 'recordedAtMs'>

const segmentSizeBytesMax = 128 * 2 ** 20
/** Writing the cache costs as much as reading this many fresh entries a few times over. */
const cacheLagMax = 500
const tombstoneKind = kindNumber('tombstone')

/** The segments of all writers as one set of rows, and the one segment this process appends to. Knows which entries
 *  there are; what they mean is for `Records`. */
export class RecordLog {
  readonly #layout: Layout
  readonly #durable: boolean
  readonly #clock: () => number
  readonly #faults: FaultPoints | undefined
  readonly #listing: FolderListing
  #index = new RecordIndex()
  /** By the number that rows carry. */
  #segments: SegmentState[] = []
  #byName = new Map<string, number>()
  #fds = new Map<number, number>()
  #buried = new Set<Digest>()
  /** Segments whose entries a whole compacted segment repeats. They may lie about until a collection removes them. */
  #superseded = new Set<string>()
  #lastSequence = 0
  #cachedRows = 0
  #writer: SegmentWriter | undefined

  constructor(options: { layout: Layout; durable: boolean; clock: () => number; faults: FaultPoints | undefined }) {
    this.#layout = options.layout
    this.#listing = new FolderListing(options.layout.records)
    this.#durable = options.durable
    this.#clock = options.clock
    this.#faults = options.faults
    this.#load(loadRecordCache(this.#layout.index))
  }

  get index(): RecordIndex {
    return this.#index
  }

  /** Stretches of segments whose bytes are not what was written. The rest of the records serves all the same. */
  damage(): SegmentDamage[] {
    return this.#segments.flatMap((segment) => segment.damage.map((stretch) => ({ segment: segment.name, ...stretch })))
  }

  get segments(): readonly Readonly<SegmentState>[] {
    return this.#segments
  }

  /** The segment this process appends to, if it has begun one. */
  get ownSegment(): string | undefined {
    return this.#writer?.name
  }

  /** Picks up what other processes recorded. Costs a folder listing and a stat for each unsealed segment. */
  refresh(): void {
    this.#refreshFrom(this.#listSegments())
  }

  /** As `refresh`, but takes the folder's time of change for whether there are new segments. See `FolderListing`. */
  refreshLightly(): void {
    this.#refreshFrom(this.#listing.names().filter((name) => name.endsWith(segmentSuffix)))
  }

  #refreshFrom(names: readonly string[]): void {
    const fresh: SegmentState[] = []
    for (const name of names) {
      if (!this.#byName.has(name) && !this.#superseded.has(name)) fresh.push(newSegmentState(name))
    }
    // Newest first: a compacted segment saves reading the ones it repeats.
    fresh.sort((a, b) => (a.name < b.name ? 1 : -1))
    for (const state of fresh) {
      if (this.#superseded.has(state.name)) continue
      this.#read(this.#adopt(state))
      this.#honour(state)
    }
    const freshNames = new Set(fresh.map((state) => state.name))
    for (let i = 0; i < this.#segments.length; i++) {
      const { name, sealed } = this.#segments[i]!
      if (!sealed && name !== this.#writer?.name && !freshNames.has(name)) this.#read(i)
    }
  }

  /** Appends entries, durably, and makes them visible to this process. Only the group commit calls this. */
  async append(entries: readonly PreparedEntry[]): Promise<void> {
    this.refresh()
    const recordedAtMs = this.#clock()
    const raw = entries.map((entry): RawEntry => ({ ...entry, sequence: ++this.#lastSequence, recordedAtMs }))
    for (let attempt = 1; ; attempt++) {
      const writer = this.#openWriter()
      try {
        const appended = writer.append(raw)
        await writer.flush()
        this.#adoptGroup(writer, appended)
        return
      } catch (error) {
        this.#dropBrokenWriter()
        // A failed flush may concern only the old segment's pages; the same entries in a new one are a second try.
        if (attempt === 2 || error instanceof Fault) throw error
      }
    }
  }

  /** Seals the own segment and leaves a cache for the next opening. */
  close(options: { saveCache: boolean }): void {
    this.#sealWriter()
    if (options.saveCache && this.#index.rowCount > this.#cachedRows + cacheLagMax) this.saveCache()
    for (const fd of this.#fds.values()) closeSync(fd)
    this.#fds.clear()
  }

  saveCache(): void {
    this.#cachedRows = this.#index.rowCount
    saveRecordCache(this.#layout.index, this.#segments, this.#index.saved)
  }

  /** Reads everything anew, as after a compaction. */
  reload(): void {
    this.#sealWriter()
    for (const fd of this.#fds.values()) closeSync(fd)
    this.#fds.clear()
    this.#load(undefined)
  }

  /** The digests of all live entries that lie in some segments. */
  entriesIn(segments: ReadonlySet<string>): Digest[] {
    const digests: Digest[] = []
    for (let row = 0; row < this.#index.rowCount; row++) {
      if (this.#index.isDead(row)) continue
      const { name } = this.#segments[this.#index.place(row).segment]!
      if (segments.has(name)) digests.push(digestFromBytes(this.#index.bytes, this.#index.digestOffset(row)))
    }
    return digests
  }

  #load(cache: ReturnType<typeof loadRecordCache>): void {
    const there = new Set(this.#listSegments())
    const usable = cache?.segments.every((segment) => there.has(segment.name)) ? cache : undefined
    this.#index = new RecordIndex(usable?.index)
    this.#segments = usable?.segments ?? []
    this.#byName = new Map(this.#segments.map((segment, i) => [segment.name, i]))
    this.#cachedRows = this.#index.rowCount
    this.#buried = new Set()
    this.#superseded = new Set()
    for (const state of this.#segments) this.#honour(state)
    for (let row = 0; row < this.#index.rowCount; row++) {
      this.#lastSequence = Math.max(this.#lastSequence, this.#index.sequence(row))
      if (this.#index.kind(row) === tombstoneKind) {
        this.#buried.add(digestFromBytes(this.#index.bytes, this.#index.keyOffset(row)))
      }
    }
    this.refresh()
  }

  #listSegments(): string[] {
    try {
      return readdirSync(this.#layout.records).filter((name) => name.endsWith(segmentSuffix))
    } catch (error) {
      if (isSegmentGone(error)) return []
      throw error
    }
  }

  /** Only a whole segment may stand for others: one that a crash cut short, or that is damaged, repeats too little. */
  #honour(state: SegmentState): void {
    if (state.sealed && state.damage.length === 0) for (const name of state.supersedes) this.#superseded.add(name)
  }

  #adopt(state: SegmentState): number {
    const number = this.#segments.push(state) - 1
    this.#byName.set(state.name, number)
    return number
  }

  #read(number: number): void {
    try {
      readSegment(this.#layout.records, this.#segments[number]!, (bytes, offset, length, segmentOffset) =>
        this.#add(bytes, offset, length, number, segmentOffset),
      )
    } catch (error) {
      // Compaction elsewhere: the segment that repeats it has been or will be read.
      if (!isSegmentGone(error)) throw error
    }
  }

  #add(bytes: Buffer, offset: number, length: number, segment: number, segmentOffset: number): void {
    const row = this.#index.add(bytes, offset, length, segment, segmentOffset)
    if (row === undefined) return
    const sequence = this.#index.sequence(row)
    if (sequence > this.#lastSequence && Number.isSafeInteger(sequence)) this.#lastSequence = sequence
    if (this.#index.kind(row) === tombstoneKind) {
      this.#buried.add(digestFromBytes(bytes, offset + entryLayout.key))
      const buried = this.#index.findDigest(bytes, offset + entryLayout.key)
      if (buried !== undefined) this.#index.markDead(buried)
    }
    if (this.#buried.size > 0 && this.#buried.has(digestFromBytes(bytes, offset + entryLayout.digest))) {
      this.#index.markDead(row)
    }
  }

  #openWriter(): SegmentWriter {
    if (this.#writer && this.#writer.sizeBytes > segmentSizeBytesMax) this.#sealWriter()
    if (!this.#writer) {
      this.#writer = new SegmentWriter(this.#layout.records, { durable: this.#durable, faults: this.#faults })
      const state = newSegmentState(this.#writer.name)
      state.consumedBytes = this.#writer.sizeBytes
      state.nextGroupIndex = 1
      this.#adopt(state)
    }
    return this.#writer
  }

  #adoptGroup(writer: SegmentWriter, { at, group }: AppendedGroup): void {
    const number = this.#byName.get(writer.name)!
    const state = this.#segments[number]!
    eachEntry(group, groupHeaderSizeBytes, group.length, (offset, length) =>
      this.#add(group, offset, length, number, at + offset),
    )
    state.consumedBytes = at + group.length
    state.nextGroupIndex++
  }

  #sealWriter(): void {
    if (!this.#writer) return
    this.#writer.close()
    this.#segments[this.#byName.get(this.#writer.name)!]!.sealed = !this.#writer.broken
    this.#writer = undefined
  }

  #dropBrokenWriter(): void {
    if (this.#writer?.broken) this.#sealWriter()
  }

  /** The written form of an entry, checked against its own digest. */
  readEntry(digest: Digest, whenGone: 'retry' | 'fail' = 'retry'): Buffer {
    const row = this.#index.findDigest(Buffer.from(digest, 'hex'))
    if (row === undefined) throw new Error(`the record ${digest} is not in this store`)
    const { segment, offset, length } = this.#index.place(row)
    const { name } = this.#segments[segment]!
    try {
      let fd = this.#fds.get(segment)
      if (fd === undefined) this.#fds.set(segment, (fd = openSync(join(this.#layout.records, name), 'r')))
      const entry = readRange(fd, offset, offset + length)
      if (entry.length === length && isEntryIntact(entry, 0, length)) return entry
    } catch (error) {
      if (!isSegmentGone(error) || whenGone === 'fail') throw error
      this.reload()
      return this.readEntry(digest, 'fail')
    }
    throw new Fault({
      code: 'corrupt',
      what: `the record ${short(digest)} is damaged`,
      where: `${name} at byte ${offset}`,
      todo: 'run "pipe verify" to see what else is hit; the node it belongs to can be run again',
    })
  }
}
