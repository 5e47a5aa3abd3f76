/** A growing byte buffer. `view` and `bytes` change when it grows, so fetch them again after `reserve`. */
export class ByteSink {
  bytes: Uint8Array
  view: DataView
  length = 0

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** An unsigned LEB128 of a safe integer. */
  varint(value: number): void {
    this.reserve(8)
    while (value >= 128) {
      this.bytes[this.length++] = (value % 128) | 128
      value = Math.floor(value / 128)
    }
    this.bytes[this.length++] = value
  }

  /** A zigzag LEB128 of any signed 64-bit integer. */
  zigzag(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (rest >= 128n) {
      this.byte(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    this.byte(Number(rest))
  }

  i32(value: number): void {
    this.reserve(4)
    this.view.setInt32(this.length, value, true)
    this.length += 4
  }

  /** What was written, as a view of the buffer: copy it before the sink is used again. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
}

/** A cursor over bytes; reading past the end throws a RangeError. */
export class ByteSource {
  readonly bytes: Uint8Array
  readonly view: DataView
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
  }

  byte(): number {
    return this.view.getUint8(this.at++)
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) break
      scale *= 128
      if (scale > 2 ** 49) throw new RangeError('a varint is longer than a safe integer')
    }
    return value
  }

  zigzag(): bigint {
    let value = 0n
    let shift = 0n
    for (;;) {
      const byte = this.byte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) break
      shift += 7n
      if (shift > 63n) throw new RangeError('a varint is longer than 64 bits')
    }
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
  }

  /** The same as 32-bit halves, without a bigint where seven bytes suffice: decoders read one for every block. */
  zigzagHalves(into: { low: number; high: number }): void {
    const start = this.at
    let raw = 0
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.byte()
      raw += (byte & 127) * scale
      if (byte >= 128) continue
      const value = raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
      into.low = value | 0
      into.high = Math.floor(value / 4294967296)
      return
    }
    this.at = start
    const value = this.zigzag()
    into.low = Number(BigInt.asIntN(32, value))
    into.high = Number(value >> 32n)
  }

  i32(): number {
    const value = this.view.getInt32(this.at, true)
    this.at += 4
    return value
  }

  /** Steps over bytes and returns where they start. */
  skip(count: number): number {
    const start = this.at
    if (count < 0 || start + count > this.bytes.length) throw new RangeError('the bytes end early')
    this.at = start + count
    return start
  }

  take(count: number): Uint8Array {
    const start = this.skip(count)
    return this.bytes.subarray(start, this.at)
  }
}
