import { Fault } from '../lib/fault.ts'

/** The little of the ustar format that a bundle uses: regular files with fixed metadata, so that the same files give
 *  the same bytes, and so that there is exactly one header for a path and a size. */

export const blockSizeBytes = 512
/** Two blocks of zeros end an archive. */
export const trailerSizeBytes = 2 * blockSizeBytes

const largestOctalSize = 0o77777777777
// Epoch zero makes some extractors warn of an implausible time; nobody reads anything into one second later.
const mtimeSeconds = 1

export interface TarEntry {
  readonly path: string
  readonly sizeBytes: number
}

export function tarHeader({ path, sizeBytes }: TarEntry): Buffer {
  const header = Buffer.alloc(blockSizeBytes)
  if (!/^[\x21-\x7e]{1,100}$/.test(path)) throw new RangeError(`a bundle cannot hold the path ${JSON.stringify(path)}`)
  header.write(path, 0, 'latin1')
  header.write('0000444\0', 100, 'latin1') // read-only, as objects are
  header.write('0000000\0', 108, 'latin1') // owner
  header.write('0000000\0', 116, 'latin1') // group
  if (sizeBytes <= largestOctalSize) header.write(`${octal(sizeBytes, 11)}\0`, 124, 'latin1')
  else {
    // Eleven octal digits end at 8 GiB. Base 256, marked by the high bit, is what GNU tar, libarchive and Python read.
    header[124] = 0x80
    header.writeBigUInt64BE(BigInt(sizeBytes), 128)
  }
  header.write(`${octal(mtimeSeconds, 11)}\0`, 136, 'latin1')
  header.write('        ', 148, 'latin1') // the checksum counts its own field as spaces
  header.write('0', 156, 'latin1') // a regular file
  header.write('ustar\0', 257, 'latin1')
  header.write('00', 263, 'latin1')
  header.write('0000000\0', 329, 'latin1')
  header.write('0000000\0', 337, 'latin1')
  let sum = 0
  for (const byte of header) sum += byte
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
  return header
}

/** Zeros that fill a file's last block. */
export const paddingSizeBytes = (sizeBytes: number): number =>
  (blockSizeBytes - (sizeBytes % blockSizeBytes)) % blockSizeBytes

/** Reads a header that `tarHeader` wrote and refuses every other: links, folders, devices, long-name extensions, other
 *  owners or times all differ in some byte from the one header that a regular file of this path and size can have. */
export function parseTarHeader(block: Buffer, where: string): TarEntry {
  const pathEnd = block.indexOf(0)
  const path = block.toString('latin1', 0, Math.min(pathEnd === -1 ? 100 : pathEnd, 100))
  const sizeBytes = (block[124]! & 0x80) === 0 ? octalAt(block, 124, 11) : sizeAt(block)
  let expected: Buffer | undefined
  try {
    expected = Number.isSafeInteger(sizeBytes) ? tarHeader({ path, sizeBytes }) : undefined
  } catch {
    expected = undefined
  }
  if (expected === undefined || !expected.equals(block)) {
    throw new Fault({
      code: 'corrupt',
      what: `the header of ${JSON.stringify(path)} is damaged, or was not written by "pipe snapshot export"`,
      where,
      todo: 'fetch the bundle again, or export it again where it came from',
    })
  }
  return { path, sizeBytes }
}

export const isZeroBlock = (block: Uint8Array): boolean => block.every((byte) => byte === 0)

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function octalAt(block: Buffer, offset: number, digits: number): number {
  const text = block.toString('latin1', offset, offset + digits)
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN
}

function sizeAt(block: Buffer): number {
  return Number(block.readBigUInt64BE(128))
}
