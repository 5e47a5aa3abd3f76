import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRng } from '../../../lib/rng.ts'
import { compressGzip, decompressGzip, expectGzip } from '../../../lib/tables/gzip.ts'
import { decompressSnappy } from '../../../lib/tables/snappy.ts'

/** Bytes as a column's pages have them: stretches that repeat from near and far, and noise between. */
function pageOf(seed: number, sizeBytes: number): Uint8Array {
  const rng = createRng(seed, 'page')
  const bytes = new Uint8Array(sizeBytes)
  for (let at = 0; at < sizeBytes; ) {
    const length = 1 + rng.below(rng.below(20) === 0 ? 2000 : 40)
    const distance = 1 + rng.below(Math.max(1, Math.min(at, 100_000)))
    const isCopy = at > 0 && rng.below(3) > 0
    for (const end = Math.min(sizeBytes, at + length); at < end; at++)
      bytes[at] = isCopy ? bytes[at - distance]! : rng.below(256)
  }
  return bytes
}
const small = new Uint8Array([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3])

describe('a page packed as gzip', () => {
  test('comes back, from ours and from anybody’s reader, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        const packed = compressGzip(bytes)
        expect(Buffer.from(decompressGzip(packed, bytes.length)).equals(bytes)).toBe(true)
        expect(gunzipSync(packed).equals(bytes)).toBe(true)
      }),
      { numRuns: 300, seed: 3 },
    )
    for (const size of [0, 1, 3, 4, 5, 32_767, 32_768, 32_769, 300_000]) {
      for (const bytes of [pageOf(size, size), new Uint8Array(size)]) {
        expect(Buffer.from(decompressGzip(compressGzip(bytes), size)).equals(bytes), String(size)).toBe(true)
      }
    }
  })

  test('has these bytes on every Node and machine', () => {
    expect(
      createHash('sha256')
        .update(compressGzip(pageOf(7, 200_000)))
        .digest('hex'),
    ).toBe('9fbbeddf96c1a3fbe87fe431380aeac1ce01fe952b1a1eeaf10e8d8b2a3245b7')
  })

  test('is smaller where bytes repeat, and noise is known beforehand', () => {
    const page = pageOf(7, 200_000)
    expect(compressGzip(page).length).toBeLessThan(page.length * 0.7)
    const rng = createRng(1, 'noise')
    const noise = Uint8Array.from({ length: 200_000 }, () => rng.below(256))
    expect(expectGzip(noise, 32_768)).toBeGreaterThan(noise.length * 0.99)
    expect(expectGzip(new Uint8Array(200_000), 32_768)).toBeLessThan(2000)
    expect(expectGzip(small, 32_768)).toBe(compressGzip(small).length)
  })

  test('takes the room that was expected, where the whole of it was looked at', () => {
    for (const size of [0, 1, 4, 5, 300, 32_768, 200_000]) {
      for (const bytes of [pageOf(size, size), new Uint8Array(size)])
        expect(expectGzip(bytes, size), String(size)).toBe(compressGzip(bytes).length)
    }
  })

  test('that is damaged, cut off or of another size is refused', () => {
    const page = pageOf(9, 5000)
    const packed = compressGzip(page)
    expect(() => decompressGzip(packed, 4999)).toThrow(RangeError)
    expect(() => decompressGzip(packed, 5001)).toThrow(/another size/)
    expect(() => decompressGzip(packed.subarray(0, packed.length - 9), 5000)).toThrow(RangeError)
    for (let at = 10; at < packed.length; at += 7) {
      const damaged = Uint8Array.from(packed)
      damaged[at]! ^= 0x10
      expect(() => decompressGzip(damaged, 5000), String(at)).toThrow(RangeError)
    }
  })
})

describe('a page packed as snappy, as older files have them', () => {
  // 15 bytes: a literal of three, then a copy of twelve from three back.
  const packed = Uint8Array.of(15, 2 << 2, 1, 2, 3, (11 << 2) | 2, 3, 0)

  test('comes back', () => {
    expect(decompressSnappy(packed, 15)).toEqual(small)
  })

  test('that is damaged is refused', () => {
    expect(() => decompressSnappy(packed, 14)).toThrow(/another size/)
    expect(() => decompressSnappy(packed.subarray(0, 5), 15)).toThrow(/shorter/)
    expect(() => decompressSnappy(Uint8Array.of(15, 2 << 2, 1, 2, 3, (11 << 2) | 2, 4, 0), 15)).toThrow(/damaged/)
  })
})
