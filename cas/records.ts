import { Fault } from '../lib/fault.ts'
import { canonicalJson, parseCanonicalJson } from './canonicalJson.ts'
import { type Digest, digestFromBytes, short } from './digest.ts'
import { readGeneration } from './generation.ts'
import type { RecordIndex } from './recordIndex.ts'
import type { PreparedEntry, RecordLog, SegmentDamage } from './recordLog.ts'
import { entryPayload, kindName, kindNumber, type RecordKind } from './segment.ts'

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

const kinds = {
  result: kindNumber('result'),
  observation: kindNumber('observation'),
  evicted: kindNumber('evicted'),
  restored: kindNumber('restored'),
  disputed: kindNumber('disputed'),
  resolved: kindNumber('resolved'),
}

/** The records of a store: what the entries of all segments, as one set, say together. */
export class Records {
  readonly #log: RecordLog
  readonly #root: string
  readonly #commit: (records: readonly RecordEntry[]) => Promise<void>

  constructor(options: {
    root: string
    log: RecordLog
    commit: (records: readonly RecordEntry[]) => Promise<void>
  }) {
    this.#root = options.root
    this.#log = options.log
    this.#commit = options.commit
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

  /** As `result`, where nothing but the artifact is asked for: a walk asks it of every node. */
  resultArtifact(key: Digest): Digest | undefined {
    const only = this.#onlyRowOf(key)
    if (only === undefined) return this.result(key)?.artifact
    return this.#index.kind(only) === kinds.result ? this.#artifactAt(only) : undefined
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

  /** The last of these. */
  newestObservation(key: Digest): StoredRecord | undefined {
    const only = this.#onlyRowOf(key)
    const row = only === undefined ? this.#rowsOf(key, kinds.observation).at(-1) : only
    return row === undefined || this.#index.kind(row) !== kinds.observation ? undefined : this.#record(row)
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
    const entry = this.#log.readEntry(record.digest)
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

  /** See `readGeneration`. */
  generation(): string {
    return readGeneration(this.#root)
  }

  /** Stretches of segments whose bytes are not what was written. The rest of the records serves all the same. */
  damage(): SegmentDamage[] {
    return this.#log.damage()
  }

  /** Picks up what other processes recorded. */
  refresh(): void {
    this.#log.refresh()
  }

  /** As `refresh`, for questions asked so often that a listing each time would tell, and where a late answer costs time
   *  and nothing else. */
  refreshLightly(): void {
    this.#log.refreshLightly()
  }

  // A reload may put another index in place of the old one, so it is asked for anew each time.
  get #index(): RecordIndex {
    return this.#log.index
  }

  /** The row of a key that has one and no more, as nearly every key does. */
  #onlyRowOf(key: Digest): number | undefined {
    keyScratch.write(key, 'hex')
    const index = this.#index
    const row = index.findKey(keyScratch)
    return row === undefined || index.before(row) !== undefined || index.isDead(row) ? undefined : row
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
}

const keyScratch = Buffer.alloc(32)

export function prepareEntry(entry: RecordEntry): PreparedEntry {
  return {
    kind: kindNumber(entry.kind),
    key: Buffer.from(entry.key, 'hex'),
    artifact: entry.artifact === undefined ? undefined : Buffer.from(entry.artifact, 'hex'),
    payload: entry.payload === undefined ? undefined : Buffer.from(canonicalJson(entry.payload)),
  }
}
