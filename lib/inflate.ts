import assert from 'node:assert/strict'

/** Input is read this far ahead of where it stands, so that the inner loop need not ask whether it may. */
const lookahead = 16
const windowBytes = 32_768
const outputBytes = 1 << 20
const longestMatch = 258

const lengthBase = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
]
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
]
const distanceExtra = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13]
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** Packed bytes that are no deflate stream. */
export class BadDeflate extends Error {
  override readonly name = 'BadDeflate'
}

/** A code as a table over its longest word: symbol in the upper bits, length of its word in the lowest four. */
type Code = { readonly table: Uint16Array; readonly bits: number }

/**
 * Unpacks a raw deflate stream piece by piece, in memory that does not grow with it. What Node documents of its own inflater
 * does that only with callbacks, which a pure task cannot wait for. Pieces are views of one buffer: use each before asking for the next.
 */
export function* inflateRaw(input: Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
  const source = input[Symbol.iterator]()
  const out = new Uint8Array(windowBytes + outputBytes + longestMatch)
  let buffer = new Uint8Array(0)
  let at = 0
  let safeEnd = 0
  let realEnd = 0
  let hasEnded = false
  let hold = 0
  let held = 0
  let to = 0
  let flushed = 0

  /** Moves on to the next piece of input; behind the last one stand zeros. */
  const refill = (): void => {
    while (at >= safeEnd && !hasEnded) {
      const next = source.next()
      const rest = buffer.subarray(Math.min(at, realEnd), realEnd)
      const chunk = next.done === true ? new Uint8Array(0) : next.value
      hasEnded = next.done === true
      const joined = new Uint8Array(rest.length + chunk.length + lookahead)
      joined.set(rest)
      joined.set(chunk, rest.length)
      buffer = joined
      at = 0
      realEnd = rest.length + chunk.length
      safeEnd = hasEnded ? realEnd : Math.max(0, realEnd - lookahead)
    }
    // Bits that are held were read from real bytes or from the zeros behind them; more than those is a cut-off stream.
    if (at - (held >> 3) > realEnd) throw new BadDeflate('it is cut off')
  }
  const need = (count: number): void => {
    while (held < count) {
      hold |= buffer[at++]! << held
      held += 8
    }
  }
  const take = (count: number): number => {
    if (at >= safeEnd) refill()
    need(count)
    const value = hold & ((1 << count) - 1)
    hold >>>= count
    held -= count
    return value
  }
  const symbolOf = ({ table, bits }: Code): number => {
    if (at >= safeEnd) refill()
    need(bits)
    const entry = table[hold & ((1 << bits) - 1)]!
    if (entry === 0) throw new BadDeflate('it holds a word that is in no code')
    hold >>>= entry & 15
    held -= entry & 15
    return entry >> 4
  }

  refill()
  for (let isLast = false; !isLast; ) {
    isLast = take(1) === 1
    const kind = take(2)
    if (kind === 3) throw new BadDeflate('it holds a block of an unknown kind')
    if (kind === 0) {
      take(held & 7)
      const size = take(16)
      if (take(16) !== (size ^ 0xffff)) throw new BadDeflate('the length of a stored block is wrong')
      for (let left = size; left > 0; left--) {
        out[to++] = take(8)
        if (to - flushed >= outputBytes) yield* flush()
      }
      continue
    }
    const { literals, distances } = kind === 1 ? fixedCodes() : readCodes(take, symbolOf)
    const literalMask = (1 << literals.bits) - 1
    const distanceMask = (1 << distances.bits) - 1
    for (;;) {
      if (at >= safeEnd) refill()
      if (to - flushed >= outputBytes) yield* flush()
      while (held <= 16) {
        hold |= buffer[at++]! << held
        held += 8
      }
      const entry = literals.table[hold & literalMask]!
      if (entry === 0) throw new BadDeflate('it holds a word that is in no code')
      hold >>>= entry & 15
      held -= entry & 15
      const symbol = entry >> 4
      if (symbol < 256) {
        out[to++] = symbol
        continue
      }
      if (symbol === 256) break
      if (symbol > 285) throw new BadDeflate('it holds a length that does not exist')
      const extra = lengthExtra[symbol - 257]!
      need(extra)
      const length = lengthBase[symbol - 257]! + (hold & ((1 << extra) - 1))
      hold >>>= extra
      held -= extra
      need(distances.bits)
      const far = distances.table[hold & distanceMask]!
      if (far === 0 || far >> 4 > 29) throw new BadDeflate('it holds a distance that does not exist')
      hold >>>= far & 15
      held -= far & 15
      const farExtra = distanceExtra[far >> 4]!
      need(farExtra)
      const distance = distanceBase[far >> 4]! + (hold & ((1 << farExtra) - 1))
      hold >>>= farExtra
      held -= farExtra
      if (distance > to) throw new BadDeflate('it points before its own beginning')
      let from = to - distance
      // Overlapping on purpose: a run repeats what it has just written.
      for (const end = to + length; to < end; ) out[to++] = out[from++]!
    }
  }
  if (at - (held >> 3) > realEnd) throw new BadDeflate('it is cut off')
  yield* flush()

  /** Hands over what is new, and keeps what matches may still point at. */
  function* flush(): Generator<Uint8Array, void, undefined> {
    if (to > flushed) yield out.subarray(flushed, to)
    const kept = Math.min(to, windowBytes)
    out.copyWithin(0, to - kept, to)
    to = kept
    flushed = kept
  }
}

