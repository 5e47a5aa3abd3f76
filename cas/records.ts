import { closeSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../lib/fault.ts'
import { canonicalJson, parseCanonicalJson } from './canonicalJson.ts'
import { type Digest, digestFromBytes, short } from './digest.ts'
import type { FaultPoints } from './faultPoints.ts'
import { readGeneration } from './generation.ts'
import type { Layout } from './layout.ts'
import { loadRecordCache, saveRecordCache } from './recordCache.ts'
import { RecordIndex } from './recordIndex.ts'
import {
  entryLayout,
  entryPayload,
  groupHeaderSizeBytes,
  isEntryIntact,
  kindName,
  kindNumber,
  type RawEntry,
  type RecordKind,
} from './segment.ts'
import { isSegmentGone, newSegmentState, readRange, readSegment, type SegmentState } from './segmentFile.ts'
import { type DamagedStretch, eachEntry } from './segmentScan.ts'
import { type AppendedGroup, SegmentWriter, segmentSuffix } from './segmentWriter.ts'

/** What a caller wants recorded. */
export interface RecordEntry {
  readonly kind: RecordKind
  /** A node's key; for `evicted`, `restored` and `quarantined` the artifact or object it is about; for `tombstone`
   *  the digest of the record it takes back. */
  readonly key: Digest
  readonly artifact?: Digest
  /** Anything `canonicalJson` takes. */
  readonly payload?: unknown
}

export interface StoredRecord {
  readonly kind: RecordKind
  readonly key: Digest
  readonly artifact: Digest | undefined
  /** Orders records of one store; grows with what the writer had seen, and has nothing to do with the clock. */
  readonly sequence: number
  readonly recordedAtMs: number
  /** The record's own name. */
  readonly digest: Digest
  readonly hasPayload: boolean
}

export interface SegmentDamage extends DamagedStretch {
  readonly segment: string
}

const segmentSizeBytesMax = 128 * 2 ** 20
/** Writing the cache costs as much as reading this many fresh entries a few times over. */
const cacheLagMax = 500

const kinds = {
  result: kindNumber('result'),
  observation: kindNumber('observation'),
  evicted: kindNumber('evicted'),
  restored: kindNumber('restored'),
  disputed: kindNumber('disputed'),
  resolved: kindNumber('resolved'),
  tombstone: kindNumber('tombstone'),
}

/** The records of a store: all segments of all writers, as one set. */
export class Records {
  readonly #layout: Layout
  readonly #durable: boolean
  readonly #clock: () => number
  readonly #faults: FaultPoints | undefined
  readonly #commit: (records: readonly RecordEntry[]) => Promise<void>
  #index = new RecordIndex()
  /** By the number that rows carry. */
  #segments: SegmentState[] = []
  #byName = new Map<string, number>()
  #fds = new Map<number, number>()
  #buried = new Set<Digest>()
  #lastSequence = 0
  #cachedRows = 0
  #writer: SegmentWriter | undefined

  constructor(options: {
    layout: Layout
    durable: boolean
    clock: () => number
    faults?: FaultPoints | undefined
    commit: (records: readonly RecordEntry[]) => Promise<void>
  }) {
    this.#layout = options.layout
    this.#durable = options.durable
    this.#clock = options.clock
    this.#faults = options.faults
    this.#commit = options.commit
    this.#load(loadRecordCache(this.#layout.index))
  }

  /** The record that serves for a key: the one a resolution chose, else the first. */
  result(key: Digest): StoredRecord | undefined {
    const rows = this.#rowsOf(key, kinds.result)
    if (rows.length === 0) return undefined
    const chosen = this.#rowsOf(key, kinds.resolved).at(-1)
    if (chosen !== undefined) {
      const artifact = this.#artifactAt(chosen)
      const row = rows.find((candidate) => this.#artifactAt(candidate) === artifact)
      if (row !== undefined) return this.#record(row)
    }
    return this.#record(rows[0]!)
  }

  /** All results of a key, the first first: more than one artifact among them is a dispute. */
  results(key: Digest): StoredRecord[] {
    return this.#rowsOf(key, kinds.result).map((row) => this.#record(row))
  }

  /** Whether a key has given different bytes and nobody has chosen among them since. */
  disputed(key: Digest): boolean {
    const resolved = this.#rowsOf(key, kinds.resolved).at(-1)
    const flags = this.#rowsOf(key, kinds.disputed)
    if (flags.some((row) => resolved === undefined || this.#index.compare(row, resolved) > 0)) return true
    const known = new Set<Digest | undefined>()
    const later = new Set<Digest | undefined>()
    for (const row of this.#rowsOf(key, kinds.result)) {
      const before = resolved !== undefined && this.#index.compare(row, resolved) < 0
      ;(before ? known : later).add(this.#artifactAt(row))
    }
    if (resolved === undefined) return later.size > 1
    return [...later].some((artifact) => !known.has(artifact))
  }

  /** Every key that is disputed now. */
  disputes(): Digest[] {
    const keys = new Set<Digest>()
    const several = new Set<Digest>()
    for (const kind of [kinds.result, kinds.disputed]) {
      this.#eachRow(kind, (row) => {
        const key = digestFromBytes(this.#index.bytes, this.#index.keyOffset(row))
        if (kind === kinds.disputed || keys.has(key)) several.add(key)
        keys.add(key)
      })
    }
    return [...several].filter((key) => this.disputed(key)).sort()
  }

  /** Lets one of a disputed key's artifacts serve from now on. */
  async resolve(key: Digest, artifact: Digest): Promise<void> {
    this.refresh()
    if (!this.results(key).some((record) => record.artifact === artifact)) {
      throw new Fault({
        code: 'usage',
        what: `the key ${short(key)} never gave the artifact ${short(artifact)}`,
        todo: 'choose one of the artifacts that "pipe show" lists for the key',
      })
    }
    await this.#commit([{ kind: 'resolved', key, artifact }])
  }

  /** What was seen under a source key, oldest first, by sequence. */
  observations(key: Digest): StoredRecord[] {
    return this.#rowsOf(key, kinds.observation).map((row) => this.#record(row))
  }

  /** All records of one kind under a key, oldest first. */
  of(kind: RecordKind, key: Digest): StoredRecord[] {
    return this.#rowsOf(key, kindNumber(kind)).map((row) => this.#record(row))
  }

  /** Whether the last word about an artifact's bytes is that they were given up on purpose. */
  isEvicted(artifact: Digest): boolean {
    let last: number | undefined
    this.#eachRowOf(artifact, (row) => {
      const kind = this.#index.kind(row)
      if (kind !== kinds.evicted && kind !== kinds.restored) return
      if (last === undefined || this.#index.compare(row, last) > 0) last = row
    })
    return last !== undefined && this.#index.kind(last) === kinds.evicted
  }

  /** Reads a record's payload from its segment, checked against the record's own digest. */
  payload(record: StoredRecord): unknown {
    if (!record.hasPayload) return undefined
    const entry = this.#readEntry(record, 'retry')
    const payload = entryPayload(entry, 0, entry.length)
    return payload === undefined ? undefined : parseCanonicalJson(payload.toString('utf8'))
  }

  /** All records of a kind, in no particular order. */
  scan(kind: RecordKind, onRecord: (record: StoredRecord) => void): void {
    this.#eachRow(kindNumber(kind), (row) => onRecord(this.#record(row)))
  }

  get count(): number {
    return this.#index.rowCount
  }

  generation(): string {
    return readGeneration(this.#layout.root)
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
    const fresh: SegmentState[] = []
    for (const name of this.#listSegments()) if (!this.#byName.has(name)) fresh.push(newSegmentState(name))
    // A compacted segment repeats older ones. Read first, it saves reading them, provided that it is whole.
    fresh.sort((a, b) => (a.name < b.name ? 1 : -1))
    const superseded = new Set<string>()
    for (const state of fresh) {
      if (superseded.has(state.name)) continue
      this.#read(this.#adopt(state))
      if (state.sealed && state.damage.length === 0) for (const name of state.supersedes) superseded.add(name)
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

  /** The written form of every live entry of some segments, for compaction. */
  *writtenEntries(segments: ReadonlySet<string>): Generator<Buffer> {
    for (let row = 0; row < this.#index.rowCount; row++) {
      if (this.#index.isDead(row)) continue
      const place = this.#index.place(row)
      if (segments.has(this.#segments[place.segment]!.name)) yield this.#readEntry(this.#record(row), 'fail')
    }
  }

  #load(cache: ReturnType<typeof loadRecordCache>): void {
    const there = new Set(this.#listSegments())
    const usable = cache?.segments.every((segment) => there.has(segment.name)) ? cache : undefined
    this.#index = new RecordIndex(usable?.index)
    this.#segments = usable?.segments ?? []
    this.#byName = new Map(this.#segments.map((segment, i) => [segment.name, i]))
    this.#cachedRows = this.#index.rowCount
    this.#buried = new Set()
    for (let row = 0; row < this.#index.rowCount; row++) {
      this.#lastSequence = Math.max(this.#lastSequence, this.#index.sequence(row))
      if (this.#index.kind(row) === kinds.tombstone) {
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
    if (this.#index.kind(row) === kinds.tombstone) {
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

  #rowsOf(key: Digest, kind: number): number[] {
    const rows: number[] = []
    this.#eachRowOf(key, (row) => {
      if (this.#index.kind(row) === kind) rows.push(row)
    })
    return rows.length > 1 ? rows.sort((a, b) => this.#index.compare(a, b)) : rows
  }

  #eachRowOf(key: Digest, onRow: (row: number) => void): void {
    keyScratch.write(key, 'hex')
    for (let row = this.#index.findKey(keyScratch); row !== undefined; row = this.#index.before(row)) {
      if (!this.#index.isDead(row)) onRow(row)
    }
  }

  #eachRow(kind: number, onRow: (row: number) => void): void {
    for (let row = 0; row < this.#index.rowCount; row++) {
      if (this.#index.kind(row) === kind && !this.#index.isDead(row)) onRow(row)
    }
  }

  #record(row: number): StoredRecord {
    const index = this.#index
    return {
      kind: kindName(index.kind(row)) ?? 'note',
      key: digestFromBytes(index.bytes, index.keyOffset(row)),
      artifact: this.#artifactAt(row),
      sequence: index.sequence(row),
      recordedAtMs: index.recordedAtMs(row),
      digest: digestFromBytes(index.bytes, index.digestOffset(row)),
      hasPayload: index.hasPayload(row),
    }
  }

  #artifactAt(row: number): Digest | undefined {
    if (!this.#index.hasArtifact(row)) return undefined
    return digestFromBytes(this.#index.bytes, this.#index.artifactOffset(row))
  }

  #readEntry(record: StoredRecord, whenGone: 'retry' | 'fail'): Buffer {
    const row = this.#index.findDigest(Buffer.from(record.digest, 'hex'))
    if (row === undefined) throw new Error(`the record ${record.digest} is not in this store`)
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
      return this.#readEntry(record, 'fail')
    }
    throw new Fault({
      code: 'corrupt',
      what: `the record ${short(record.digest)} is damaged`,
      where: `${name} at byte ${offset}`,
      todo: 'run "pipe verify" to see what else is hit; the node it belongs to can be run again',
    })
  }
}

const keyScratch = Buffer.alloc(32)

/** An entry whose payload is already in bytes, so that a value that cannot be written fails its own caller and not the
 *  whole group. */
export type PreparedEntry = Omit<RawEntry, 'sequence' | 'recordedAtMs'>

export function prepareEntry(entry: RecordEntry): PreparedEntry {
  return {
    kind: kindNumber(entry.kind),
    key: Buffer.from(entry.key, 'hex'),
    artifact: entry.artifact === undefined ? undefined : Buffer.from(entry.artifact, 'hex'),
    payload: entry.payload === undefined ? undefined : Buffer.from(canonicalJson(entry.payload)),
  }
}
