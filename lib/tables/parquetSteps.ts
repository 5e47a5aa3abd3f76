import type { ByteSink } from './byteSink.ts'
import { bigintAt, blockSize, miniblockSize, miniblocks, two32, writeHeader, zigzagDouble } from './parquetDelta.ts'

/** Larger differences have a smallest value of the block that a varint of a double cannot say; only tests meet them. */
const widestStep = 2 ** 47

/**
 * DELTA_BINARY_PACKED too, but each difference on whole bytes, and the same difference as the same bytes in every block:
 * the format lets the writer choose a block's smallest difference and the widths, if only they suffice. It takes more
 * room than the fewest bits do, and far less once it is packed: a code for bytes can tell frequent steps from rare ones
 * and finds runs again, which it cannot among bits that begin anywhere.
 * Returns false where a difference is too large; the sink is then not to be used.
 */
export function encodeSteps(words: Int32Array, sink: ByteSink): boolean {
  const count = words.length >>> 1
  writeHeader(sink, count, count === 0 ? 0n : bigintAt(words, 0))
  const steps = new Float64Array(blockSize)
  for (let start = 1; start < count; start += blockSize) {
    const used = Math.min(blockSize, count - start)
    let min = 0
    let max = 0
    for (let i = 0, at = 2 * start; i < used; i++, at += 2) {
      const step = (words[at + 1]! - words[at - 1]!) * two32 + ((words[at]! >>> 0) - (words[at - 2]! >>> 0))
      steps[i] = step
      if (step < min) min = step
      if (step > max) max = step
    }
    if (min < -widestStep || max >= widestStep) return false
    steps.fill(0, used)
    writeSteps(sink, steps, used, min, max)
  }
  return true
}

function writeSteps(sink: ByteSink, steps: Float64Array, used: number, min: number, max: number): void {
  // Where values only rise nothing is added to a step; else half of what the bytes can say.
  const signedBytes = min === 0 ? 0 : bytesFor(Math.max(-min - 1, max) * 2 + 1)
  const least = min === 0 ? 0 : -(2 ** (8 * signedBytes - 1))
  sink.varint(zigzagDouble(least))
  sink.reserve(miniblocks + (blockSize + 1) * 8)
  const { bytes, view } = sink
  const widthsAt = sink.length
  let at = widthsAt + miniblocks
  for (let block = 0; block < miniblocks; block++) {
    const from = block * miniblockSize
    let width = from < used ? signedBytes : 0
    if (min === 0) {
      let largest = 0
      for (let i = from; i < from + miniblockSize; i++) if (steps[i]! > largest) largest = steps[i]!
      width = bytesFor(largest)
    }
    bytes[widthsAt + block] = 8 * width
    if (width === 0) continue
    for (let i = from; i < from + miniblockSize; i++, at += width) {
      // What a write puts behind its own bytes the next one puts right.
      const rest = i < used ? steps[i]! - least : 0
      view.setInt32(at, rest | 0, true)
      if (width > 4) view.setInt32(at + 4, Math.floor(rest / two32), true)
    }
  }
  sink.length = at
}

/** How many bytes a number that is not negative takes. */
function bytesFor(value: number): number {
  if (value < two32) return (39 - Math.clz32(value)) >>> 3
  return 4 + ((39 - Math.clz32(Math.floor(value / two32))) >>> 3)
}
