import { createHash } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deflateThoroughly } from '../../../lib/deflate/thorough.ts'
import { createRng } from '../../../lib/rng.ts'
import { compressGzip } from '../../../lib/tables/gzip.ts'

const unpacked = (bytes: Uint8Array) => inflateRawSync(deflateThoroughly(bytes))

/** Numbers of three bytes: mostly small ones, some that came before, some noise. */
function numbers(count: number, seed: number): Uint8Array {
  const rng = createRng(seed, 'numbers')
  const bytes = new Uint8Array(3 * count)
  for (let row = 0; row < count; row++) {
    const value = rng.below(3) === 0 ? 0 : rng.below(1 << (4 + rng.below(20)))
    bytes.set([value, value >>> 8, value >>> 16], 3 * row)
  }
  return bytes
}

describe('bytes packed thoroughly', () => {
  test('come back, whatever they are', () => {
    const runs = fc.array(
      fc.record({ byte: fc.nat(255), length: fc.nat(300), from: fc.nat(2000), isCopy: fc.boolean() }),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(runs, (pieces) => {
        const bytes: number[] = []
        for (const { byte, length, from, isCopy } of pieces) {
          const start = Math.max(0, bytes.length - from)
          for (let i = 0; i < length; i++)
            bytes.push(isCopy && start < bytes.length ? bytes[start + i]! : byte ^ (i * 7))
        }
        const input = Uint8Array.from(bytes)
        expect(unpacked(input).equals(input)).toBe(true)
      }),
      { numRuns: 100, seed: 11 },
    )
    for (const size of [0, 1, 2, 3, 4, 5, 258, 259, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 66_000]) {
      const rng = createRng(size, 'noise')
      const noise = Uint8Array.from({ length: size }, () => rng.below(256))
      for (const input of [noise, new Uint8Array(size), numbers(size, 1).subarray(0, size)])
        expect(unpacked(input).equals(input), String(size)).toBe(true)
    }
  })

  test('find what lies as far back as the format can point, and no further', () => {
    for (const distance of [32_766, 32_767, 32_768, 32_769]) {
      const rng = createRng(distance, 'far')
      const input = Uint8Array.from({ length: distance + 200 }, () => rng.below(256))
      input.copyWithin(distance, 0, 200)
      expect(unpacked(input).equals(input), String(distance)).toBe(true)
    }
  })

  test('take less room than packed quickly, among numbers that look like noise and among those that do not', () => {
    const noisy = numbers(20_000, 5)
    const even = noisy.map((byte, i) => (i % 3 === 0 ? byte & 0xf0 : 0))
    for (const input of [noisy, even]) {
      const quick = compressGzip(input).length
      expect(compressGzip(input, { isThorough: true }).length).toBeLessThan(quick * 0.97)
    }
  })

  test('are these on every Node and machine', () => {
    const packed = deflateThoroughly(numbers(40_000, 2))
    expect(createHash('sha256').update(packed).digest('hex')).toBe(
      'f809874dca7111e02bfee8f25b00989230fbbdaba12c490bfdac1416498fcd51',
    )
  })
})
