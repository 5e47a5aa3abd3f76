import { Worker } from 'node:worker_threads'
import type { Digest } from './digest.ts'

/** What a hashing thread is asked: files in order. */
export interface HashBatch {
  readonly paths: readonly string[]
}

export type HashedFile =
  | { readonly digest: Digest; readonly sizeBytes: number; readonly mode: number }
  | { readonly problem: 'missing' | 'notAFile' | 'unreadable'; readonly why: string }

/** A thread that hashes files. Two of them hash about twice as fast as one. */
export class HashWorker {
  readonly #worker: Worker
  #answer: { resolve: (files: readonly HashedFile[]) => void; reject: (error: unknown) => void } | undefined

  constructor() {
    // The source of one self-contained function, and no file of its own: it runs the same from the sources, from the
    // bundle and from a test, on a Node that cannot load TypeScript.
    const source = `(${hashLoop.toString()})(require('node:fs'), require('node:crypto'), require('node:worker_threads').parentPort)`
    this.#worker = new Worker(source, { eval: true })
    this.#worker.on('message', (files: readonly HashedFile[]) => this.#answer?.resolve(files))
    this.#worker.on('error', (error) => this.#answer?.reject(error))
  }

  /** One batch at a time. */
  hash(batch: HashBatch): Promise<readonly HashedFile[]> {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject }
      this.#worker.postMessage(batch)
    })
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

interface Port {
  on(event: 'message', listener: (batch: HashBatch) => void): void
  postMessage(files: readonly HashedFile[]): void
}

/** Runs in the thread. May name nothing from outside itself. */
function hashLoop(fs: typeof import('node:fs'), crypto: typeof import('node:crypto'), port: Port): void {
  // One buffer that stays in the processor's cache: reading and hashing it is measurably faster than streams.
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024)
  const hashFile = (path: string): HashedFile => {
    let fd: number
    try {
      // Not blocking, for somebody may have put a pipe in an object's place; and never through a link.
      fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ELOOP') return { problem: 'notAFile', why: 'it is a link' }
      if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: 'missing', why: 'it is not there' }
      return { problem: 'unreadable', why: message }
    }
    try {
      const stat = fs.fstatSync(fd)
      if (!stat.isFile()) return { problem: 'notAFile', why: stat.isDirectory() ? 'it is a folder' : 'it is no file' }
      const hash = crypto.createHash('sha256')
      let sizeBytes = 0
      for (;;) {
        const count = fs.readSync(fd, buffer, 0, buffer.length, null)
        if (count === 0) break
        hash.update(count === buffer.length ? buffer : buffer.subarray(0, count))
        sizeBytes += count
      }
      return { digest: hash.digest('hex') as Digest, sizeBytes, mode: stat.mode }
    } catch (error) {
      return { problem: 'unreadable', why: (error as Error).message }
    } finally {
      fs.closeSync(fd)
    }
  }
  port.on('message', (batch) => port.postMessage(batch.paths.map(hashFile)))
}
