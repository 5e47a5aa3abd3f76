import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../lib/fault.ts'
import { type Digest, digestOf, short } from './digest.ts'
import { ensureFolder } from './folders.ts'
import { errnoOf, isGone, writeFault } from './ioFault.ts'
import { type Layout, objectPath } from './layout.ts'
import type { Staged } from './staging.ts'
import { takeBack } from './trash.ts'

/** Whether a whole object seems to be there: a file, of the right size where that is known. Its bytes are not read. A
 *  link is no object, wherever it leads: its bytes are nobody's to keep. */
export function isObjectThere(path: string, sizeBytes?: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isFile() === true && (sizeBytes === undefined || stat.size === sizeBytes)
}

/** What stands in the place of a staged file's object. One that is there already is marked as used just now, which
 *  keeps a collection that is running elsewhere from taking it (see `executeGc`). */
export function lookInPlace(layout: Layout, staged: Staged): 'present' | 'nothing' | 'damage' {
  const path = objectPath(layout.objects, staged.digest)
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 'nothing'
  if (!stat.isFile() || stat.size !== staged.sizeBytes) return 'damage'
  return freshen(path) ? 'present' : 'nothing'
}

export function freshen(path: string): boolean {
  try {
    const now = Date.now() / 1000
    utimesSync(path, now, now)
    return true
  } catch (error) {
    if (isGone(error)) return false
    // Somebody else's file on a shared root: we may read it, but not touch it. Its owner's collection looks at leases.
    if (errnoOf(error) === 'EPERM' || errnoOf(error) === 'EACCES') return true
    throw error
  }
}

/** Puts a flushed staged file in place. Whatever has come there meanwhile is the same bytes, which a rename replaces by
 *  their equals. */
export function placeStaged(layout: Layout, staged: Staged): void {
  const path = objectPath(layout.objects, staged.digest)
  try {
    renameSync(staged.stagedPath, path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw writeFault(error, path)
    // The 256 shard folders are made when they are first needed: making them all would cost more than a small store.
    ensureFolder(join(layout.objects, staged.digest.slice(0, 2)))
    renameSync(staged.stagedPath, path)
  }
}

/** Moves aside what stands in an object's place and is not it, so that the object can be put there. */
export function clearPlace(layout: Layout, { digest, sizeBytes }: Pick<Staged, 'digest' | 'sizeBytes'>): void {
  const path = objectPath(layout.objects, digest)
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined || (there.isFile() && there.size === sizeBytes)) return
  quarantineFile(layout, digest, { path, why: there.isFile() ? `its size is ${there.size}` : 'it is no file' })
}

/** A readable path of an object: in its place, or brought back from the trash. */
export function findObject(layout: Layout, digest: Digest, options: { readOnly: boolean }): string | undefined {
  const path = objectPath(layout.objects, digest)
  if (isObjectThere(path)) return path
  return takeBack(layout, digest, options)
}

/** Opens an object for reading, in a thread without a store: `located` is what `Store.locate` said a moment ago. A
 *  pending object may have moved to its final place since. */
export function openLocated(objectsDir: string, digest: Digest, located?: string): number {
  if (located !== undefined) {
    try {
      return openSync(located, 'r')
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }
  return openSync(objectPath(objectsDir, digest), 'r')
}

/** The bytes of an object, hashed as they are read.
 *  @param onWhole is told what the file system said of a whole one before its first byte was read */
export function readChecked(
  path: string,
  digest: Digest,
  onWhole?: (stat: Stats) => void,
): Uint8Array | { problem: string } {
  let fd: number
  try {
    // Not blocking, for somebody may have put a pipe in an object's place; and never through a link.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    if (isGone(error)) return { problem: 'it is not there' }
    if (errnoOf(error) === 'ELOOP') return { problem: 'it is a link' }
    throw error
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return { problem: stat.isDirectory() ? 'it is a folder' : 'it is no file' }
    const { size } = stat
    const bytes = Buffer.allocUnsafeSlow(size)
    for (let done = 0; done < size; ) {
      const count = readSync(fd, bytes, done, size - done, done)
      if (count === 0) return { problem: `it ends after ${done} of ${size} bytes` }
      done += count
    }
    const found = digestOf(bytes)
    if (found !== digest) return { problem: `its ${size} bytes hash to ${short(found)}` }
    onWhole?.(stat)
    return bytes
  } catch (error) {
    if (errnoOf(error) === 'EIO') return { problem: 'the disk cannot read it' }
    throw error
  } finally {
    closeSync(fd)
  }
}

export interface Quarantined {
  readonly digest: Digest
  readonly why: string
  readonly movedTo: string
}

/** Moves what stands in an object's place aside, with a finding beside it, so that the place is free for a rebuilt
 *  object and nothing is thrown away before somebody has looked. */
export function quarantineFile(
  layout: Layout,
  digest: Digest,
  finding: { path: string; why: string },
): Quarantined | undefined {
  ensureFolder(layout.quarantine)
  for (let n = 0; ; n++) {
    const movedTo = join(layout.quarantine, `${digest}.${n}`)
    try {
      // The finding's file is also what makes the name ours.
      writeFileSync(`${movedTo}.json`, `${JSON.stringify({ digest, why: finding.why, path: finding.path })}\n`, {
        flag: 'wx',
      })
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') continue
      throw writeFault(error, movedTo)
    }
    try {
      renameSync(finding.path, movedTo)
    } catch (error) {
      if (isGone(error)) return undefined
      throw writeFault(error, finding.path)
    }
    return { digest, why: finding.why, movedTo }
  }
}

export function damagedObject(digest: Digest, why: string): Fault {
  return new Fault({
    code: 'corrupt',
    what: `the object ${short(digest)} is damaged: ${why}`,
    todo: 'run "pipe verify" to list every damaged object, then "pipe run" to rebuild what can be rebuilt',
    details: { digest },
  })
}

/** Every object file under the root, with its size and age. */
export function* listObjects(layout: Layout): Generator<{ shard: string; name: string }> {
  for (const shard of readFolder(layout.objects).sort()) {
    for (const name of readFolder(join(layout.objects, shard)).sort()) yield { shard, name }
  }
}

export function readFolder(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}
