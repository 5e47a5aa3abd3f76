import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { threadId } from 'node:worker_threads'

/** Files under `index/` are caches that may be deleted, or be half written by a dying process: one that cannot be read
 *  counts as absent, and one that cannot be written is left out. */
export function readIndexFile(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

export function readIndexJson(path: string): unknown {
  const bytes = readIndexFile(path)
  if (bytes === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}

export function writeIndexFile(path: string, data: string | Uint8Array): void {
  const partial = `${path}.${process.pid}-${threadId}.partial`
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(partial, data)
    renameSync(partial, path)
  } catch {
    // A read-only or full disk costs time at the next start, nothing more.
    removePartial(partial)
  }
}

/** A full disk has no room for half a file. */
function removePartial(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // It never came to be, or nothing may be deleted here.
  }
}

/** Every edit leaves what was made before it behind. What is old goes; if it was still of use, it is made again. */
export function sweepIndexFiles(dir: string, ageMsMax: number): void {
  try {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name)
      if (Date.now() - statSync(path).mtimeMs > ageMsMax) rmSync(path, { force: true })
    }
  } catch {
    // Another process sweeps too, or nothing may be deleted here: the files only take space.
  }
}
