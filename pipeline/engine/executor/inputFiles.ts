import { closeSync, readSync } from 'node:fs'
import type { FileSet } from '../../../lib/artifact.ts'
import { Fault } from '../../../lib/fault.ts'
import type { JobArtifact } from './job.ts'
import { openPlaced, readPlaced } from './movedFile.ts'

/** The files of one artifact, read when asked for. Each read gives fresh bytes: what one node writes into them no
 *  other will see. */
export class ArtifactFiles {
  readonly set: FileSet
  readonly #open = new Map<string, number>()

  /** `outside` does what only we may do, as `Guard.suspend`. */
  constructor(artifact: JobArtifact, outside: <T>(read: () => T) => T) {
    const files = new Map(artifact.files.map((file) => [file.name, file]))
    const fileOf = (name: string) => {
      const file = files.get(name)
      if (file !== undefined) return file
      throw new Fault({
        code: 'failed',
        what: `there is no file "${name}" in this artifact; it has ${[...files.keys()].slice(0, 10).join(', ') || 'none'}`,
      })
    }
    const descriptorOf = (name: string): number => {
      const known = this.#open.get(name)
      if (known !== undefined) return known
      const fd = openPlaced(fileOf(name))
      this.#open.set(name, fd)
      return fd
    }
    this.set = Object.freeze({
      names: Object.freeze([...files.keys()]),
      sizeBytes: (name: string) => fileOf(name).sizeBytes,
      read: (name: string) => {
        const file = fileOf(name)
        return plainBytes(outside(() => readPlaced(file)))
      },
      readAt: (name: string, offset: number, lengthBytes: number) =>
        outside(() => readWhole(descriptorOf(name), name, offset, lengthBytes)),
    })
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd)
    this.#open.clear()
  }
}

function readWhole(fd: number, name: string, offset: number, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes)
  for (let done = 0; done < lengthBytes; ) {
    const got = readSync(fd, bytes, done, lengthBytes - done, offset + done)
    if (got === 0) throw new RangeError(`"${name}" ends before byte ${offset + lengthBytes}`)
    done += got
  }
  return bytes
}

/** Tasks are promised a Uint8Array, whose methods copy where a Buffer's share. */
const plainBytes = (buffer: Buffer): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
