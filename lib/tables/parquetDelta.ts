import type { ByteSink, ByteSource } from './byteSink.ts'

// DELTA_BINARY_PACKED of the Parquet format: blocks of 128 differences in four miniblocks of 32. Every block stores its
// smallest difference, and every miniblock as few bits for each value as its own largest remainder needs.
export const blockSize = 128
export const miniblockSize = 32
export const miniblocks = blockSize / miniblockSize
/** Differences below this are exact as doubles, and so is the distance between two of them. */
const exactLimit = 2 ** 52
export const two32 = 2 ** 32

/**
 * Encodes 64-bit integers given as little-endian halves. Differences are taken as doubles where that is exact, which
 * is every real price, size, id and time, and as bigints in the blocks where it is not.
 */
export function encodeDelta(words: Int32Array, sink: ByteSink): void {
  const count = words.length >>> 1
  writeHeader(sink, count, count === 0 ? 0n : bigintAt(words, 0))
  const deltas = new Float64Array(blockSize)
  const remainders = new Int32Array(2 * blockSize)
  for (let start = 1; start < count; start += blockSize) {
    const used = Math.min(blockSize, count - start)
    let min = exactLimit
    let max = -exactLimit
    for (let i = 0, at = 2 * start; i < used; i++, at += 2) {
      const high = words[at + 1]! - words[at - 1]!
      const delta = high * two32 + ((words[at]! >>> 0) - (words[at - 2]! >>> 0))
      deltas[i] = delta
      if (delta < min) min = delta
      if (delta > max) max = delta
    }
    if (min > -exactLimit && max < exactLimit) writeBlock(sink, deltas, used, min, max, remainders)
    else writeWideBlock(sink, words, start, used, remainders)
  }
}

/** Encodes 32-bit integers. Differences wrap at 32 bits, as readers of an INT32 column take them. */
export function encodeDelta32(values: Int32Array, sink: ByteSink): void {
  writeHeader(sink, values.length, BigInt(values[0] ?? 0))
  const deltas = new Float64Array(blockSize)
  const remainders = new Int32Array(2 * blockSize)
  for (let start = 1; start < values.length; start += blockSize) {
    const used = Math.min(blockSize, values.length - start)
    let min = two32
    let max = -two32
    for (let i = 0; i < used; i++) {
      const delta = (values[start + i]! - values[start + i - 1]!) | 0
      deltas[i] = delta
      if (delta < min) min = delta
      if (delta > max) max = delta
    }
    writeBlock(sink, deltas, used, min, max, remainders)
  }
}

export function writeHeader(sink: ByteSink, count: number, first: bigint): void {
  sink.varint(blockSize)
  sink.varint(miniblocks)
  sink.varint(count)
  sink.zigzag(first)
}

function writeBlock(
  sink: ByteSink,
  deltas: Float64Array,
  used: number,
  min: number,
  max: number,
  remainders: Int32Array,
): void {
  if (min === max) {
    // Bars follow each other at one distance, and many a column holds one value: nothing is left over in such a block.
    sink.varint(zigzagDouble(min))
    sink.i32(0)
    return
  }
  if (max - min < two32) {
    writeNarrow(sink, deltas, used, min, remainders)
    return
  }
  for (let i = 0; i < blockSize; i++) {
    const remainder = i < used ? deltas[i]! - min : 0
    remainders[2 * i] = remainder % two32
    remainders[2 * i + 1] = Math.floor(remainder / two32)
  }
  writeWide(sink, BigInt(min), used, remainders)
}

/** The zigzag form of an integer below 2^52, exact as a double. */
export function zigzagDouble(value: number): number {
  if (value < 0) return -2 * value - 1
  return 2 * value
}

function writeWideBlock(sink: ByteSink, words: Int32Array, start: number, used: number, remainders: Int32Array): void {
  const deltas: bigint[] = []
  for (let i = start; i < start + used; i++) {
    deltas.push(BigInt.asIntN(64, bigintAt(words, i) - bigintAt(words, i - 1)))
  }
  const min = deltas.reduce(lesser)
  remainders.fill(0)
  deltas.forEach((delta, i) => {
    const remainder = BigInt.asUintN(64, delta - min)
    remainders[2 * i] = Number(remainder & 0xffffffffn)
    remainders[2 * i + 1] = Number(remainder >> 32n)
  })
  writeWide(sink, min, used, remainders)
}

