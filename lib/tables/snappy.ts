import { ByteSource } from './byteSink.ts'

// The Snappy block format: tables were packed by it up to version 1.0 of the writer, and are still read.

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
