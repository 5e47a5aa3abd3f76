import { closeSync, openSync, readFileSync, readSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Digest, isDigest } from './digest.ts'
import { isGone, writeFault } from './ioFault.ts'
import type { Layout } from './layout.ts'
import { type Owner, parseOwner, thisProcess } from './owner.ts'

/** A lease on disk: `<id>.lease`, a line with its owner and then one short line for every change, and `<id>.beat`, a
 *  counter that its owner turns. Only the owner writes either. */

export const leaseSuffix = '.lease'
const beatSuffix = '.beat'

/** Wanted: the owner has announced a claim and is looking whether it is alone. Held: it is working on it. */
export type ClaimState = 'wanted' | 'held'

const marks = { wanted: '?', held: '+', released: '-', uses: 'u' } as const

export class LeaseWriter {
  readonly id: string
  readonly #path: string
  readonly #beatPath: string
  readonly #fd: number
  #beats = 0

  constructor(layout: Layout, purpose: string) {
    this.id = newLeaseId()
    this.#path = join(layout.leases, this.id + leaseSuffix)
    this.#beatPath = join(layout.leases, this.id + beatSuffix)
    const head = `${JSON.stringify({ owner: thisProcess(), purpose })}\n`
    try {
      createWhole(this.#path, join(layout.staging, `${this.id}.new`), head)
      this.#fd = openSync(this.#path, 'a')
      // After the lease: whoever finds the lease of a dead owner removes both.
      this.beat()
    } catch (error) {
      throw writeFault(error, this.#path)
    }
  }

  note(mark: keyof typeof marks, digests: readonly Digest[]): void {
    const lines = digests.map((digest) => `${marks[mark]}${digest}\n`).join('')
    try {
      writeSync(this.#fd, lines)
    } catch (error) {
      throw writeFault(error, this.#path)
    }
  }

  beat(): void {
    writeFileSync(this.#beatPath, String(++this.#beats))
  }

  close(): void {
    closeSync(this.#fd)
    removeLease(this.#path, this.#beatPath)
  }
}

/** Renamed into place, so that nobody ever sees a lease without its owner. The beginning lies in staging, where a
 *  collection clears away what a killed process leaves; it may be so quick as to clear it away under our hands. */
function createWhole(path: string, tempPath: string, head: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      writeFileSync(tempPath, head)
      renameSync(tempPath, path)
      return
    } catch (error) {
      if (!isGone(error) || attempt === 10) throw error
    }
  }
}

/** Somebody's lease, as far as it has been read. */
export class LeaseView {
  readonly id: string
  readonly owner: Owner | undefined
  readonly purpose: string
  readonly claims = new Map<Digest, ClaimState>()
  readonly uses = new Set<Digest>()
  readonly #path: string
  readonly #beatPath: string
  #readBytes: number

  constructor(leasesDir: string, id: string) {
    this.id = id
    this.#path = join(leasesDir, id + leaseSuffix)
    this.#beatPath = join(leasesDir, id + beatSuffix)
    const text = readFileSync(this.#path, 'utf8')
    const lineEnd = text.indexOf('\n')
    const head = parseHead(text.slice(0, lineEnd))
    this.owner = head.owner
    this.purpose = head.purpose
    this.#readBytes = Buffer.byteLength(text.slice(0, lineEnd + 1))
    this.#takeLines(text.slice(lineEnd + 1))
  }

  /** Reads what was added. Returns false when the lease is gone. */
  refresh(): boolean {
    let fd: number
    try {
      fd = openSync(this.#path, 'r')
    } catch (error) {
      if (isGone(error)) return false
      throw error
    }
    try {
      for (;;) {
        const count = readSync(fd, chunk, 0, chunk.length, this.#readBytes)
        if (count > 0) this.#takeLines(chunk.latin1Slice(0, count))
        if (count < chunk.length) return true
      }
    } finally {
      closeSync(fd)
    }
  }

  beats(): string {
    try {
      return readFileSync(this.#beatPath, 'latin1')
    } catch {
      return ''
    }
  }

  remove(): void {
    removeLease(this.#path, this.#beatPath)
  }

  // A last line without its end is still being written, and is read again next time.
  #takeLines(text: string): void {
    const end = text.lastIndexOf('\n') + 1
    this.#readBytes += end
    for (const line of text.slice(0, end).split('\n')) {
      const digest = line.slice(1)
      if (!isDigest(digest)) continue
      if (line[0] === marks.wanted) this.claims.set(digest, 'wanted')
      else if (line[0] === marks.held) this.claims.set(digest, 'held')
      else if (line[0] === marks.released) this.claims.delete(digest)
      else if (line[0] === marks.uses) this.uses.add(digest)
    }
  }
}

const chunk = Buffer.alloc(64 * 1024)

function parseHead(line: string): { owner: Owner | undefined; purpose: string } {
  try {
    const { owner, purpose } = JSON.parse(line) as { owner?: unknown; purpose?: unknown }
    return { owner: parseOwner(owner), purpose: typeof purpose === 'string' ? purpose : '' }
  } catch {
    // Damaged: nobody can be asked, so the heartbeat decides.
    return { owner: undefined, purpose: '' }
  }
}

function removeLease(...paths: string[]): void {
  for (const path of paths) {
    try {
      unlinkSync(path)
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }
}

let leaseCount = 0
const copyTag = process.hrtime.bigint().toString(36)

function newLeaseId(): string {
  const { bootId, pid, startTime } = thisProcess()
  const owner = `${bootId.slice(0, 8)}-${pid.toString(36)}-${Number(startTime || 0).toString(36)}`
  return `${owner}-${copyTag}-${(leaseCount++).toString(36)}`
}

declare global {
  interface Buffer {
    latin1Slice(start: number, end: number): string
  }
}
