import {
  distanceBase,
  distanceBits,
  distanceMost,
  distanceSymbol,
  lengthBase,
  lengthBits,
  lengthSymbol,
  matchMost,
  putCodes,
} from '../../deflate/blockWriter.ts'
import { huffman } from '../../deflate/huffman.ts'
import { rowEchoes, type TextPiece } from './textPiece.ts'

/** A DEFLATE encoder for tables of text. zlib's output differs between versions and processors, and an archive's bytes
 *  are somebody's ids, so the exchange brings its own. It looks for repetition only where a piece says that there may
 *  be some, and seldom makes new codes: that makes it fast, and deterministic by construction. Any bytes are encoded
 *  correctly; other shapes are merely encoded worse. */
export type Deflater = {
  /** Adds a piece of the text. A piece never refers to the one before it. */
  add(piece: TextPiece): void
  finish(): Uint8Array
}

const REPEAT_LEAST = 6
/** Codes made for a piece serve for this many times its size: text that follows tends to be like it. */
const CODES_SERVE = 32
/** Below this a table of pairs costs more than it saves. */
const SMALL_PIECE_BYTES = 1 << 14
const END_OF_BLOCK = 256

/** Where a piece repeats itself: pairs of a position and length << 16 | distance. */
type Repeats = { readonly pairs: Int32Array; readonly count: number }

/** Bits to write, below their number << 24. */
type Entry = number
const entry = (bits: number, count: number): Entry => bits | (count << 24)

/** What a block writes for what it is made of. */
type Codes = {
  /** By two bytes, the first one in the high half; 0 where both together take more bits than an entry has. */
  readonly bytePair: Uint32Array
  readonly byte: Uint32Array
  /** By the length of a repeat. */
  readonly length: Uint32Array
  /** By the symbol of a distance, without the extra bits. */
  readonly distance: Uint32Array
}

export function createDeflater(): Deflater {
  let out = new Uint8Array(1 << 16)
  let view = new DataView(out.buffer)
  let at = 0
  // Bits that do not make a byte yet: seven at most.
  let held = 0
  let heldBits = 0
  let codes: Codes | undefined
  let endOfBlock: Entry = 0
  let servesBytes = 0

  const reserve = (bytes: number): void => {
    if (at + bytes <= out.length) return
    const bigger = new Uint8Array(Math.max(out.length * 2, at + bytes))
    bigger.set(out.subarray(0, at))
    out = bigger
    view = new DataView(out.buffer)
  }

  const put = (bits: number, count: number): void => {
    held |= bits << heldBits
    heldBits += count
    view.setInt32(at, held, true)
    at += heldBits >>> 3
    held >>>= heldBits & 24
    heldBits &= 7
  }

  const startBlock = (bytes: Uint8Array, repeats: Repeats): void => {
    if (codes !== undefined) put(endOfBlock & 0xffffff, endOfBlock >>> 24)
    const { literalUse, distanceUse } = useOf(bytes, repeats)
    const literals = huffman(literalUse, 15)
    const distances = huffman(distanceUse, 11) // with the 13 extra bits that is what an entry has
    put(0b100, 3) // not the last block; codes of its own
    putCodes(put, literals.lengths, distances.lengths)
    const symbol = (i: number): Entry => entry(literals.codes[i]!, literals.lengths[i]!)
    const byte = Uint32Array.from({ length: 256 }, (_, i) => symbol(i))
    codes = {
      bytePair: bytes.length < SMALL_PIECE_BYTES ? noPairs : bytePairs(byte),
      byte,
      length: Uint32Array.from({ length: matchMost + 1 }, (_, length) => {
        const i = lengthSymbol[length]!
        const bits = literals.lengths[257 + i]!
        return entry(literals.codes[257 + i]! | ((length - lengthBase[i]!) << bits), bits + lengthBits[i]!)
      }),
      distance: Uint32Array.from(distanceBits, (_, i) => entry(distances.codes[i]!, distances.lengths[i]!)),
    }
    endOfBlock = symbol(END_OF_BLOCK)
  }

  /** The hot loop keeps its state in locals, and the three ends where bits go out are written out: calls take longer. An
   *  end adds at most 24 bits to the seven held and writes four bytes, of which the whole ones count. */
  const putPiece = (bytes: Uint8Array, { pairs, count }: Repeats, codes: Codes): void => {
    const { bytePair, byte, length, distance } = codes
    const target = view
    let position = at
    let bits = held
    let bitCount = heldBits
    let here = 0
    for (let next = 0; next <= count; next += 2) {
      const end = next < count ? pairs[next]! : bytes.length
      while (here < end) {
        let literal = here + 1 < end ? bytePair[(bytes[here]! << 8) | bytes[here + 1]!]! : 0
        if (literal === 0) literal = byte[bytes[here++]!]!
        else here += 2
        bits |= (literal & 0xffffff) << bitCount
        bitCount += literal >>> 24
        target.setInt32(position, bits, true)
        position += bitCount >>> 3
        bits >>>= bitCount & 24
        bitCount &= 7
      }
      if (next === count) break
      const repeat = pairs[next + 1]!
      here += repeat >>> 16
      const long = length[repeat >>> 16]!
      bits |= (long & 0xffffff) << bitCount
      bitCount += long >>> 24
      target.setInt32(position, bits, true)
      position += bitCount >>> 3
      bits >>>= bitCount & 24
      bitCount &= 7
      const symbol = distanceSymbol(repeat & 0xffff)
      const far = distance[symbol]!
      const farBits = far >>> 24
      bits |= ((far & 0xffffff) | (((repeat & 0xffff) - distanceBase[symbol]!) << farBits)) << bitCount
      bitCount += farBits + distanceBits[symbol]!
      target.setInt32(position, bits, true)
      position += bitCount >>> 3
      bits >>>= bitCount & 24
      bitCount &= 7
    }
    at = position
    held = bits
    heldBits = bitCount
  }

  return {
    add({ bytes, echoes = rowEchoes(bytes) }) {
      if (bytes.length === 0) return
      const repeats = repeatsOf(bytes, echoes)
      // A byte takes two at worst, and the description of codes a few hundred.
      reserve(2 * bytes.length + 1024)
      if (codes === undefined || bytes.length > servesBytes) {
        startBlock(bytes, repeats)
        servesBytes = CODES_SERVE * bytes.length
      }
      servesBytes -= bytes.length
      putPiece(bytes, repeats, codes!)
    },
    finish() {
      reserve(16)
      if (codes !== undefined) put(endOfBlock & 0xffffff, endOfBlock >>> 24)
      put(0b011, 3) // the last block, with fixed codes and nothing in it
      put(0, 7)
      put(0, -heldBits & 7)
      return out.slice(0, at)
    },
  }
}

