import { entryLengthAt, groupAt, groupHeaderSizeBytes, groupMagic, isEntryIntact } from './segment.ts'

/** A stretch of a segment whose bytes are not what was written. */
export interface DamagedStretch {
  readonly from: number
  readonly to: number
  readonly why: string
}

export interface ScanResult {
  /** Everything before this offset has been read; the next scan of a growing segment goes on here. */
  readonly end: number
  /** The index the next good group must have. */
  readonly nextGroupIndex: number
  readonly damage: readonly DamagedStretch[]
}

/** Walks the groups of a segment from an offset and hands out every good entry.
 *
 *  A bad group is an append that did not finish when nothing good follows it and the segment is not sealed: it was
 *  never acknowledged to anybody, and is passed over in silence (a live writer may be in the middle of it). Anything
 *  else is damage. Its good entries are still handed out, each vouched for by its own digest. */
export function scanGroups(
  bytes: Buffer,
  options: { from: number; groupIndex: number; sealed: boolean },
  onEntry: (offset: number, length: number) => void,
): ScanResult {
  const damage: DamagedStretch[] = []
  let at = options.from
  let groupIndex = options.groupIndex
  while (at < bytes.length) {
    const group = groupAt(bytes, at)
    if (group) {
      if (group.groupIndex !== groupIndex) {
        damage.push({
          from: at,
          to: at,
          why: `group ${groupIndex} is followed or replaced by group ${group.groupIndex}`,
        })
      }
      groupIndex = group.groupIndex + 1
      if (group.entryCount > 0) eachEntry(bytes, at + groupHeaderSizeBytes, group.end, onEntry)
      at = group.end
      continue
    }
    const next = findGroup(bytes, at + 1)
    if (next === undefined && !options.sealed) return { end: at, nextGroupIndex: groupIndex, damage }
    const to = next ?? bytes.length
    damage.push({ from: at, to, why: 'the checksum of a group does not match its bytes' })
    salvage(bytes, at + groupHeaderSizeBytes, to, onEntry)
    groupIndex++
    at = to
  }
  return { end: at, nextGroupIndex: groupIndex, damage }
}

export function eachEntry(
  bytes: Buffer,
  from: number,
  end: number,
  onEntry: (offset: number, length: number) => void,
): void {
  for (let at = from; at < end; ) {
    const length = entryLengthAt(bytes, at, end)
    // The group's checksum held, so this can only be a writer with another idea of the format.
    if (length === undefined) return
    onEntry(at, length)
    at += length
  }
}

function findGroup(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(groupMagic, from); at !== -1; at = bytes.indexOf(groupMagic, at + 1)) {
    if (groupAt(bytes, at)) return at
  }
  return undefined
}

/** Hands out the entries of a damaged group that are whole. One whose length is damaged hides the ones behind it,
 *  unless a later offset happens to make sense, which is why every offset is tried. */
function salvage(bytes: Buffer, from: number, to: number, onEntry: (offset: number, length: number) => void): void {
  let at = from
  while (at < to) {
    const length = entryLengthAt(bytes, at, to)
    // Only plausible lengths are hashed. Of random offsets few are, since the kind and the spare bytes must fit too.
    if (length !== undefined && looksLikeEntry(bytes, at) && isEntryIntact(bytes, at, length)) {
      onEntry(at, length)
      at += length
    } else {
      at++
    }
  }
}

function looksLikeEntry(bytes: Buffer, at: number): boolean {
  const kind = bytes[at + 36]!
  return kind >= 1 && kind < 64 && bytes[at + 37]! < 4 && bytes[at + 38] === 0 && bytes[at + 39] === 0
}
