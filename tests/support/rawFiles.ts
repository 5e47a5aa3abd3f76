import { createHash } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'
import type { FileSet } from '../../lib/artifact.ts'

/** Files in memory, as a task sees those of an artifact. */
export function fileSet(files: Readonly<Record<string, Uint8Array | string>>): FileSet {
  const bytes = (name: string): Uint8Array => {
    const found = files[name]
    if (found === undefined) throw new RangeError(`no file ${name}`)
    return typeof found === 'string' ? Buffer.from(found) : found
  }
  return {
    names: Object.keys(files),
    sizeBytes: (name) => bytes(name).length,
    read: bytes,
    readAt: (name, offset, lengthBytes) => bytes(name).subarray(offset, offset + lengthBytes),
  }
}

/** A zip of one file. */
export function zipOfOne(name: string, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content as string)
  const packed = deflateRawSync(bytes)
  const stem = Buffer.from(name)
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(8, 8)
  local.writeUInt16LE(stem.length, 26)
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(8, 10)
  entry.writeUInt32LE(crc32(bytes), 16)
  entry.writeUInt32LE(packed.length, 20)
  entry.writeUInt32LE(bytes.length, 24)
  entry.writeUInt16LE(stem.length, 28)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(46 + stem.length, 12)
  end.writeUInt32LE(30 + stem.length + packed.length, 16)
  return Buffer.concat([local, stem, packed, entry, stem, end])
}

/** A zip and its checksum as the archive publishes them; `csv` is what stands in the zip. */
export function archiveFiles(stem: string, csv: string, lies: { checksum?: string; member?: string } = {}): FileSet {
  const zip = zipOfOne(lies.member ?? `${stem}.csv`, csv)
  const sha256 = lies.checksum ?? createHash('sha256').update(zip).digest('hex')
  return fileSet({ [`${stem}.zip`]: zip, [`${stem}.zip.CHECKSUM`]: `${sha256}  ${stem}.zip\n` })
}
