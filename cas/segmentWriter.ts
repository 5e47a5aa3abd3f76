import { createHash, type Hash } from 'node:crypto'
import { closeSync, fdatasync, fdatasyncSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { canonicalJson } from './canonicalJson.ts'
import type { FaultPoints } from './faultPoints.ts'
import { syncFolder } from './folders.ts'
import { writeFault } from './ioFault.ts'
import { thisProcess } from './owner.ts'
import {
  encodeGroup,
  encodeGroupOfWritten,
  encodeHeadGroup,
  encodeSeal,
  preambleSizeBytes,
  type RawEntry,
  sealOffset,
  segmentMagic,
} from './segment.ts'

const fdatasyncAsync = promisify(fdatasync)

export const segmentSuffix = '.seg'

/** What group 0 of a segment says. */
interface SegmentHead {
  readonly format: 1
  readonly owner: ReturnType<typeof thisProcess>
  /** Segments whose entries this one repeats, all but the dropped ones. */
  readonly supersedes: readonly string[]
}

/** A group as it lies in its segment from offset `at`. */
export interface AppendedGroup {
  readonly at: number
  readonly group: Buffer
}

/** The one writer of one segment. */
export class SegmentWriter {
  readonly name: string
  readonly path: string
  readonly durable: boolean
  readonly faults: FaultPoints | undefined
  readonly #fd: number
  readonly #hash: Hash = createHash('sha256')
  #sizeBytes: number
  #groupIndex = 1
  #broken = false

  constructor(
    recordsDir: string,
    options: { durable: boolean; supersedes?: readonly string[]; faults?: FaultPoints | undefined },
  ) {
    this.durable = options.durable
    this.faults = options.faults
    this.faults?.hit('records:beforeCreate')
    this.name = newSegmentName()
    this.path = join(recordsDir, this.name)
    const head: SegmentHead = { format: 1, owner: thisProcess(), supersedes: options.supersedes ?? [] }
    const headGroup = encodeHeadGroup(canonicalJson(head))
    const start = Buffer.concat([segmentMagic, Buffer.alloc(preambleSizeBytes - sealOffset), headGroup])
    this.#fd = createSegmentFile(this.path, start)
    if (this.durable) syncFolder(recordsDir)
    this.#hash.update(headGroup)
    this.#sizeBytes = start.length
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Whether a failed append or flush made the file's end unknown. The caller goes on in a new segment. */
  get broken(): boolean {
    return this.#broken
  }

  append(entries: readonly RawEntry[]): AppendedGroup {
    return this.#appendGroup(encodeGroup(entries, this.#groupIndex))
  }

  appendWritten(entries: readonly Buffer[]): AppendedGroup {
    return this.#appendGroup(encodeGroupOfWritten(entries, this.#groupIndex))
  }

  #appendGroup(group: Buffer): AppendedGroup {
    const at = this.#sizeBytes
    try {
      if (this.faults) {
        const half = group.length >> 1
        writeWhole(this.#fd, group.subarray(0, half), at)
        this.faults.hit('records:midAppend')
        writeWhole(this.#fd, group.subarray(half), at + half)
      } else {
        writeWhole(this.#fd, group, at)
      }
    } catch (error) {
      this.#broken = true
      this.#cutBack(at)
      throw writeFault(error, this.path)
    }
    this.#hash.update(group)
    this.#sizeBytes += group.length
    this.#groupIndex++
    this.faults?.hit('records:afterAppend')
    return { at, group }
  }

  /** After a failed flush nobody knows which pages reached the disk, and the kernel will not try them again. The
   *  segment is left as it is, and what it should have held must be appended to another one. */
  async flush(): Promise<void> {
    if (!this.durable) return
    try {
      await fdatasyncAsync(this.#fd)
    } catch (error) {
      this.#broken = true
      throw writeFault(error, this.path)
    }
    this.faults?.hit('records:afterFlush')
  }

  /** Closes the file; a healthy one is sealed first. Sealing writes into the preamble: the size stays, and with it
   *  the store's generation. */
  close(): void {
    if (!this.#broken) {
      this.faults?.hit('seal:before')
      const seal = encodeSeal({
        sizeBytes: this.#sizeBytes,
        groupCount: this.#groupIndex,
        sha256: this.#hash.digest(),
      })
      try {
        // The seal vouches for the bytes, so they have to be there first.
        if (this.durable) fdatasyncSync(this.#fd)
        writeWhole(this.#fd, seal, sealOffset)
        if (this.durable) fdatasyncSync(this.#fd)
      } catch {
        // An unsealed segment is as good as any; only its tail is trusted a little less.
      }
      this.faults?.hit('seal:after')
    }
    closeSync(this.#fd)
  }

  #cutBack(sizeBytes: number): void {
    try {
      ftruncateSync(this.#fd, sizeBytes)
    } catch {
      // Readers pass over the torn tail as well.
    }
  }
}

let segmentCount = 0

/** Unique among all writers: the process (with its start, for pids come back), and a count inside it. The time in
 *  front only makes a listing readable. */
function newSegmentName(): string {
  const { pid, startTime, bootId } = thisProcess()
  const process = `${bootId.slice(0, 8)}-${pid.toString(36)}-${Number(startTime || 0).toString(36)}`
  return `${Date.now().toString(36)}-${process}-${copyTag}-${(segmentCount++).toString(36)}${segmentSuffix}`
}

// Tells copies of this module in one process apart.
const copyTag = globalThis.process.hrtime.bigint().toString(36)

function createSegmentFile(path: string, start: Buffer): number {
  try {
    const fd = openSync(path, 'wx+', 0o644)
    try {
      writeWhole(fd, start, 0)
    } catch (error) {
      // A full disk: nobody needs the stub of a segment.
      closeSync(fd)
      unlinkSync(path)
      throw error
    }
    return fd
  } catch (error) {
    throw writeFault(error, path)
  }
}

function writeWhole(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.byteLength; ) {
    done += writeSync(fd, bytes, done, bytes.byteLength - done, position + done)
  }
}
