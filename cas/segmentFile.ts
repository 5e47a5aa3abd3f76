import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from './ioFault.ts'
import { type Owner, parseOwner } from './owner.ts'
import { decodeSeal, groupAt, groupHeaderSizeBytes, preambleSizeBytes, type Seal, segmentMagic } from './segment.ts'
import { type DamagedStretch, scanGroups } from './segmentScan.ts'

/** One segment as far as this process has read it. */
export interface SegmentState {
  readonly name: string
  /** Everything before this offset is in the index. */
  consumedBytes: number
  nextGroupIndex: number
  sealed: boolean
  owner: Owner | undefined
  supersedes: readonly string[]
  damage: DamagedStretch[]
}

export function newSegmentState(name: string): SegmentState {
  return {
    name,
    consumedBytes: 0,
    nextGroupIndex: 0,
    sealed: false,
    owner: undefined,
    supersedes: [],
    damage: [],
  }
}

/** Reads what is new in a segment and hands out its entries. `segmentOffset` is where the entry lies in the file. */
export function readSegment(
  recordsDir: string,
  state: SegmentState,
  onEntry: (bytes: Buffer, offset: number, length: number, segmentOffset: number) => void,
): void {
  if (state.sealed) return
  // Not blocking, for somebody may have put a pipe there.
  const fd = openSync(join(recordsDir, state.name), constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) {
      state.damage = [{ from: 0, to: 0, why: stat.isDirectory() ? 'it is a folder' : 'it is no file' }]
      return
    }
    const sizeBytes = stat.size
    if (sizeBytes <= state.consumedBytes) return
    const seal = state.consumedBytes === 0 ? startReading(fd, sizeBytes, state) : 'unsealed'
    if (seal === 'unreadable') return
    const from = state.consumedBytes
    const bytes = readRange(fd, from, sizeBytes)
    const scan = scanGroups(
      bytes,
      { from: 0, groupIndex: state.nextGroupIndex, sealed: typeof seal === 'object' },
      (at, length) => onEntry(bytes, at, length, from + at),
    )
    state.consumedBytes = from + scan.end
    state.nextGroupIndex = scan.nextGroupIndex
    for (const stretch of scan.damage) {
      state.damage.push({ from: from + stretch.from, to: from + stretch.to, why: stretch.why })
    }
    if (typeof seal === 'object') finishSealed(state, seal, sizeBytes)
  } finally {
    closeSync(fd)
  }
}

/** Reads the preamble and the head group, once. */
function startReading(fd: number, sizeBytes: number, state: SegmentState): Seal | 'unsealed' | 'unreadable' {
  // Its writer is still creating it, or never came further.
  if (sizeBytes < preambleSizeBytes) return 'unreadable'
  const preamble = readRange(fd, 0, Math.min(sizeBytes, 64 * 1024))
  if (preamble.compare(segmentMagic, 0, segmentMagic.length, 0, segmentMagic.length) !== 0) {
    state.damage.push({ from: 0, to: segmentMagic.length, why: 'the file does not begin as a record segment' })
  }
  const seal = decodeSeal(preamble)
  if (seal === 'damaged') state.damage.push({ from: 16, to: preambleSizeBytes, why: 'the seal is damaged' })
  state.consumedBytes = preambleSizeBytes
  readHead(fd, sizeBytes, preamble, state)
  return seal === 'damaged' ? 'unsealed' : seal
}

function readHead(fd: number, sizeBytes: number, preamble: Buffer, state: SegmentState): void {
  const group = groupAt(preamble, preambleSizeBytes) ?? groupAt(readRange(fd, 0, sizeBytes), preambleSizeBytes)
  if (group?.groupIndex !== 0) return
  const bytes = group.end <= preamble.length ? preamble : readRange(fd, 0, group.end)
  const head: unknown = JSON.parse(bytes.toString('utf8', preambleSizeBytes + groupHeaderSizeBytes, group.end))
  const { owner, supersedes } = head as { owner?: unknown; supersedes?: unknown }
  state.owner = parseOwner(owner)
  state.supersedes = Array.isArray(supersedes) ? supersedes.filter((name) => typeof name === 'string') : []
}

function finishSealed(state: SegmentState, seal: Seal, sizeBytes: number): void {
  state.sealed = true
  if (sizeBytes !== seal.sizeBytes) {
    const [from, to] = [Math.min(sizeBytes, seal.sizeBytes), Math.max(sizeBytes, seal.sizeBytes)]
    state.damage.push({ from, to, why: `sealed at ${seal.sizeBytes} bytes, but ${sizeBytes} are there` })
  } else if (state.nextGroupIndex !== seal.groupCount) {
    state.damage.push({ from: 0, to: sizeBytes, why: `sealed with ${seal.groupCount} groups, others are there` })
  }
}

export function readRange(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(to - from)
  let done = 0
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, bytes.length - done, from + done)
    if (count === 0) return bytes.subarray(0, done)
    done += count
  }
  return bytes
}

/** Whether two reads of one name may differ because compaction took the file away in between. */
export function isSegmentGone(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT'
}
