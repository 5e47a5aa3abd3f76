import { createHash } from 'node:crypto'
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { type Digest, digestOf } from './digest.ts'
import { errnoOf, writeFault } from './ioFault.ts'

/** A whole file in the staging folder, hashed while it was written, that no reader outside this process sees yet.
 *  A plain value: worker threads send it to the thread that has the store open. */
export interface Staged {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly stagedPath: string
}

export interface StagedWriter {
  write(chunk: Uint8Array): void
  finish(): Staged
  /** Forgets the file. Harmless after `finish` or a second time. */
  abort(): void
}

/** Works in any thread and needs no open store, only the path of its staging folder. */
export function stageBytes(stagingDir: string, bytes: Uint8Array | string): Staged {
  const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  const { fd, path } = createStagedFile(stagingDir)
  try {
    writeWhole(fd, data)
  } catch (error) {
    closeSync(fd)
    discardStaged(path)
    throw writeFault(error, path)
  }
  closeSync(fd)
  return { digest: digestOf(data), sizeBytes: data.byteLength, stagedPath: path }
}

export function openStagedWriter(stagingDir: string): StagedWriter {
  const { fd, path } = createStagedFile(stagingDir)
  const hash = createHash('sha256')
  let sizeBytes = 0
  let open = true
  const abort = () => {
    if (!open) return
    open = false
    closeSync(fd)
    discardStaged(path)
  }
  return {
    write(chunk) {
      if (!open) throw new Error('this staged file was finished or aborted')
      try {
        writeWhole(fd, chunk)
      } catch (error) {
        abort()
        throw writeFault(error, path)
      }
      hash.update(chunk)
      sizeBytes += chunk.byteLength
    },
    finish() {
      if (!open) throw new Error('this staged file was finished or aborted')
      open = false
      closeSync(fd)
      return { digest: hash.digest('hex') as Digest, sizeBytes, stagedPath: path }
    },
    abort,
  }
}

export function discardStaged(stagedPath: string): void {
  try {
    unlinkSync(stagedPath)
  } catch (error) {
    // Somebody else's sweep may have been first, and a leftover is swept later: neither is worth failing for.
    if (errnoOf(error) === undefined) throw error
  }
}

// Names need to be unique in one process's staging folder only. The time tells copies of this module apart, since
// each task's bundle may carry its own; no random source is used, for pure tasks have theirs switched off.
const copyTag = `${threadId.toString(36)}-${process.hrtime.bigint().toString(36)}`
let stagedCount = 0

function createStagedFile(stagingDir: string): { fd: number; path: string } {
  for (;;) {
    const path = join(stagingDir, `${copyTag}-${(stagedCount++).toString(36)}`)
    try {
      // Read-only from the start: the descriptor that creates it may write all the same, and nobody else ever may.
      return { fd: openSync(path, 'wx', 0o444), path }
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw writeFault(error, path)
    }
  }
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  // A nearly full disk takes a part of the bytes without an error; the next call then says why.
  for (let done = 0; done < bytes.byteLength; ) done += writeSync(fd, bytes, done, bytes.byteLength - done)
}
