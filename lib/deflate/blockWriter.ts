import { huffman } from './huffman.ts'

/** Turns literals and matches into a raw deflate stream, one block after the other, each with codes of its own. What finds
 *  the matches is somebody else's business; this part is the same for everyone, and the same on every Node: zlib's output
 *  differs between versions and processors. */
export type BlockWriter = {
  /** What the next block is made of: a literal is its byte; a match is length << 16 | distance. */
  readonly tokens: Int32Array
  /** How often the block has each literal, and each length at 257 and up. Whoever queues a token counts it here. */
  readonly literalUse: Uint32Array
  readonly distanceUse: Uint32Array
  /** Writes the first `tokenCount` tokens as a block. */
  endBlock(tokenCount: number): void
  finish(): Uint8Array
}

export const tokensInBlock = 1 << 15
export const matchMost = 258
export const distanceMost = 32_768
const endOfBlock = 256

/** Extra bits behind the symbol of a distance. */
export const distanceBits = Uint8Array.from({ length: 30 }, (_, symbol) => (symbol < 4 ? 0 : (symbol >> 1) - 1))
export const distanceBase = basesOf(distanceBits, 1)
// Of the 29 lengths the last one stands alone: 258, which the one before it could say as well.
export const lengthBits = Uint8Array.from({ length: 29 }, (_, symbol) =>
  symbol < 8 || symbol === 28 ? 0 : (symbol >> 2) - 1,
)
export const lengthBase = basesOf(lengthBits, 3).with(28, matchMost)
/** The symbol of a match's length, less 257. */
export const lengthSymbol = symbolsOf(lengthBase, matchMost)

/** The smallest value of each symbol: symbols follow each other without a gap. */
function basesOf(bits: Uint8Array, first: number): Uint16Array {
  const bases = new Uint16Array(bits.length)
  let base = first
  for (let symbol = 0; symbol < bits.length; symbol++) {
    bases[symbol] = base
    base += 1 << bits[symbol]!
  }
  return bases
}

function symbolsOf(bases: Uint16Array, largest: number): Uint8Array {
  const symbols = new Uint8Array(largest + 1)
  for (const [symbol, base] of bases.entries()) symbols.fill(symbol, base)
  return symbols
}

export function distanceSymbol(distance: number): number {
  const d = distance - 1
  if (d < 4) return d
  const bits = 30 - Math.clz32(d)
  return 2 * bits + 2 + ((d >> bits) & 1)
}

export function createBlockWriter(): BlockWriter {
  let out = new Uint8Array(1 << 16)
  let at = 0
  let held = 0
  let heldBits = 0
  const tokens = new Int32Array(tokensInBlock)
  const literalUse = new Uint32Array(286)
  const distanceUse = new Uint32Array(30)

  const put = (value: number, bits: number): void => {
    held |= value << heldBits
    heldBits += bits
    if (heldBits >= 16) {
      out[at] = held
      out[at + 1] = held >>> 8
      at += 2
      held >>>= 16
      heldBits -= 16
    }
  }

  const reserve = (bytes: number): void => {
    if (at + bytes <= out.length) return
    const bigger = new Uint8Array(Math.max(out.length * 2, at + bytes))
    bigger.set(out.subarray(0, at))
    out = bigger
  }

  const endBlock = (tokenCount: number): void => {
    if (tokenCount === 0) return
    literalUse[endOfBlock]!++
    const literals = huffman(literalUse, 15)
    const distances = huffman(distanceUse, 15)
    reserve(tokenCount * 6 + 1024)
    put(0b100, 3) // not the last block; codes of its own
    putCodes(put, literals.lengths, distances.lengths)
    // The hot loop keeps the bit buffer in locals; every put adds at most 16 bits to the at most 15 held. Its four ends are
    // written out because a call, or one end with a loop around it, makes all of packing slower by a tenth.
    const { codes, lengths } = literals
    const buffer = out
    let position = at
    let bits = held
    let count = heldBits
    for (let t = 0; t < tokenCount; t++) {
      const token = tokens[t]!
      if (token < 256) {
        bits |= codes[token]! << count
        count += lengths[token]!
      } else {
        const length = token >>> 16
        const distance = token & 0xffff
        const symbol = lengthSymbol[length]!
        bits |= codes[257 + symbol]! << count
        count += lengths[257 + symbol]!
        if (count >= 16) {
          buffer[position] = bits
          buffer[position + 1] = bits >>> 8
          position += 2
          bits >>>= 16
          count -= 16
        }
        bits |= (length - lengthBase[symbol]!) << count
        count += lengthBits[symbol]!
        if (count >= 16) {
          buffer[position] = bits
          buffer[position + 1] = bits >>> 8
          position += 2
          bits >>>= 16
          count -= 16
        }
        const far = distanceSymbol(distance)
        bits |= distances.codes[far]! << count
        count += distances.lengths[far]!
        if (count >= 16) {
          buffer[position] = bits
          buffer[position + 1] = bits >>> 8
          position += 2
          bits >>>= 16
          count -= 16
        }
        bits |= (distance - distanceBase[far]!) << count
        count += distanceBits[far]!
      }
      if (count >= 16) {
        buffer[position] = bits
        buffer[position + 1] = bits >>> 8
        position += 2
        bits >>>= 16
        count -= 16
      }
    }
    at = position
    held = bits
    heldBits = count
    put(codes[endOfBlock]!, lengths[endOfBlock]!)
    literalUse.fill(0)
    distanceUse.fill(0)
  }

  const finish = (): Uint8Array => {
    reserve(16)
    put(0b011, 3) // the last block, with fixed codes and nothing in it
    put(0, 7)
    while (heldBits > 0) {
      out[at++] = held
      held >>>= 8
      heldBits -= 8
    }
    return out.slice(0, at)
  }

  return { tokens, literalUse, distanceUse, endBlock, finish }
}

const codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** Writes both length tables, run-length coded as the format wants them. */
export function putCodes(
  put: (value: number, bits: number) => void,
  literals: Uint8Array,
  distances: Uint8Array,
): void {
  // At least one distance code has to be described, used or not.
  const described = distances.some((length) => length > 0) ? distances : Uint8Array.of(1)
  const all = Uint8Array.of(...literals, ...described)
  const runs: { symbol: number; extra: number; bits: number }[] = []
  for (let i = 0; i < all.length; ) {
    const value = all[i]!
    let run = 1
    while (i + run < all.length && all[i + run] === value && run < 138) run++
    if (value === 0 && run >= 11) runs.push({ symbol: 18, extra: run - 11, bits: 7 })
    else if (value === 0 && run >= 3) runs.push({ symbol: 17, extra: run - 3, bits: 3 })
    else if (value !== 0 && run >= 4) {
      run = Math.min(run, 7)
      runs.push({ symbol: value, extra: 0, bits: 0 }, { symbol: 16, extra: run - 4, bits: 2 })
    } else {
      run = 1
      runs.push({ symbol: value, extra: 0, bits: 0 })
    }
    i += run
  }
  const use = new Uint32Array(19)
  for (const { symbol } of runs) use[symbol]!++
  const { lengths, codes } = huffman(use, 7)
  let sent = 19
  while (sent > 4 && lengths[codeOrder[sent - 1]!] === 0) sent--
  put(literals.length - 257, 5)
  put(described.length - 1, 5)
  put(sent - 4, 4)
  for (let i = 0; i < sent; i++) put(lengths[codeOrder[i]!]!, 3)
  for (const { symbol, extra, bits } of runs) {
    put(codes[symbol]!, lengths[symbol]!)
    put(extra, bits)
  }
}
