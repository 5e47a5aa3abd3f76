import { lstatSync, readFileSync, renameSync, type Stats, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ArtifactDescriptor } from './artifact.ts'
import { DescriptorRows } from './descriptorRows.ts'
import type { Digest } from './digest.ts'
import { ensureFolder } from './folders.ts'
import { type Layout, objectPath } from './layout.ts'

/** Descriptors that some process has read, hashed and checked, each with what the file system said of its file just
 *  before: while that is the same, nobody has written to the file, and it need not be read again. One file of the
 *  index: whatever does not fit together is thrown away, and the descriptors are read.
 *
 *  A file that is written to, replaced, taken to the trash and back, or copied with the whole root gets another time of
 *  change, which no program can choose. Bytes that rot on the disk by themselves change no time: `pipe verify` reads
 *  everything, and never asks here. */
export class CheckedDescriptors {
  readonly #layout: Layout
  readonly #nowMs: () => number
  #saved: DescriptorRows | undefined
  /** By row of what was saved: 1 where this process has found the file untouched. */
  #looked = new Uint8Array(0)
  #fresh = new DescriptorRows()

  constructor(layout: Layout, nowMs: () => number) {
    this.#layout = layout
    this.#nowMs = nowMs
  }

  /** The descriptor, if it was checked once and its file is as it was then. Costs one look at the file. */
  look(artifact: Digest): ArtifactDescriptor | undefined {
    const row = this.#rowOf(artifact)
    if (row === undefined) return undefined
    const stat = lstatSync(objectPath(this.#layout.objects, artifact), { throwIfNoEntry: false })
    const isUntouched = stat?.isFile() === true && this.#saved!.isUntouched(row, stat)
    this.#looked[row] = isUntouched ? 1 : 0
    return isUntouched ? this.#parse(row) : undefined
  }

  /** As `look`, for whoever needs no other look at a file once this process has taken one. Nothing is kept but that it
   *  has: of a large graph all descriptors are tens of megabytes. */
  recall(artifact: Digest): ArtifactDescriptor | undefined {
    const row = this.#rowOf(artifact)
    return row !== undefined && this.#looked[row] === 1 ? this.#parse(row) : this.look(artifact)
  }

  /** Its file turned out to be damaged. */
  forget(artifact: Digest): void {
    const row = this.#rowOf(artifact)
    if (row !== undefined) this.#looked[row] = 0
  }

  #rowOf(artifact: Digest): number | undefined {
    if (this.#saved === undefined) {
      this.#saved = load(this.#layout)
      this.#looked = new Uint8Array(this.#saved.count)
    }
    return this.#saved.find(artifact)
  }

  #parse(row: number): ArtifactDescriptor {
    return JSON.parse(this.#saved!.text(row).toString('utf8')) as ArtifactDescriptor
  }

  /** @param stat of the very file that the bytes were read from, asked before they were */
  add(artifact: Digest, stat: Stats, bytes: Uint8Array): void {
    // What was written a moment ago may be written to once more within the same tick of the file system's clock, which
    // would not show. So may a file of the future, once a clock that was set back has come there again.
    if (stat.ctimeMs <= this.#nowMs() - settledAfterMs) this.#fresh.add(artifact, stat, bytes)
  }

  /** Leaves for the next process what this one has checked, where that is worth the writing. Never fails: without it
   *  the next process only takes longer. */
  save(): void {
    if (this.#fresh.count < freshMin) return
    // What another process has left meanwhile is kept: its rows are as good as ours.
    this.#fresh.absorb(load(this.#layout), textSizeBytesMax)
    const path = pathOf(this.#layout)
    const tempPath = `${path}.${process.pid}.${process.hrtime.bigint().toString(36)}`
    try {
      ensureFolder(this.#layout.index)
      writeFileSync(tempPath, this.#fresh.encode())
      renameSync(tempPath, path)
    } catch {
      removeIfThere(tempPath)
    }
    this.#fresh = new DescriptorRows()
  }
}

/** The coarsest clock of a file system we may meet ticks every two seconds. */
const settledAfterMs = 3000
/** Fewer are read again in no time. */
const freshMin = 500
/** A store outlives many data sets: beyond this, what nobody had to check anew for longest is left out. */
const textSizeBytesMax = 64 * 2 ** 20

const pathOf = (layout: Layout): string => join(layout.index, 'descriptors.cache')

function load(layout: Layout): DescriptorRows {
  try {
    return DescriptorRows.decode(readFileSync(pathOf(layout))) ?? new DescriptorRows()
  } catch {
    return new DescriptorRows()
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It never came to be.
  }
}
