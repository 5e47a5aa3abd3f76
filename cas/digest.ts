import { hash } from 'node:crypto'
import { Fault } from '../lib/fault.ts'

/** SHA-256 of an object's bytes as 64 lower-case hex digits. Only `digestOf`, `digestFromBytes` and `parseDigest`
 *  make one. */
export type Digest = string & { readonly brand: 'Digest' }

export const digestSizeBytes = 32

const digestPattern = /^[0-9a-f]{64}$/

export function digestOf(bytes: Uint8Array | string): Digest {
  return hash('sha256', bytes, 'hex') as Digest
}

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && digestPattern.test(text)
}

/** For text that came from outside: a file, a flag, a manifest. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new Fault({
    code: 'usage',
    what: `"${text.slice(0, 80)}" is not a digest: 64 lower-case hex digits are expected`,
    todo: 'copy the whole hash, as "pipe show" prints it',
  })
}

/** The raw form in records and indexes, back to hex. */
export function digestFromBytes(bytes: Buffer, offset: number): Digest {
  return bytes.hexSlice(offset, offset + digestSizeBytes) as Digest
}

/** Enough to tell objects apart in a message, never to find one. */
export function short(digest: Digest): string {
  return digest.slice(0, 12)
}

declare global {
  // Node has had this method since its first days, but the types leave it out. It halves the cost of a slice plus
  // toString, and an index of 100,000 records does nothing else.
  interface Buffer {
    hexSlice(start: number, end: number): string
  }
}
