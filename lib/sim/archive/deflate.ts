import { huffman } from './huffman.ts'

/** A DEFLATE encoder for tables of text. zlib's output differs between versions and processors, and an archive's bytes
 *  are somebody's ids, so the exchange brings its own. It looks for repetition in one place only, the same field of
 *  the row before, which in a CSV is where it is: that makes it fast, and deterministic by construction. Any bytes are
 *  encoded correctly; other shapes are merely encoded worse. */
export type Deflater = {
  /** Adds a piece of the text. A piece never refers to the one before it. */
  add(bytes: Uint8Array): void
  finish(): Uint8Array
}

const COMMA = 44
const NEWLINE = 10
const MATCH_LEAST = 5
const MATCH_MOST = 258
const DISTANCE_MOST = 32_768
const TOKENS_A_BLOCK = 1 << 15
const END_OF_BLOCK = 256

const lengthSymbol = new Uint16Array(MATCH_MOST + 1)
const lengthBase = new Int32Array(29)
const lengthBits = new Int32Array(29)
const distanceBase = new Int32Array(30)
const distanceBits = new Int32Array(30)
{
  let length = 3
  for (let symbol = 0; symbol < 28; symbol++) {
    const bits = symbol < 8 ? 0 : (symbol >> 2) - 1
    lengthBase[symbol] = length
    lengthBits[symbol] = bits
    for (let i = 0; i < 1 << bits && length < MATCH_MOST; i++) lengthSymbol[length++] = symbol
  }
  lengthBase[28] = MATCH_MOST
  lengthSymbol[MATCH_MOST] = 28
  let distance = 1
  for (let symbol = 0; symbol < 30; symbol++) {
    const bits = symbol < 4 ? 0 : (symbol >> 1) - 1
    distanceBase[symbol] = distance
    distanceBits[symbol] = bits
    distance += 1 << bits
  }
}

function distanceSymbol(distance: number): number {
  const d = distance - 1
  if (d < 4) return d
  const bits = 30 - Math.clz32(d)
  return 2 * bits + 2 + ((d >> bits) & 1)
}

/** Position of the newline that ends the row, or of the end of the text. */
function endOfRow(bytes: Uint8Array, from: number): number {
  const at = bytes.indexOf(NEWLINE, from)
  return at < 0 ? bytes.length : at
}

export function createDeflater(): Deflater {
  let out = new Uint8Array(1 << 16)
  let at = 0
  let held = 0
  let heldBits = 0
  // A literal is its byte; a match is length << 16 | distance.
  const tokens = new Int32Array(TOKENS_A_BLOCK)
  let tokenCount = 0
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

  const endBlock = (): void => {
    if (tokenCount === 0) return
    literalUse[END_OF_BLOCK]!++
    const literals = huffman(literalUse, 15)
    const distances = huffman(distanceUse, 15)
    reserve(tokenCount * 6 + 1024)
    put(0b100, 3) // not the last block; codes of its own
    putCodes(put, literals.lengths, distances.lengths)
    // The hot loop keeps the bit buffer in locals; every put adds at most 16 bits to the at most 15 held.
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
    put(codes[END_OF_BLOCK]!, lengths[END_OF_BLOCK]!)
    tokenCount = 0
    literalUse.fill(0)
    distanceUse.fill(0)
  }

  const add = (bytes: Uint8Array): void => {
    const end = bytes.length
    const queue = tokens
    const literals = literalUse
    const distances = distanceUse
    let here = 0
    let above = -1 // where the row before has the byte this row has at `here`; -1 in the first row
    let rowStart = 0
    let rowEnd = endOfRow(bytes, 0)
    let count = 0
    while (here < end) {
      if (count > TOKENS_A_BLOCK - 2) {
        tokenCount = count
        endBlock()
        count = 0
      }
      const byte = bytes[here]!
      // Reading past the end would be harmless and would make every read of this loop slower.
      if (above >= 0 && bytes[above] === byte && here + MATCH_LEAST < end) {
        let length = 1
        const most = Math.min(MATCH_MOST, end - here)
        while (length < most && bytes[above + length] === bytes[here + length]) length++
        const distance = here - above
        if (length >= MATCH_LEAST && distance < DISTANCE_MOST) {
          queue[count++] = (length << 16) | distance
          literals[257 + lengthSymbol[length]!]!++
          distances[distanceSymbol(distance)]!++
          here += length
          above += length
          // The match may run on into the next row: its fields then sit over the row after `above`.
          while (here > rowEnd) {
            rowStart = rowEnd + 1
            rowEnd = endOfRow(bytes, rowStart)
          }
          continue
        }
      }
      queue[count++] = byte
      literals[byte]!++
      here++
      if (here > rowEnd) {
        above = rowStart
        rowStart = here
        rowEnd = endOfRow(bytes, here)
      } else if (above >= 0) {
        const over = bytes[above]!
        if (byte === COMMA) {
          // Step to just behind the same comma above, however long the field there was.
          while (above < rowStart && bytes[above] !== COMMA && bytes[above] !== NEWLINE) above++
          if (bytes[above] === COMMA) above++
        } else if (over !== COMMA && over !== NEWLINE) {
          above++
        }
      }
    }
    tokenCount = count
    endBlock()
  }

  const finish = (): Uint8Array => {
    endBlock()
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

  return { add, finish }
}

const codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** Writes both length tables, run-length coded as the format wants them. */
function putCodes(put: (value: number, bits: number) => void, literals: Uint8Array, distances: Uint8Array): void {
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
