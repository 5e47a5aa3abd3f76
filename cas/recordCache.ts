import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { ensureFolder } from './folders.ts'
import type { SavedIndex } from './recordIndex.ts'
import { rowSizeBytes } from './recordIndex.ts'
import type { SegmentState } from './segmentFile.ts'

/** The record index as one file, so that opening a store reads no segment again. It is only a cache: whatever does
 *  not fit together is thrown away, and the segments are read. */

const magic = Buffer.from('tickpipe-idx-1\n\0', 'latin1')
const fixedSizeBytes = 32 // magic, then crc32, length of the JSON, row count, table size

interface CacheHead {
  readonly segments: readonly SegmentState[]
}

export interface LoadedCache {
  readonly segments: SegmentState[]
  readonly index: SavedIndex
}

function recordCachePath(indexDir: string): string {
  return join(indexDir, 'records.cache')
}

export function loadRecordCache(indexDir: string): LoadedCache | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(recordCachePath(indexDir))
  } catch {
    return undefined
  }
  if (bytes.length < fixedSizeBytes || bytes.compare(magic, 0, 16, 0, 16) !== 0) return undefined
  if (crc32(bytes.subarray(20)) !== bytes.readUInt32LE(16)) return undefined
  const [jsonSizeBytes, rowCount, tableSize] = [bytes.readUInt32LE(20), bytes.readUInt32LE(24), bytes.readUInt32LE(28)]
  const rowsAt = aligned(fixedSizeBytes + jsonSizeBytes)
  const byKeyAt = rowsAt + rowCount * rowSizeBytes
  const byDigestAt = byKeyAt + tableSize * 4
  if (bytes.length !== byDigestAt + tableSize * 4) return undefined
  // The typed arrays over the file need its first byte aligned; a small file may come out of Node's shared pool.
  const buffer = bytes.byteOffset % 8 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer)
  const head = JSON.parse(buffer.toString('utf8', fixedSizeBytes, fixedSizeBytes + jsonSizeBytes)) as CacheHead
  return {
    segments: [...head.segments],
    index: {
      rowCount,
      rows: buffer.subarray(rowsAt, byKeyAt),
      byKey: new Uint32Array(buffer.buffer, buffer.byteOffset + byKeyAt, tableSize),
      byDigest: new Uint32Array(buffer.buffer, buffer.byteOffset + byDigestAt, tableSize),
    },
  }
}

export function saveRecordCache(indexDir: string, segments: readonly SegmentState[], index: SavedIndex): void {
  const head: CacheHead = { segments }
  const json = Buffer.from(JSON.stringify(head))
  const rowsAt = aligned(fixedSizeBytes + json.length)
  const tableSizeBytes = index.byKey.length * 4
  const bytes = Buffer.alloc(rowsAt + index.rows.length + 2 * tableSizeBytes)
  magic.copy(bytes, 0)
  bytes.writeUInt32LE(json.length, 20)
  bytes.writeUInt32LE(index.rowCount, 24)
  bytes.writeUInt32LE(index.byKey.length, 28)
  json.copy(bytes, fixedSizeBytes)
  index.rows.copy(bytes, rowsAt)
  bytes.set(bytesOf(index.byKey), rowsAt + index.rows.length)
  bytes.set(bytesOf(index.byDigest), rowsAt + index.rows.length + tableSizeBytes)
  bytes.writeUInt32LE(crc32(bytes.subarray(20)), 16)
  const path = recordCachePath(indexDir)
  const tempPath = `${path}.${process.pid}.${process.hrtime.bigint().toString(36)}`
  try {
    ensureFolder(indexDir)
    writeFileSync(tempPath, bytes)
    renameSync(tempPath, path)
  } catch {
    // A store without its cache only opens more slowly. Nothing may fail for it, not even on a full disk.
    removeIfThere(tempPath)
  }
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}

function aligned(offset: number): number {
  return Math.ceil(offset / 8) * 8
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It never came to be.
  }
}
