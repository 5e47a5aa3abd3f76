import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { digestSizeBytes } from './digest.ts'

/** The byte format of record segments: pure functions between bytes and entries. FORMAT.md describes it in words.
 *
 *  A segment is a preamble (magic and seal), then groups. A group is what one append wrote; its checksum covers it
 *  whole, so that a power cut in the middle of an append leaves all of it or none. Each entry inside carries its own
 *  SHA-256, so that a damaged group still gives up its good entries. */

const recordKinds = [
  'result',
  'observation',
  'evicted',
  'restored',
  'disputed',
  'resolved',
  'quarantined',
  'tombstone',
  'note',
] as const

export type RecordKind = (typeof recordKinds)[number]

/** An entry before it is written. Digests are raw bytes here. */
export interface RawEntry {
  readonly kind: number
  readonly sequence: number
  readonly recordedAtMs: number
  readonly key: Buffer
  readonly artifact: Buffer | undefined
  readonly payload: Buffer | undefined
}

export const segmentMagic = Buffer.from('tickpipe-rec-1\n\0', 'latin1')
export const sealOffset = 16
const sealSizeBytes = 64
export const preambleSizeBytes = sealOffset + sealSizeBytes
const sealMagic = 0x4c414553

export const groupMagic = Buffer.from([0x9e, 0x54, 0x50, 0x47, 0x52, 0x50, 0x0d, 0x0a])
export const groupHeaderSizeBytes = 24

/** Offsets inside an entry. */
export const entryLayout = {
  length: 0,
  digest: 4,
  kind: 36,
  flags: 37,
  sequence: 40,
  recordedAtMs: 48,
  key: 56,
} as const
export const entryHeaderSizeBytes = 88
const hasArtifactFlag = 1
const hasPayloadFlag = 2

/** Nobody writes a larger one; a length beyond it is damage and not worth an allocation. */
const entrySizeBytesMax = 64 * 2 ** 20

export function kindNumber(kind: RecordKind): number {
  return recordKinds.indexOf(kind) + 1
}

export function kindName(kind: number): RecordKind | undefined {
  return recordKinds[kind - 1]
}

function entrySizeBytes(entry: RawEntry): number {
  return entryHeaderSizeBytes + (entry.artifact ? digestSizeBytes : 0) + (entry.payload?.length ?? 0)
}

function writeEntry(target: Buffer, offset: number, entry: RawEntry): number {
  const length = entrySizeBytes(entry)
  target.writeUInt32LE(length, offset + entryLayout.length)
  target[offset + entryLayout.kind] = entry.kind
  target[offset + entryLayout.flags] = (entry.artifact ? hasArtifactFlag : 0) | (entry.payload ? hasPayloadFlag : 0)
  target.writeUInt16LE(0, offset + 38)
  target.writeDoubleLE(entry.sequence, offset + entryLayout.sequence)
  target.writeDoubleLE(entry.recordedAtMs, offset + entryLayout.recordedAtMs)
  entry.key.copy(target, offset + entryLayout.key)
  let at = offset + entryHeaderSizeBytes
  if (entry.artifact) at += entry.artifact.copy(target, at)
  entry.payload?.copy(target, at)
  const body = target.subarray(offset + entryLayout.kind, offset + length)
  target.write(hash('sha256', body, 'hex'), offset + entryLayout.digest, 'hex')
  return length
}

/** One group of entries, ready to be appended. */
export function encodeGroup(entries: readonly RawEntry[], groupIndex: number): Buffer {
  let sizeBytes = groupHeaderSizeBytes
  for (const entry of entries) sizeBytes += entrySizeBytes(entry)
  const group = Buffer.allocUnsafe(sizeBytes)
  let at = groupHeaderSizeBytes
  for (const entry of entries) at += writeEntry(group, at, entry)
  return finishGroup(group, entries.length, groupIndex)
}

/** Group 0 of a segment holds a JSON text instead of entries: who writes it, and which segments it supersedes. */
export function encodeHeadGroup(json: string): Buffer {
  const body = Buffer.from(json)
  const group = Buffer.allocUnsafe(groupHeaderSizeBytes + body.length)
  body.copy(group, groupHeaderSizeBytes)
  return finishGroup(group, 0, 0)
}

