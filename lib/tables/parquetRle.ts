import type { ByteSink, ByteSource } from './byteSink.ts'

// The RLE / bit-packing hybrid of the Parquet format: definition levels and dictionary indices.

/** Runs shorter than this cost less bit-packed. */
const shortestRun = 16

export const bitWidth = (largest: number): number => 32 - Math.clz32(largest)

export function encodeHybrid(values: Int32Array | Uint8Array, width: number, sink: ByteSink): void {
  let literalFrom = 0
  const flushLiterals = (to: number) => {
    if (to === literalFrom) return
    const groups = Math.ceil((to - literalFrom) / 8)
    sink.varint(groups * 2 + 1)
    packBits(values, literalFrom, to, width, sink)
  }
  let at = 0
  while (at < values.length) {
    // Literals come in whole groups of eight, so a run may start only where a group would.
    const value = values[at]!
    let end = at + 1
    while (end < values.length && values[end] === value) end++
    if (end - at < shortestRun) {
      at = Math.min(at + 8, values.length)
      continue
    }
    flushLiterals(at)
    sink.varint((end - at) * 2)
    for (let shift = 0; shift < width; shift += 8) sink.byte((value >>> shift) & 255)
    at = literalFrom = end
  }
  flushLiterals(values.length)
}

/** Packs values from the lowest bit up, padded with zeros to a whole group of eight. */
function packBits(values: Int32Array | Uint8Array, from: number, to: number, width: number, sink: ByteSink): void {
  const groups = Math.ceil((to - from) / 8)
  sink.reserve(groups * width + 8)
  const { bytes } = sink
  const end = sink.length + groups * width
  let at = sink.length
  let pending = 0
  let filled = 0
  for (let i = from; i < to; i++) {
    pending |= values[i]! << filled
    filled += width
    while (filled >= 8) {
      bytes[at++] = pending
      pending >>>= 8
      filled -= 8
    }
  }
  if (filled > 0) bytes[at++] = pending
  bytes.fill(0, at, end)
  sink.length = end
}

export function decodeHybrid(source: ByteSource, width: number, out: Int32Array | Uint8Array): void {
  let row = 0
  while (row < out.length) {
    const header = source.varint()
    if (header % 2 === 0) {
      const count = header / 2
      let value = 0
      for (let shift = 0; shift < width; shift += 8) value |= source.byte() << shift
      if (count === 0 || row + count > out.length) throw new RangeError(`a run of ${count} does not fit its page`)
      out.fill(value, row, row + count)
      row += count
      continue
    }
    const groups = (header - 1) / 2
    const from = source.skip(groups * width)
    const end = Math.min(out.length, row + groups * 8)
    unpackBits(source, from, width, out, row, end)
    row = end
  }
}

/** Values of `width` bits, from the lowest bit up, into rows `row` to `end` (not included). */
function unpackBits(
  { view, bytes }: ByteSource,
  from: number,
  width: number,
  out: Int32Array | Uint8Array,
  row: number,
  end: number,
): void {
  const mask = (1 << width) - 1
  // Four bytes hold a value of up to 25 bits wherever in a byte it begins. Behind the last ones there may be no four.
  const wholeWords = width > 25 ? 0 : Math.max(0, Math.floor(((bytes.length - from - 4) * 8) / width))
  const fastEnd = Math.min(end, row + wholeWords)
  let bit = 0
  for (; row < fastEnd; row++, bit += width) out[row] = (view.getInt32(from + (bit >>> 3), true) >>> (bit & 7)) & mask
  for (; row < end; row++, bit += width) {
    let value = 0
    for (let taken = 0, at = bit; taken < width; ) {
      const here = Math.min(width - taken, 8 - (at & 7))
      value |= ((bytes[from + (at >>> 3)]! >>> (at & 7)) & ((1 << here) - 1)) << taken
      taken += here
      at += here
    }
    out[row] = value
  }
}
