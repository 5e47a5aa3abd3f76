import { createHash } from 'node:crypto'
import { type BigIntStats, closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { type Digest, digestOf, short } from '../../../cas/digest.ts'
import { Fault } from '../../../lib/fault.ts'

/** Where an object's bytes can be read. Those of this run are staged first and moved when their group becomes durable,
 *  perhaps just while a worker is on its way to open them. */
export interface Place {
  readonly digest: Digest
  readonly path: string
  readonly finalPath: string
}

/** The bytes of an object, hashed as they are read: what a node makes of damaged ones would be recorded under the name
 *  of the honest ones, and nobody would ever find it again. */
export const readPlaced = (place: Place): Buffer =>
  atEither(place, (path) => {
    const bytes = readFileSync(path)
    return digestOf(bytes) === place.digest ? bytes : undefined
  })

/** An object opened for reading in pieces. It is hashed as a whole before the first piece, once in a thread. */
export const openPlaced = (place: Place): number =>
  atEither(place, (path) => {
    const fd = openSync(path, 'r')
    try {
      if (isWhole(fd, place.digest)) return fd
    } catch (error) {
      closeSync(fd)
      throw error
    }
    closeSync(fd)
    return undefined
  })

/** Says that an object's bytes are not what its name says, or are gone. `details.digest` is what the engine heals. */
export const unreadableObject = (digest: Digest, why: string): Fault =>
  new Fault({
    code: 'corrupt',
    what: `the object ${short(digest)} ${why}`,
    todo: 'run "pipe verify" to list every damaged object, then "pipe run" to rebuild what can be rebuilt',
    details: { digest },
  })

function atEither<T>({ digest, path, finalPath }: Place, read: (path: string) => T | undefined): T {
  let why = 'is gone from the store'
  for (const place of path === finalPath ? [path] : [path, finalPath]) {
    try {
      const found = read(place)
      if (found !== undefined) return found
      why = 'is damaged: its bytes are not what its name says'
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EISDIR' || code === 'EIO') why = `cannot be read (${code})`
      else if (code !== 'ENOENT') throw error
    }
  }
  throw unreadableObject(digest, why)
}

/** Objects this thread has hashed, by what the filesystem said of them at that moment. */
const hashed = new Map<Digest, string>()
const hashedMax = 10_000
const chunkSizeBytes = 2 ** 20

function isWhole(fd: number, digest: Digest): boolean {
  const stat = fstatSync(fd, { bigint: true })
  const stamp = stampOf(stat)
  if (hashed.get(digest) === stamp) return true
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafeSlow(Math.min(Number(stat.size) + 1, chunkSizeBytes))
  for (let at = 0; ; ) {
    const count = readSync(fd, chunk, 0, chunk.length, at)
    if (count === 0) break
    hash.update(count === chunk.length ? chunk : chunk.subarray(0, count))
    at += count
  }
  if (hash.digest('hex') !== digest) return false
  if (hashed.size >= hashedMax) hashed.clear()
  hashed.set(digest, stamp)
  return true
}

// A rename does not change any of these, so an object that moves from staging to its place is not hashed again.
const stampOf = ({ dev, ino, mtimeNs, size }: BigIntStats): string => `${dev} ${ino} ${mtimeNs} ${size}`