/** A group around entries that already are in their written form, as compaction copies them. */
export function encodeGroupOfWritten(entries: readonly Buffer[], groupIndex: number): Buffer {
  const head = Buffer.alloc(groupHeaderSizeBytes)
  return finishGroup(Buffer.concat([head, ...entries]), entries.length, groupIndex)
}

function finishGroup(group: Buffer, entryCount: number, groupIndex: number): Buffer {
  groupMagic.copy(group, 0)
  group.writeUInt32LE(group.length - groupHeaderSizeBytes, 12)
  group.writeUInt32LE(entryCount, 16)
  group.writeUInt32LE(groupIndex, 20)
  group.writeUInt32LE(crc32(group.subarray(12)), 8)
  return group
}

/** What lies at an offset: a good group, or nothing that can be told from noise. */
export function groupAt(
  bytes: Buffer,
  offset: number,
): { end: number; entryCount: number; groupIndex: number } | undefined {
  if (offset + groupHeaderSizeBytes > bytes.length) return undefined
  if (bytes.compare(groupMagic, 0, 8, offset, offset + 8) !== 0) return undefined
  const end = offset + groupHeaderSizeBytes + bytes.readUInt32LE(offset + 12)
  if (end > bytes.length) return undefined
  if (crc32(bytes.subarray(offset + 12, end)) !== bytes.readUInt32LE(offset + 8)) return undefined
  return { end, entryCount: bytes.readUInt32LE(offset + 16), groupIndex: bytes.readUInt32LE(offset + 20) }
}

/** The entry at an offset as far as its own numbers make sense; `isEntryIntact` says whether its bytes do. */
export function entryLengthAt(bytes: Buffer, offset: number, end: number): number | undefined {
  if (offset + entryHeaderSizeBytes > end) return undefined
  const length = bytes.readUInt32LE(offset)
  const least = entryHeaderSizeBytes + (hasArtifact(bytes, offset) ? digestSizeBytes : 0)
  if (length < least || length > entrySizeBytesMax || offset + length > end) return undefined
  return length
}

export function isEntryIntact(bytes: Buffer, offset: number, length: number): boolean {
  const digest = hash('sha256', bytes.subarray(offset + entryLayout.kind, offset + length), 'hex')
  return digest === bytes.hexSlice(offset + entryLayout.digest, offset + entryLayout.digest + digestSizeBytes)
}

export function hasArtifact(bytes: Buffer, offset: number): boolean {
  return (bytes[offset + entryLayout.flags]! & hasArtifactFlag) !== 0
}

/** The bytes of an entry's payload: canonical JSON, or undefined where it has none. */
export function entryPayload(bytes: Buffer, offset: number, length: number): Buffer | undefined {
  if ((bytes[offset + entryLayout.flags]! & hasPayloadFlag) === 0) return undefined
  const start = entryHeaderSizeBytes + (hasArtifact(bytes, offset) ? digestSizeBytes : 0)
  return bytes.subarray(offset + start, offset + length)
}

/** What a closed segment says about itself. It lies in the preamble, so that sealing changes no file size. */
export interface Seal {
  readonly sizeBytes: number
  readonly groupCount: number
  /** Of everything behind the preamble. */
  readonly sha256: Buffer
}

export function encodeSeal(seal: Seal): Buffer {
  const bytes = Buffer.alloc(sealSizeBytes)
  bytes.writeUInt32LE(sealMagic, 4)
  bytes.writeDoubleLE(seal.sizeBytes, 8)
  bytes.writeUInt32LE(seal.groupCount, 16)
  seal.sha256.copy(bytes, 32)
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0)
  return bytes
}

export function decodeSeal(preamble: Buffer): Seal | 'unsealed' | 'damaged' {
  const bytes = preamble.subarray(sealOffset, sealOffset + sealSizeBytes)
  if (bytes.every((byte) => byte === 0)) return 'unsealed'
  if (bytes.readUInt32LE(4) !== sealMagic || crc32(bytes.subarray(4)) !== bytes.readUInt32LE(0)) return 'damaged'
  return {
    sizeBytes: bytes.readDoubleLE(8),
    groupCount: bytes.readUInt32LE(16),
    sha256: Buffer.from(bytes.subarray(32, 64)),
  }
}
