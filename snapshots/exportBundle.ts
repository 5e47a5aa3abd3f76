import { createHash, randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Digest, short } from '../cas/digest.ts'
import { syncFolder } from '../cas/folders.ts'
import { writeFault } from '../cas/ioFault.ts'
import { objectPath } from '../cas/layout.ts'
import type { Store } from '../cas/store.ts'
import { Fault } from '../lib/fault.ts'
import { folderFiles } from './pin.ts'
import { reachOf } from './reach.ts'
import { readSnapshot, readSnapshotFile, snapshotFiles } from './snapshotFolder.ts'
import { paddingSizeBytes, tarHeader, trailerSizeBytes } from './tar.ts'

/** `all`: every object that is here. `never-evicted`: what suffices to check the snapshot and to make the rest again. */
export type BundleContent = 'all' | 'never-evicted'

export interface ExportedBundle {
  readonly sha256: Digest
  readonly sizeBytes: number
  readonly objects: number
  /** Derived objects that are not in it. */
  readonly leftOut: number
}

/** The four files of a bundle that are no objects, in the order in which they stand in it. */
export const bundledFiles = ['manifest', 'provenance', 'checksums', 'derivedChecksums'] as const

/** Writes a snapshot as one uncompressed tar file: the same snapshot, the same bytes. Objects are streamed and hashed
 *  on their way, so that a bundle never carries what `sha256sum -c` would refuse. */
export function exportSnapshot(
  store: Store,
  name: string,
  outFile: string,
  options: { readonly include?: BundleContent; readonly onProgress?: (doneBytes: number) => void } = {},
): ExportedBundle {
  const { manifest } = readSnapshot(store.root, name)
  const reach = reachOf(manifest, (digest) => store.readObject(digest))
  const own = bundledFiles.map((file) => ({ file, bytes: readSnapshotFile(store.root, name, file) }))
  const expected = folderFiles(manifest, own[1]!.bytes.toString('utf8'), reach, { origin: 'pinned', trusted: false })
  for (const { file, bytes } of own) {
    if (!bytes.equals(Buffer.from(expected[file]))) throw damagedFolder(name, snapshotFiles[file])
  }
  const derived = options.include === 'never-evicted' ? [] : [...reach.derived]
  const here = derived.filter((digest) => store.hasObject(digest, reach.sizes.get(digest)))
  const objects = [...reach.neverEvicted, ...here].sort()

  if (existsSync(outFile)) {
    throw new Fault({
      code: 'usage',
      what: 'this file exists',
      where: outFile,
      todo: 'name another file, or remove it',
    })
  }
  const partial = `${outFile}.${randomBytes(6).toString('hex')}.partial`
  try {
    const out = new HashedFile(partial, options.onProgress)
    try {
      for (const { file, bytes } of own) {
        out.write(tarHeader({ path: `snapshots/${name}/${snapshotFiles[file]}`, sizeBytes: bytes.length }))
        out.write(bytes)
        out.write(Buffer.alloc(paddingSizeBytes(bytes.length)))
      }
      for (const digest of objects) copyObject(store, digest, out)
      out.write(Buffer.alloc(trailerSizeBytes))
    } finally {
      out.close()
    }
    renameSync(partial, outFile)
    syncFolder(dirname(outFile))
    return {
      sha256: out.digest(),
      sizeBytes: out.sizeBytes,
      objects: objects.length,
      leftOut: reach.derived.size - here.length,
    }
  } catch (error) {
    rmSync(partial, { force: true })
    throw writeFault(error, outFile)
  }
}

const chunkSizeBytes = 1024 * 1024

function copyObject(store: Store, digest: Digest, out: HashedFile): void {
  const path = store.locate(digest)
  if (path === undefined) {
    throw new Fault({
      code: 'corrupt',
      what: `the object ${short(digest)} went missing during the export`,
      where: digest,
      todo: 'run "pipe verify" on the snapshot',
    })
  }
  const fd = openSync(path, 'r')
  try {
    const { size } = statSync(path)
    out.write(tarHeader({ path: objectPath('objects', digest), sizeBytes: size }))
    const hash = createHash('sha256')
    const chunk = Buffer.allocUnsafe(Math.min(chunkSizeBytes, Math.max(size, 1)))
    let done = 0
    while (done < size) {
      const count = readSync(fd, chunk, 0, Math.min(chunk.length, size - done), done)
      if (count === 0) break
      hash.update(chunk.subarray(0, count))
      out.write(chunk.subarray(0, count))
      done += count
    }
    if (hash.digest('hex') !== digest) {
      const why = `its ${done} bytes hash to something else`
      store.quarantine(digest, path, why)
      throw new Fault({
        code: 'corrupt',
        what: `the object ${short(digest)} is damaged: ${why}`,
        where: digest,
        todo: 'run "pipe verify" on the snapshot to see what else is hit and what can be made again',
      })
    }
    out.write(Buffer.alloc(paddingSizeBytes(size)))
  } finally {
    closeSync(fd)
  }
}

/** A file that knows its own hash. */
class HashedFile {
  readonly #fd: number
  readonly #hash = createHash('sha256')
  readonly #onProgress: ((doneBytes: number) => void) | undefined
  sizeBytes = 0

  constructor(path: string, onProgress?: (doneBytes: number) => void) {
    this.#fd = openSync(path, 'wx', 0o644)
    this.#onProgress = onProgress
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.byteLength; ) done += writeSync(this.#fd, bytes, done, bytes.byteLength - done)
    this.#hash.update(bytes)
    this.sizeBytes += bytes.byteLength
    this.#onProgress?.(this.sizeBytes)
  }

  close(): void {
    fsyncSync(this.#fd)
    closeSync(this.#fd)
  }

  digest(): Digest {
    return this.#hash.digest('hex') as Digest
  }
}

function damagedFolder(name: string, file: string): Fault {
  return new Fault({
    code: 'corrupt',
    what: `${file} does not fit the manifest it stands beside`,
    where: `snapshots/${name}`,
    todo: `run "pipe verify ${name}"`,
  })
}