/** A block whose remainders fit 32 bits; a miniblock of 32 values at `width` bits is exactly `width` words long. */
function writeNarrow(sink: ByteSink, deltas: Float64Array, used: number, min: number, remainders: Int32Array): void {
  sink.varint(zigzagDouble(min))
  sink.reserve(miniblocks + blockSize * 4)
  const { view } = sink
  const widthsAt = sink.length
  let at = widthsAt + miniblocks
  for (let block = 0; block < miniblocks; block++) {
    const from = block * miniblockSize
    const to = Math.min(used, from + miniblockSize)
    let seen = 0
    for (let i = from; i < to; i++) {
      const remainder = (deltas[i]! - min) | 0
      remainders[i] = remainder
      seen |= remainder
    }
    const width = 32 - Math.clz32(seen)
    view.setUint8(widthsAt + block, width)
    if (width === 0) continue
    if (to < from + miniblockSize) remainders.fill(0, to, from + miniblockSize)
    let pending = 0
    let filled = 0
    for (let i = from; i < from + miniblockSize; i++) {
      const value = remainders[i]!
      pending |= value << filled
      filled += width
      if (filled < 32) continue
      view.setInt32(at, pending, true)
      at += 4
      filled -= 32
      pending = filled === 0 ? 0 : value >>> (width - filled)
    }
  }
  sink.length = at
}

/** A block with remainders above 32 bits, given as halves. */
function writeWide(sink: ByteSink, min: bigint, used: number, halves: Int32Array): void {
  sink.zigzag(min)
  sink.reserve(miniblocks + blockSize * 8)
  const { view } = sink
  const widthsAt = sink.length
  let at = widthsAt + miniblocks
  for (let block = 0; block < miniblocks; block++) {
    const from = block * miniblockSize
    let low = 0
    let high = 0
    for (let i = from; i < from + miniblockSize; i++) {
      low |= halves[2 * i]!
      high |= halves[2 * i + 1]!
    }
    const width = from >= used ? 0 : high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high)
    view.setUint8(widthsAt + block, width)
    let pending = 0
    let filled = 0
    const put = (value: number, bits: number) => {
      pending |= value << filled
      filled += bits
      if (filled < 32) return
      view.setInt32(at, pending, true)
      at += 4
      filled -= 32
      pending = filled === 0 ? 0 : value >>> (bits - filled)
    }
    for (let i = from; i < from + miniblockSize && width > 0; i++) {
      put(halves[2 * i]!, Math.min(width, 32))
      if (width > 32) put(halves[2 * i + 1]!, width - 32)
    }
  }
  sink.length = at
}

function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}

export function bigintAt(words: Int32Array, index: number): bigint {
  return (BigInt(words[2 * index + 1]!) << 32n) | BigInt(words[2 * index]! >>> 0)
}

/** Fills `out` with decoded integers: halves of 64 bits, doubles (exact only for safe integers), or 32 bits. */
export function decodeDelta(source: ByteSource, out: DeltaTarget): void {
  const count = out.kind === 'words' ? out.words.length / 2 : out.values.length
  const size = source.varint()
  const parts = source.varint()
  const stored = source.varint()
  if (stored !== count) throw new RangeError(`a page of ${count} values holds ${stored}`)
  const first = source.zigzag()
  if (count === 0) return
  if (size / parts !== miniblockSize) throw new RangeError(`miniblocks of ${size / parts} values are not ours`)
  const block: Miniblock = { min: { low: 0, high: 0 }, width: 0, low: new Int32Array(32), high: new Int32Array(32) }
  const add = adder(out, first)
  for (let row = 1; row < count; ) {
    source.zigzagHalves(block.min)
    const widthsAt = source.skip(parts)
    for (let part = 0; part < parts && row < count; part++) {
      block.width = source.bytes[widthsAt + part]!
      if (block.width > 64) throw new RangeError(`${block.width} bits for a value of 64`)
      unpack(source, block.width, block.low, block.high)
      const used = Math.min(miniblockSize, count - row)
      add(row, used, block)
      row += used
    }
  }
}

export type DeltaTarget =
  | { kind: 'words'; words: Int32Array }
  | { kind: 'doubles'; values: Float64Array }
  | { kind: 'int32'; values: Int32Array }

/** Thirty-two remainders over the smallest difference of their block; `high` counts only above 32 bits of width. */
type Miniblock = { min: { low: number; high: number }; width: number; low: Int32Array; high: Int32Array }

/** Adds a miniblock's differences up into rows from `row`. State lives in locals while the loop runs: it is much faster. */
type Add = (row: number, used: number, block: Miniblock) => void

function adder(out: DeltaTarget, first: bigint): Add {
  if (out.kind === 'words') return addWords(out.words, first)
  if (out.kind === 'doubles') return addDoubles(out.values, first)
  return addInt32(out.values, first)
}

