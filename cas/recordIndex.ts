import { digestSizeBytes } from './digest.ts'
import { entryHeaderSizeBytes, entryLayout, hasArtifact } from './segment.ts'

/** All entries of all segments as rows of one buffer, found by key or by entry digest through open-addressed hash
 *  tables. Plain bytes and no objects: 100,000 entries load from the cache file in one read, and nothing is built for
 *  an entry that nobody asks for. */
export class RecordIndex {
  #rowCount: number
  #rows: Buffer
  #words: Uint32Array
  #doubles: Float64Array
  /** Row number + 1 at a slot found by the first four bytes of the key; 0 is empty. A slot leads to the newest row of
   *  its key, and each row to the one before it. */
  #byKey: Uint32Array
  #byDigest: Uint32Array

  constructor(saved?: SavedIndex) {
    this.#rowCount = saved?.rowCount ?? 0
    this.#rows = saved?.rows ?? Buffer.alloc(1024 * rowSizeBytes)
    this.#byKey = saved?.byKey ?? new Uint32Array(4096)
    this.#byDigest = saved?.byDigest ?? new Uint32Array(4096)
    this.#words = wordsOf(this.#rows)
    this.#doubles = doublesOf(this.#rows)
  }

  get rowCount(): number {
    return this.#rowCount
  }

  get saved(): SavedIndex {
    return {
      rowCount: this.#rowCount,
      rows: this.#rows.subarray(0, this.#rowCount * rowSizeBytes),
      byKey: this.#byKey,
      byDigest: this.#byDigest,
    }
  }

  /** Adds the entry at an offset of a segment, unless it is known: the store's records are a set. */
  add(bytes: Buffer, offset: number, length: number, segment: number, segmentOffset: number): number | undefined {
    if (this.findDigest(bytes, offset + entryLayout.digest) !== undefined) return undefined
    this.#makeRoom()
    const row = this.#rowCount++
    const at = row * rowSizeBytes
    const rows = this.#rows
    bytes.copy(rows, at, offset + entryLayout.digest, offset + entryLayout.digest + digestSizeBytes)
    bytes.copy(rows, at + rowKey, offset + entryLayout.key, offset + entryLayout.key + digestSizeBytes)
    if (hasArtifact(bytes, offset)) {
      bytes.copy(rows, at + rowArtifact, offset + entryHeaderSizeBytes, offset + entryHeaderSizeBytes + digestSizeBytes)
    }
    this.#doubles[at / 8 + 12] = bytes.readDoubleLE(offset + entryLayout.sequence)
    this.#doubles[at / 8 + 13] = bytes.readDoubleLE(offset + entryLayout.recordedAtMs)
    this.#words[at / 4 + 28] = segmentOffset
    this.#words[at / 4 + 29] = length
    rows.writeUInt16LE(segment, at + 124)
    rows[at + rowKind] = bytes[offset + entryLayout.kind]!
    rows[at + rowFlags] = bytes[offset + entryLayout.flags]!
    this.#link(row)
    return row
  }

  /** The newest row of a key, or undefined. */
  findKey(key: Buffer, offset = 0): number | undefined {
    const slot = this.#slotOf(this.#byKey, rowKey, key, offset)
    return slot.row
  }

  /** The row of the same key that was added before this one. */
  before(row: number): number | undefined {
    const next = this.#words[(row * rowSizeBytes) / 4 + 30]!
    return next === 0 ? undefined : next - 1
  }

  findDigest(digest: Buffer, offset = 0): number | undefined {
    return this.#slotOf(this.#byDigest, 0, digest, offset).row
  }

  kind(row: number): number {
    return this.#rows[row * rowSizeBytes + rowKind]!
  }

