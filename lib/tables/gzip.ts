import { crc32, gunzipSync } from 'node:zlib'
import {
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

export function compressGzip(input: Uint8Array, { isThorough = false } = {}): Uint8Array {
  const packed = isThorough ? deflateThoroughly(input) : deflate(input)
  const out = new Uint8Array(packed.length + 18)
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
  if (middle <= 0) return compressGzip(input).length
  return input.length * (deflate(input.subarray(middle, middle + sampleBytes)).length / sampleBytes)
}

export function decompressGzip(input: Uint8Array, size: number): Uint8Array {
  try {
    const bytes = gunzipSync(input, { maxOutputLength: size + 1 })
    if (bytes.length === size) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  } catch (cause) {
    throw new RangeError(`a compressed page is damaged: ${(cause as Error).message}`)
  }
  throw new RangeError('a compressed page has another size than its header says')
}

/** Greedy, with one candidate for every four bytes: values of a column repeat near each other or not at all. */
function deflate(input: Uint8Array): Uint8Array {
  const { tokens, literalUse, distanceUse, endBlock, finish } = createBlockWriter()
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const candidates = new Int32Array(1 << hashBits).fill(-distanceMost)
  const last = input.length - 4
  let count = 0
  let literalFrom = 0
  const queueLiterals = (to: number): void => {
    for (let at = literalFrom; at < to; at++) {
      const byte = input[at]!
      tokens[count++] = byte
      literalUse[byte]!++
      if (count < tokensInBlock) continue
      endBlock(count)
      count = 0
    }
  }
  let misses = 32
  for (let at = 0; at <= last; ) {
    const word = view.getInt32(at, true)
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits)
    const candidate = candidates[slot]!
    candidates[slot] = at
    const distance = at - candidate
    if (distance >= distanceMost || view.getInt32(candidate, true) !== word) {
      // The longer nothing matches, the bigger the steps: noise is passed over quickly.
      at += misses++ >>> 5
      continue
    }
    const most = Math.min(matchMost, input.length - at)
    let length = matchLeast
    while (length < most && input[candidate + length] === input[at + length]) length++
    if (length < farMatchLeast && distance > farDistance) {
      at += misses++ >>> 5
      continue
    }
    queueLiterals(at)
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
  queueLiterals(input.length)
  endBlock(count)
  return finish()
}