/** A block's own codes stand before it, packed by a third one. */
function readCodes(
  take: (count: number) => number,
  symbolOf: (code: Code) => number,
): { literals: Code; distances: Code } {
  const literalCount = take(5) + 257
  const distanceCount = take(5) + 1
  const lengthCount = take(4) + 4
  const small = new Uint8Array(19)
  for (let i = 0; i < lengthCount; i++) small[lengthOrder[i]!] = take(3)
  const code = codeOf(small)
  const lengths = new Uint8Array(literalCount + distanceCount)
  for (let i = 0; i < lengths.length; ) {
    const symbol = symbolOf(code)
    if (symbol < 16) {
      lengths[i++] = symbol
      continue
    }
    if (symbol === 16 && i === 0) throw new BadDeflate('it repeats a length before the first')
    const value = symbol === 16 ? lengths[i - 1]! : 0
    const times = symbol === 16 ? 3 + take(2) : symbol === 17 ? 3 + take(3) : 11 + take(7)
    if (i + times > lengths.length) throw new BadDeflate('it has more lengths than it says')
    lengths.fill(value, i, i + times)
    i += times
  }
  return { literals: codeOf(lengths.subarray(0, literalCount)), distances: codeOf(lengths.subarray(literalCount)) }
}

let fixed: { literals: Code; distances: Code } | undefined
function fixedCodes(): { literals: Code; distances: Code } {
  if (fixed === undefined) {
    const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288)
    fixed = { literals: codeOf(lengths), distances: codeOf(new Uint8Array(30).fill(5)) }
  }
  return fixed
}

/** The table of a canonical code. Words are written from their highest bit on and read from their lowest: reversed. */
function codeOf(lengths: Uint8Array): Code {
  const counts = new Uint16Array(16)
  let bits = 1
  for (const length of lengths) {
    counts[length]!++
    if (length > bits) bits = length
  }
  assert.ok(bits <= 15)
  const next = new Uint16Array(16)
  let word = 0
  for (let length = 1; length <= 15; length++) {
    word = (word + (length === 1 ? 0 : counts[length - 1]!)) << 1
    next[length] = word
    if (word + counts[length]! > 1 << length) throw new BadDeflate('a code has more words than fit')
  }
  const table = new Uint16Array(1 << bits)
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!
    if (length === 0) continue
    let reversed = 0
    for (let i = 0, w = next[length]!++; i < length; i++, w >>= 1) reversed = (reversed << 1) | (w & 1)
    const entry = (symbol << 4) | length
    for (let i = reversed; i < table.length; i += 1 << length) table[i] = entry
  }
  return { table, bits }
}
