import { ByteSink, ByteSource } from './byteSink.ts'

// The Snappy block format. It is here because the writer must give the same bytes on every Node: the zlib inside Node
// varies with version and processor, and Node 20 has no zstd.

const hashBits = 14
/** Matches are looked for inside windows of this size, so every offset fits two bytes. */
const windowSize = 65536

export function compressSnappy(input: Uint8Array): Uint8Array {
  const sink = new ByteSink(32 + input.length + Math.ceil(input.length / 6))
  sink.varint(input.length)
  const table = new Uint16Array(1 << hashBits)
  for (let from = 0; from < input.length; from += windowSize) {
    table.fill(0)
    compressWindow(input.subarray(from, from + windowSize), table, sink)
  }
  return sink.written().slice()
}

function compressWindow(input: Uint8Array, table: Uint16Array, sink: ByteSink): void {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const last = input.length - 4
  let literalFrom = 0
  let at = 1
  let misses = 32
  while (at <= last) {
    const word = view.getInt32(at, true)
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits)
    const candidate = table[slot]!
    table[slot] = at
    if (candidate >= at || view.getInt32(candidate, true) !== word) {
      // The longer nothing matches, the bigger the steps: noise is passed over quickly.
      at += misses++ >>> 5
      continue
    }
    writeLiteral(input, literalFrom, at, sink)
    let end = at + 4
    const offset = at - candidate
    while (end < input.length && input[end] === input[end - offset]) end++
    writeCopy(offset, end - at, sink)
    at = literalFrom = end
    misses = 32
  }
  writeLiteral(input, literalFrom, input.length, sink)
}

function writeLiteral(input: Uint8Array, from: number, to: number, sink: ByteSink): void {
  const length = to - from
  if (length === 0) return
  if (length <= 60) sink.byte((length - 1) << 2)
  else if (length <= 256) {
    sink.byte(60 << 2)
    sink.byte(length - 1)
  } else {
    sink.byte(61 << 2)
    sink.byte((length - 1) & 255)
    sink.byte((length - 1) >>> 8)
  }
  sink.append(input.subarray(from, to))
}

function writeCopy(offset: number, length: number, sink: ByteSink): void {
  sink.reserve(3 * Math.ceil(length / 60) + 3)
  const { bytes } = sink
  let at = sink.length
  while (length > 0) {
    // A copy of fewer than four bytes is not left over: 64 are taken only while at least four remain behind them.
    const piece = length >= 68 ? 64 : length > 64 ? 60 : length
    bytes[at++] = 2 | ((piece - 1) << 2)
    bytes[at++] = offset & 255
    bytes[at++] = offset >>> 8
    length -= piece
  }
  sink.length = at
}

export function decompressSnappy(input: Uint8Array, size: number): Uint8Array {
  const source = new ByteSource(input)
  if (source.varint() !== size) throw new RangeError('a compressed page has another size than its header says')
  const out = new Uint8Array(size)
  let at = 0
  while (source.at < input.length) {
    const tag = source.byte()
    if ((tag & 3) === 0) {
      let length = tag >>> 2
      if (length >= 60) {
        const extra = length - 59
        length = 0
        for (let i = 0; i < extra; i++) length += source.byte() * 256 ** i
      }
      const literal = source.take(length + 1)
      if (at + literal.length > size) throw new RangeError('a compressed page is longer than its header says')
      out.set(literal, at)
      at += literal.length
      continue
    }
    let length = (tag >>> 2) + 1
    let offset: number
    if ((tag & 3) === 1) {
      length = ((tag >>> 2) & 7) + 4
      offset = ((tag >>> 5) << 8) | source.byte()
    } else {
      offset = source.byte() | (source.byte() << 8)
      if ((tag & 3) === 3) offset += source.byte() * 65536 + source.byte() * 16777216
    }
    if (offset === 0 || offset > at || at + length > size) throw new RangeError('a compressed page is damaged')
    if (offset >= length) out.copyWithin(at, at - offset, at - offset + length)
    else for (let i = 0; i < length; i++) out[at + i] = out[at + i - offset]!
    at += length
  }
  if (at !== size) throw new RangeError('a compressed page is shorter than its header says')
  return out
}