let found = new Int32Array(1 << 14)

/** The repeats that the echoes lead to. Valid until the next call. */
function repeatsOf(bytes: Uint8Array, echoes: Int32Array): Repeats {
  if (found.length < echoes.length) found = new Int32Array(2 * echoes.length)
  const pairs = found
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let count = 0
  let here = 0
  for (let i = 0; i < echoes.length; i += 2) {
    // A repeat may have run on beyond where this one would begin.
    const start = Math.max(here, echoes[i]!)
    const distance = echoes[i]! - echoes[i + 1]!
    let position = start
    const most = Math.min(bytes.length, start + matchMost)
    let difference = 0
    while (position + 4 <= most) {
      difference = view.getInt32(position, true) ^ view.getInt32(position - distance, true)
      if (difference !== 0) break
      position += 4
    }
    if (difference !== 0) position += (31 - Math.clz32(difference & -difference)) >>> 3
    else while (position < most && bytes[position] === bytes[position - distance]) position++
    if (position - start < REPEAT_LEAST || distance >= distanceMost) continue
    pairs[count++] = start
    pairs[count++] = ((position - start) << 16) | distance
    here = position
  }
  return { pairs, count }
}

/** How often the piece has each symbol. Each counts once more than that: later pieces may have any. */
function useOf(bytes: Uint8Array, { pairs, count }: Repeats): { literalUse: Uint32Array; distanceUse: Uint32Array } {
  const literalUse = new Uint32Array(286).fill(1)
  const distanceUse = new Uint32Array(30).fill(1)
  let here = 0
  for (let next = 0; next <= count; next += 2) {
    const end = next < count ? pairs[next]! : bytes.length
    while (here < end) literalUse[bytes[here++]!]!++
    if (next === count) break
    const repeat = pairs[next + 1]!
    literalUse[257 + lengthSymbol[repeat >>> 16]!]!++
    distanceUse[distanceSymbol(repeat & 0xffff)]!++
    here += repeat >>> 16
  }
  return { literalUse, distanceUse }
}

const noPairs = new Uint32Array(1 << 16)

function bytePairs(byte: Uint32Array): Uint32Array {
  const pairs = new Uint32Array(1 << 16)
  for (let a = 0; a < 256; a++) {
    const bits = byte[a]! & 0xffffff
    const count = byte[a]! >>> 24
    for (let b = 0; b < 256; b++) {
      const both = count + (byte[b]! >>> 24)
      if (both <= 24) pairs[(a << 8) | b] = entry(bits | ((byte[b]! & 0xffffff) << count), both)
    }
  }
  return pairs
}