  isDead(row: number): boolean {
    return (this.#rows[row * rowSizeBytes + rowFlags]! & deadFlag) !== 0
  }

  /** A tombstone names this entry. */
  markDead(row: number): void {
    this.#rows[row * rowSizeBytes + rowFlags]! |= deadFlag
  }

  sequence(row: number): number {
    return this.#doubles[(row * rowSizeBytes) / 8 + 12]!
  }

  recordedAtMs(row: number): number {
    return this.#doubles[(row * rowSizeBytes) / 8 + 13]!
  }

  hasArtifact(row: number): boolean {
    return (this.#rows[row * rowSizeBytes + rowFlags]! & 1) !== 0
  }

  hasPayload(row: number): boolean {
    return (this.#rows[row * rowSizeBytes + rowFlags]! & 2) !== 0
  }

  /** Where the raw digests of a row lie in `bytes`. */
  get bytes(): Buffer {
    return this.#rows
  }

  digestOffset(row: number): number {
    return row * rowSizeBytes
  }

  keyOffset(row: number): number {
    return row * rowSizeBytes + rowKey
  }

  artifactOffset(row: number): number {
    return row * rowSizeBytes + rowArtifact
  }

  place(row: number): { segment: number; offset: number; length: number } {
    const words = (row * rowSizeBytes) / 4
    return {
      segment: this.#rows.readUInt16LE(row * rowSizeBytes + 124),
      offset: this.#words[words + 28]!,
      length: this.#words[words + 29]!,
    }
  }

  /** Which of two rows comes first: by sequence, and where two processes took the same one, by digest. */
  compare(a: number, b: number): number {
    const bySequence = this.sequence(a) - this.sequence(b)
    if (bySequence !== 0) return bySequence
    const at = a * rowSizeBytes
    const bt = b * rowSizeBytes
    return this.#rows.compare(this.#rows, bt, bt + digestSizeBytes, at, at + digestSizeBytes)
  }

  #link(row: number): void {
    const at = row * rowSizeBytes
    const byKey = this.#slotOf(this.#byKey, rowKey, this.#rows, at + rowKey)
    this.#words[at / 4 + 30] = byKey.row === undefined ? 0 : byKey.row + 1
    this.#byKey[byKey.slot] = row + 1
    this.#byDigest[this.#slotOf(this.#byDigest, 0, this.#rows, at).slot] = row + 1
  }

  #slotOf(
    table: Uint32Array,
    column: number,
    wanted: Buffer,
    offset: number,
  ): { slot: number; row: number | undefined } {
    const mask = table.length - 1
    let slot = wanted.readUInt32LE(offset) & mask
    for (;;) {
      const entry = table[slot]!
      if (entry === 0) return { slot, row: undefined }
      const at = (entry - 1) * rowSizeBytes + column
      if (this.#rows.compare(wanted, offset, offset + digestSizeBytes, at, at + digestSizeBytes) === 0) {
        return { slot, row: entry - 1 }
      }
      slot = (slot + 1) & mask
    }
  }

  #makeRoom(): void {
    if ((this.#rowCount + 1) * rowSizeBytes > this.#rows.length) {
      const larger = Buffer.alloc(Math.max(this.#rows.length * 2, 1024 * rowSizeBytes))
      this.#rows.copy(larger)
      this.#rows = larger
      this.#words = wordsOf(larger)
      this.#doubles = doublesOf(larger)
    }
    if ((this.#rowCount + 1) * 2 > this.#byKey.length) this.#rehash(this.#byKey.length * 2)
  }

  #rehash(size: number): void {
    this.#byKey = new Uint32Array(size)
    this.#byDigest = new Uint32Array(size)
    // In the order of the rows: the chains come out as they were.
    for (let row = 0; row < this.#rowCount; row++) this.#link(row)
  }
}

export interface SavedIndex {
  readonly rowCount: number
  readonly rows: Buffer
  readonly byKey: Uint32Array
  readonly byDigest: Uint32Array
}

/** A row: digest 0, key 32, artifact 64, sequence 96, recordedAtMs 104, offset 112, length 116, row before 120,
 *  segment 124, kind 126, flags 127. */
export const rowSizeBytes = 128
const rowKey = 32
const rowArtifact = 64
const rowKind = 126
const rowFlags = 127
const deadFlag = 0x80

function wordsOf(rows: Buffer): Uint32Array {
  return new Uint32Array(rows.buffer, rows.byteOffset, rows.length / 4)
}

function doublesOf(rows: Buffer): Float64Array {
  return new Float64Array(rows.buffer, rows.byteOffset, rows.length / 8)
}