function addWords(words: Int32Array, first: bigint): Add {
  let lastLow = (words[0] = Number(BigInt.asIntN(32, first)))
  let lastHigh = (words[1] = Number(first >> 32n))
  return (row, used, { min, width, low, high }) => {
    const { low: minLow, high: minHigh } = min
    let accLow = lastLow
    let accHigh = lastHigh
    const out = words
    for (let i = 0, at = 2 * row; i < used; i++, at += 2) {
      // A sum carries where both top bits were set, or one of them and the sum's is not. Comparing would be a branch,
      // and whether a price went up or down is what no processor foresees.
      const rest = low[i]!
      const step = (rest + minLow) | 0
      const sum = (accLow + step) | 0
      const carries =
        (((rest & minLow) | ((rest | minLow) & ~step)) >>> 31) + (((accLow & step) | ((accLow | step) & ~sum)) >>> 31)
      accLow = sum
      accHigh = (accHigh + minHigh + carries) | 0
      if (width > 32) accHigh = (accHigh + high[i]!) | 0
      out[at] = accLow
      out[at + 1] = accHigh
    }
    lastLow = accLow
    lastHigh = accHigh
  }
}

function addDoubles(values: Float64Array, first: bigint): Add {
  let last = (values[0] = Number(first))
  return (row, used, { min, width, low, high }) => {
    const step = min.high * two32 + (min.low >>> 0)
    let acc = last
    if (width > 52 || step <= -exactLimit || step >= exactLimit) {
      // Neighbours further apart than a double can say: times at both ends of the scale, met only in tests.
      const exact = (BigInt(min.high) << 32n) + BigInt(min.low >>> 0)
      for (let i = 0; i < used; i++) {
        const remainder = BigInt(low[i]! >>> 0) + (width > 32 ? BigInt(high[i]! >>> 0) << 32n : 0n)
        acc = values[row + i] = Number(BigInt.asIntN(64, BigInt(acc) + exact + remainder))
      }
    } else if (width > 32) {
      for (let i = 0; i < used; i++) values[row + i] = acc += step + (low[i]! >>> 0) + (high[i]! >>> 0) * two32
    } else {
      for (let i = 0; i < used; i++) values[row + i] = acc += step + (low[i]! >>> 0)
    }
    last = acc
  }
}

function addInt32(values: Int32Array, first: bigint): Add {
  let last = (values[0] = Number(BigInt.asIntN(32, first)))
  return (row, used, { min, low }) => {
    let acc = last
    for (let i = 0; i < used; i++) values[row + i] = acc = (acc + min.low + low[i]!) | 0
    last = acc
  }
}

function unpack(source: ByteSource, width: number, low: Int32Array, high: Int32Array): void {
  if (width === 0) {
    low.fill(0)
    return
  }
  const { view } = source
  const at = source.skip(width * 4)
  if (width > 32) {
    unpackWide(view, at, width, low, high)
    return
  }
  const mask = width === 32 ? -1 : (1 << width) - 1
  if (width <= 25 && at + width * 4 + 4 <= view.byteLength) {
    // Four bytes hold such a value wherever in a byte it begins; the last may need some behind the miniblock.
    for (let i = 0, bit = 0; i < miniblockSize; i++, bit += width) {
      low[i] = (view.getInt32(at + (bit >>> 3), true) >>> (bit & 7)) & mask
    }
    return
  }
  let next = at
  let word = 0
  let left = 0
  for (let i = 0; i < miniblockSize; i++) {
    let value: number
    if (left >= width) {
      value = word
      word = width === 32 ? 0 : word >>> width
      left -= width
    } else {
      const fresh = view.getInt32(next, true)
      next += 4
      value = left === 0 ? fresh : word | (fresh << left)
      const taken = width - left
      word = taken === 32 ? 0 : fresh >>> taken
      left = 32 - taken
    }
    low[i] = value & mask
  }
}

function unpackWide(view: DataView, at: number, width: number, low: Int32Array, high: Int32Array): void {
  const highMask = width === 64 ? -1 : (1 << (width - 32)) - 1
  for (let i = 0; i < miniblockSize; i++) {
    const bit = i * width
    const shift = bit & 31
    const word = at + (bit >>> 5) * 4
    const end = at + width * 4
    const w0 = view.getInt32(word, true)
    const w1 = word + 4 < end ? view.getInt32(word + 4, true) : 0
    const w2 = word + 8 < end ? view.getInt32(word + 8, true) : 0
    low[i] = shift === 0 ? w0 : (w0 >>> shift) | (w1 << (32 - shift))
    high[i] = (shift === 0 ? w1 : (w1 >>> shift) | (w2 << (32 - shift))) & highMask
  }
}
