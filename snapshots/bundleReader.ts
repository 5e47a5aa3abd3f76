import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { Fault } from '../lib/fault.ts'
import {
  blockSizeBytes,
  isZeroBlock,
  paddingSizeBytes,
  parseTarHeader,
  type TarEntry,
  trailerSizeBytes,
} from './tar.ts'

const chunkSizeBytes = 1024 * 1024

/** Reads a bundle front to back, entry by entry, in a memory that does not grow with it. Sizes are held against what
 *  the file really has before anything is done with them. */
export class BundleReader {
  readonly file: string
  readonly sizeBytes: number
  readonly #fd: number
  #position = 0
  #entry: TarEntry | undefined

  constructor(file: string) {
    this.file = file
    try {
      this.#fd = openSync(file, 'r')
    } catch (cause) {
      throw new Fault({ code: 'usage', what: 'this file cannot be read', where: file, todo: 'check its name', cause })
    }
    const stat = fstatSync(this.#fd)
    this.sizeBytes = stat.size
    if (stat.isFile() && stat.size >= trailerSizeBytes && stat.size % blockSizeBytes === 0) return
    this.close()
    throw this.damaged(
      stat.isFile() ? `it ends in the middle of a block, after ${stat.size} bytes` : 'it is not a plain file',
    )
  }

  close(): void {
    closeSync(this.#fd)
  }

  get position(): number {
    return this.#position
  }

  /** The next entry, or undefined at the end, which must be the end of the file as well. */
  next(): TarEntry | undefined {
    const at = this.#position
    const header = this.#read(blockSizeBytes)
    if (isZeroBlock(header)) {
      if (!isZeroBlock(this.#read(blockSizeBytes))) throw this.damaged(`its end at byte ${at} is damaged`)
      if (this.#position !== this.sizeBytes) {
        throw this.damaged(`it has ${this.sizeBytes - this.#position} bytes behind its end at byte ${at}`)
      }
      return undefined
    }
    const entry = parseTarHeader(header, `${this.file}, byte ${at}`)
    if (entry.sizeBytes > this.sizeBytes - this.#position - trailerSizeBytes) {
      throw this.damaged(`it is cut off: the entry at byte ${at} has ${entry.sizeBytes} bytes`, entry.path)
    }
    this.#entry = entry
    return entry
  }

  /** The content of the entry that `next` returned, in pieces that are valid until the next one. */
  content(onChunk: (chunk: Buffer) => void): void {
    const { sizeBytes, path } = this.#entry!
    let left = sizeBytes
    while (left > 0) {
      const chunk = this.#read(Math.min(chunkSizeBytes, left))
      left -= chunk.length
      onChunk(chunk)
    }
    if (!isZeroBlock(this.#read(paddingSizeBytes(sizeBytes))))
      throw this.damaged('the filling behind it is damaged', path)
  }

  /** The whole content of a small entry. */
  bytes(sizeBytesMax: number): Buffer {
    const { sizeBytes, path } = this.#entry!
    if (sizeBytes > sizeBytesMax)
      throw this.damaged(`${sizeBytes} bytes are more than the ${sizeBytesMax} it may have`, path)
    const chunks: Buffer[] = []
    this.content((chunk) => chunks.push(Buffer.from(chunk)))
    return Buffer.concat(chunks)
  }

  damaged(what: string, path?: string): Fault {
    return new Fault({
      code: 'corrupt',
      what: `this bundle is damaged: ${what}`,
      where: path === undefined ? this.file : `${this.file}, ${path}`,
      todo: 'nothing was imported; fetch the bundle again, or export it again where it came from',
    })
  }

  readonly #buffer = Buffer.allocUnsafe(chunkSizeBytes)

  #read(length: number): Buffer {
    let done = 0
    while (done < length) {
      const count = readSync(this.#fd, this.#buffer, done, length - done, this.#position + done)
      if (count === 0) throw this.damaged(`it ends at byte ${this.#position + done}`)
      done += count
    }
    this.#position += length
    return this.#buffer.subarray(0, length)
  }
}
