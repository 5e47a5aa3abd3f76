import { huffman } from './huffman.ts'

/** Where literals and matches go, block by block. What finds the matches is somebody else's business. */
export type BlockSink<Result> = {
  /** What the next block is made of: a literal is its byte; a match is length << 16 | distance. */
  readonly tokens: Int32Array
  /** How often the block has each literal, and each length at 257 and up. Whoever queues a token counts it here. */
  readonly literalUse: Uint32Array
  readonly distanceUse: Uint32Array
  /** Forgets everything. A new one need not be told. */
  begin(): void
  /** Ends a block of the first `tokenCount` tokens. */
  endBlock(tokenCount: number): void
  finish(): Result
}

/** Turns them into a raw deflate stream, each block with codes of its own. This part is the same for everyone, and the
 *  same on every Node: zlib's output differs between versions and processors. */
export type BlockWriter = BlockSink<Uint8Array>

export const tokensInBlock = 1 << 15
export const matchMost = 258
export const distanceMost = 32_768
export const endOfBlock = 256
/** A larger buffer is not kept for the next stream. */
const keptBytes = 1 << 22
/** A code of up to 15 bits, extra bits of up to 5 behind it, and above them how many they are together. */
const codeBits = 20
const codeMask = (1 << codeBits) - 1

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
  let view = new DataView(out.buffer)
  let at = 0
  let held = 0
  let heldBits = 0
  const tokens = new Int32Array(tokensInBlock)
  const literalUse = new Uint32Array(286)
  const distanceUse = new Uint32Array(30)
  const symbolCodes = new Uint32Array(literalUse.length)
  const lengthCodes = new Uint32Array(matchMost + 1)
  const distanceCodes = new Uint32Array(distanceUse.length)

  /** At most 24 bits. Fewer than eight are held when it returns. */
  const put = (value: number, bits: number): void => {
    view.setUint32(at, held | (value << heldBits), true)
    held = (held | (value << heldBits)) >>> ((heldBits + bits) & 24)
    at += (heldBits + bits) >>> 3
    heldBits = (heldBits + bits) & 7
  }

  const begin = (): void => {
    at = held = heldBits = 0
    literalUse.fill(0)
    distanceUse.fill(0)
    if (out.length > keptBytes) resize(1 << 16)
  }

  const reserve = (bytes: number): void => {
    if (at + bytes <= out.length) return
    resize(Math.max(out.length * 2, at + bytes))
  }

  const resize = (bytes: number): void => {
    const other = new Uint8Array(bytes)
    other.set(out.subarray(0, at))
    out = other
    view = new DataView(other.buffer)
  }

  const endBlock = (tokenCount: number): void => {
    if (tokenCount === 0) return
    literalUse[endOfBlock]!++
    const literals = huffman(literalUse, 15)
    const distances = huffman(distanceUse, 15)
    reserve(tokenCount * 6 + 1024)
    put(0b100, 3) // not the last block; codes of its own
    putCodes(put, literals.lengths, distances.lengths)
    for (let symbol = 0; symbol < symbolCodes.length; symbol++)
      symbolCodes[symbol] = (literals.lengths[symbol]! << codeBits) | literals.codes[symbol]!
    for (let symbol = 0; symbol < distanceCodes.length; symbol++)
      distanceCodes[symbol] = (distances.lengths[symbol]! << codeBits) | distances.codes[symbol]!
    // A length's extra bits follow its code, and are looked up together with it.
    for (let length = 3; length <= matchMost; length++) {
      const symbol = lengthSymbol[length]!
      const bits = literals.lengths[257 + symbol]!
      const code = literals.codes[257 + symbol]! | ((length - lengthBase[symbol]!) << bits)
      lengthCodes[length] = ((bits + lengthBits[symbol]!) << codeBits) | code
    }
    // The hot loop keeps the bit buffer in locals. Four bytes are written each time and only those that are full are passed
    // over: whether there are any is what no processor foresees. At most 7 + 20 bits are held before they are written.
    const buffer = view
    let position = at
    let bits = held
    let count = heldBits
    for (let t = 0; t < tokenCount; t++) {
      const token = tokens[t]!
      const isLiteral = token < 256
      const code = isLiteral ? symbolCodes[token]! : lengthCodes[token >>> 16]!
      bits |= (code & codeMask) << count
      count += code >>> codeBits
      buffer.setUint32(position, bits, true)
      position += count >>> 3
      bits >>>= count & 24
      count &= 7
      if (isLiteral) continue
      const distance = token & 0xffff
      const symbol = distanceSymbol(distance)
      const far = distanceCodes[symbol]!
      bits |= (far & codeMask) << count
      count += far >>> codeBits
      buffer.setUint32(position, bits, true)
      position += count >>> 3
      bits >>>= count & 24
      count &= 7
      bits |= (distance - distanceBase[symbol]!) << count
      count += distanceBits[symbol]!
      buffer.setUint32(position, bits, true)
      position += count >>> 3
      bits >>>= count & 24
      count &= 7
    }
    at = position
    held = bits
    heldBits = count
    put(literals.codes[endOfBlock]!, literals.lengths[endOfBlock]!)
    literalUse.fill(0)
    distanceUse.fill(0)
  }

  const finish = (): Uint8Array => {
    reserve(16)
    put(0b011, 3) // the last block, with fixed codes and nothing in it
    put(0, 7)
    if (heldBits > 0) put(0, 8 - heldBits)
    return out.slice(0, at)
  }

  return { tokens, literalUse, distanceUse, begin, endBlock, finish }
}

const codeOrder = Uint8Array.of(16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)

/** Writes both length tables, run-length coded as the format wants them. */
export function putCodes(
  put: (value: number, bits: number) => void,
  literals: Uint8Array,
  distances: Uint8Array,
): void {
  const all = new Uint8Array(literals.length + distances.length)
  all.set(literals)
  all.set(distances, literals.length)
  // At least one distance code has to be described, used or not.
  const isFar = distances.some((length) => length > 0)
  const described = isFar ? distances.length : 1
  const size = literals.length + described
  if (!isFar) all[size - 1] = 1
  // A run is its symbol and, above that, its extra bits.
  const runs = new Uint16Array(size)
  const use = new Uint32Array(19)
  let count = 0
  const queue = (symbol: number, extra: number): void => {
    runs[count++] = (extra << 5) | symbol
    use[symbol]!++
  }
  for (let i = 0; i < size; ) {
    const value = all[i]!
    let run = 1
    while (i + run < size && all[i + run] === value && run < 138) run++
    if (value === 0 && run >= 11) queue(18, run - 11)
    else if (value === 0 && run >= 3) queue(17, run - 3)
    else if (value !== 0 && run >= 4) {
      run = Math.min(run, 7)
      queue(value, 0)
      queue(16, run - 4)
    } else {
      run = 1
      queue(value, 0)
    }
    i += run
  }
  const { lengths, codes } = huffman(use, 7)
  let sent = 19
  while (sent > 4 && lengths[codeOrder[sent - 1]!] === 0) sent--
  put(literals.length - 257, 5)
  put(described - 1, 5)
  put(sent - 4, 4)
  for (let i = 0; i < sent; i++) put(lengths[codeOrder[i]!]!, 3)
  for (let i = 0; i < count; i++) {
    const symbol = runs[i]! & 31
    put(codes[symbol]!, lengths[symbol]!)
    if (symbol >= 16) put(runs[i]! >>> 5, symbol === 16 ? 2 : symbol === 17 ? 3 : 7)
  }
}
