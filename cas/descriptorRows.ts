import type { Stats } from 'node:fs'
import { crc32 } from 'node:zlib'
import { type Digest, digestSizeBytes } from './digest.ts'

/** Descriptors as rows of one buffer, found by artifact through an open-addressed hash table, each with what the file
 *  system said of its file and the descriptor's bytes. Plain bytes, for there may be ten thousands of them. */
export class DescriptorRows {
  #count = 0
  #rows: Buffer = Buffer.alloc(0)
  #texts: Buffer = Buffer.alloc(0)
  #textsEnd = 0
  /** Row number + 1 at a slot found by the first four bytes of the digest; 0 is empty. */
  #table = new Uint32Array(1024)

  get count(): number {
    return this.#count
  }

  find(artifact: Digest): number | undefined {
    wanted.write(artifact, 'hex')
    return this.#findRaw(wanted, 0).row
  }

  /** Adds a row, unless the artifact has one. */
  add(artifact: Digest, { dev, ino, size, mtimeMs, ctimeMs }: Stats, text: Uint8Array): void {
    const row = Buffer.allocUnsafe(rowSizeBytes)
    row.write(artifact, 'hex')
    row.writeDoubleLE(dev, rowDevice)
    row.writeDoubleLE(ino, rowInode)
    row.writeDoubleLE(size, rowSize)
    row.writeDoubleLE(mtimeMs, rowMtime)
    row.writeDoubleLE(ctimeMs, rowCtime)
    this.#addRaw(row, 0, text)
  }

  /** Takes over what it lacks of others, as long as there is room. */
  absorb(others: DescriptorRows, textSizeBytesMax: number): void {
    for (let row = 0; row < others.#count; row++) {
      const text = others.text(row)
      if (this.#textsEnd + text.length > textSizeBytesMax) return
      this.#addRaw(others.#rows, row * rowSizeBytes, text)
    }
  }

  /** Whether the file system says of a file what it said when the row was made. */
  isUntouched(row: number, { dev, ino, size, mtimeMs, ctimeMs }: Stats): boolean {
    const rows = this.#rows
    const at = row * rowSizeBytes
    return (
      rows.readDoubleLE(at + rowCtime) === ctimeMs &&
      rows.readDoubleLE(at + rowMtime) === mtimeMs &&
      rows.readDoubleLE(at + rowSize) === size &&
      rows.readDoubleLE(at + rowInode) === ino &&
      rows.readDoubleLE(at + rowDevice) === dev
    )
  }

  text(row: number): Buffer {
    const at = row * rowSizeBytes
    const from = this.#rows.readUInt32LE(at + rowTextAt)
    return this.#texts.subarray(from, from + this.#rows.readUInt32LE(at + rowTextLength))
  }

  /** The file: magic, CRC-32 of all that follows it, number of rows, rows, texts. */
  encode(): Buffer {
    const head = Buffer.alloc(headSizeBytes)
    magic.copy(head)
    head.writeUInt32LE(this.#count, 20)
    const rows = this.#rows.subarray(0, this.#count * rowSizeBytes)
    const bytes = Buffer.concat([head, rows, this.#texts.subarray(0, this.#textsEnd)])
    bytes.writeUInt32LE(crc32(bytes.subarray(20)), 16)
    return bytes
  }

  /** Nothing where the bytes are torn, damaged or something else. */
  static decode(bytes: Buffer): DescriptorRows | undefined {
    if (bytes.length < headSizeBytes || bytes.compare(magic, 0, magic.length, 0, magic.length) !== 0) return undefined
    if (crc32(bytes.subarray(20)) !== bytes.readUInt32LE(16)) return undefined
    const found = new DescriptorRows()
    found.#count = bytes.readUInt32LE(20)
    const textsAt = headSizeBytes + found.#count * rowSizeBytes
    found.#rows = bytes.subarray(headSizeBytes, textsAt)
    found.#texts = bytes.subarray(textsAt)
    found.#textsEnd = found.#texts.length
    found.#rehash()
    return found
  }

  #addRaw(raw: Buffer, at: number, text: Uint8Array): void {
    if (this.#findRaw(raw, at).row !== undefined) return
    const to = this.#count * rowSizeBytes
    this.#rows = withRoomFor(this.#rows, to + rowSizeBytes)
    this.#texts = withRoomFor(this.#texts, this.#textsEnd + text.length)
    raw.copy(this.#rows, to, at, at + rowSizeBytes)
    this.#rows.writeUInt32LE(this.#textsEnd, to + rowTextAt)
    this.#rows.writeUInt32LE(text.length, to + rowTextLength)
    this.#texts.set(text, this.#textsEnd)
    this.#textsEnd += text.length
    this.#count++
    if (this.#count * 2 > this.#table.length) this.#rehash()
    else this.#table[this.#findRaw(raw, at).slot] = this.#count
  }

  #findRaw(digest: Buffer, offset: number): { slot: number; row: number | undefined } {
    const mask = this.#table.length - 1
    let slot = digest.readUInt32LE(offset) & mask
    for (;;) {
      const entry = this.#table[slot]!
      if (entry === 0) return { slot, row: undefined }
      const at = (entry - 1) * rowSizeBytes
      if (this.#rows.compare(digest, offset, offset + digestSizeBytes, at, at + digestSizeBytes) === 0) {
        return { slot, row: entry - 1 }
      }
      slot = (slot + 1) & mask
    }
  }

  #rehash(): void {
    let size = 1024
    while (size < this.#count * 4) size *= 2
    this.#table = new Uint32Array(size)
    for (let row = 0; row < this.#count; row++) {
      let slot = this.#rows.readUInt32LE(row * rowSizeBytes) & (size - 1)
      while (this.#table[slot] !== 0) slot = (slot + 1) & (size - 1)
      this.#table[slot] = row + 1
    }
  }
}

const magic = Buffer.from('tickpipe-dsc-1\n\0', 'latin1')
const headSizeBytes = 24

/** A row: the artifact, what the file system said, and where the text lies. */
const rowSizeBytes = 80
const rowDevice = 32
const rowInode = 40
const rowSize = 48
const rowMtime = 56
const rowCtime = 64
const rowTextAt = 72
const rowTextLength = 76

const wanted = Buffer.alloc(digestSizeBytes)

function withRoomFor(bytes: Buffer, sizeBytes: number): Buffer {
  if (sizeBytes <= bytes.length) return bytes
  const larger = Buffer.alloc(Math.max(sizeBytes, bytes.length * 2, 64 * 1024))
  bytes.copy(larger)
  return larger
}
