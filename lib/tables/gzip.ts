import { crc32, gunzipSync } from 'node:zlib'
import { createBlockMeter } from '../deflate/blockMeter.ts'
import {
  type BlockSink,
  createBlockWriter,
  distanceMost,
  distanceSymbol,
  lengthSymbol,
  matchMost,
  tokensInBlock,
} from '../deflate/blockWriter.ts'
import { deflateThoroughly } from '../deflate/thorough.ts'

// Pages are packed by our own writer, because the same table must give the same bytes on every Node: the zlib inside Node
// varies with version and processor. Unpacking is not so: there is one right answer, and the built-in one gives it fast.

const hashBits = 15
/** A short match costs less than its letters only where it lies near. */
const matchLeast = 4
const farMatchLeast = 6
const farDistance = 4096

// Scratch, written before it is read, in one call: tables and buffers take longer to make than a small page to pack.
const candidates = new Int32Array(1 << hashBits)
const blockWriter = createBlockWriter()
const blockMeter = createBlockMeter()
/** What a gzip file has around its stream. */
const frameBytes = 18
const largestPiece = 1 << 24

export function compressGzip(input: Uint8Array, { isThorough = false } = {}): Uint8Array {
  const packed = isThorough ? deflateThoroughly(input) : deflate(input, blockWriter)
  const out = new Uint8Array(packed.length + frameBytes)
  // Deflate, no flags, no time, no system: nothing of where and when it was made.
  out.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
  out.set(packed, 10)
  const trailer = new DataView(out.buffer, packed.length + 10)
  trailer.setUint32(0, input.length === 0 ? 0 : crc32(input), true)
  trailer.setUint32(4, input.length, true)
  return out
}

/** How many bytes packing will leave, judged by a stretch in the middle where there are many: trying everything on the
 *  whole costs more than the rest of the writing. */
export function expectGzip(input: Uint8Array, sampleBytes: number): number {
  const middle = (input.length - sampleBytes) >> 1
  if (middle <= 0) return deflate(input, blockMeter) + frameBytes
  return input.length * (deflate(input.subarray(middle, middle + sampleBytes), blockMeter) / sampleBytes)
}

export function decompressGzip(input: Uint8Array, size: number): Uint8Array {
  try {
    // In one piece, unless a damaged header asks for more than any page has.
    const chunkSize = Math.max(64, Math.min(size + 1, largestPiece))
    const bytes = gunzipSync(input, { maxOutputLength: size + 1, chunkSize })
    if (bytes.length === size) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  } catch (cause) {
    throw new RangeError(`a compressed page is damaged: ${(cause as Error).message}`)
  }
  throw new RangeError('a compressed page has another size than its header says')
}

/** Greedy, with one candidate for every four bytes: values of a column repeat near each other or not at all. */
function deflate<Result>(input: Uint8Array, sink: BlockSink<Result>): Result {
  const { tokens, literalUse, distanceUse, endBlock } = sink
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  sink.begin()
  candidates.fill(0)
  const size = input.length
  const last = size - 4
  let count = 0
  let literalFrom = 0
  let misses = 32
  for (let at = 0; literalFrom < size; ) {
    let length = 0
    let distance = 0
    for (; at <= last; at += misses++ >>> 5) {
      // The longer nothing matches, the bigger the steps: noise is passed over quickly.
      const word = view.getInt32(at, true)
      const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits)
      const candidate = candidates[slot]!
      candidates[slot] = at
      // Where nothing was yet stands a zero. The four bytes at zero are no candidate for any others, so that only they
      // themselves are to be told apart. What lies too far is looked at last, for one that is equal is seldom far.
      if (view.getInt32(candidate, true) !== word) continue
      distance = at - candidate
      if (distance >= distanceMost || distance === 0) continue
      const most = Math.min(matchMost, size - at)
      let alike = matchLeast
      while (alike < most && input[candidate + alike] === input[at + alike]) alike++
      if (alike < farMatchLeast && distance > farDistance) continue
      length = alike
      break
    }
    const literalTo = length === 0 ? size : at
    while (literalFrom < literalTo) {
      const end = Math.min(literalTo, literalFrom + tokensInBlock - count)
      while (literalFrom < end) {
        const byte = input[literalFrom++]!
        tokens[count++] = byte
        literalUse[byte]!++
      }
      if (count < tokensInBlock) break
      endBlock(count)
      count = 0
    }
    if (length === 0) break
    tokens[count++] = (length << 16) | distance
    literalUse[257 + lengthSymbol[length]!]!++
    distanceUse[distanceSymbol(distance)]!++
    if (count === tokensInBlock) {
      endBlock(count)
      count = 0
    }
    at += length
    literalFrom = at
    misses = 32
  }
  endBlock(count)
  return sink.finish()
}
