import { constants, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadDeflate, inflateRaw } from '../../lib/inflate.ts'
import { inflatePieces } from '../../lib/inflateNative.ts'

/** In pieces of the given size, so that every border of input is met. */
function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}
type Inflate = typeof inflateRaw
const wholeBy = (inflate: Inflate, packed: Uint8Array, size = 65_536): Buffer => {
  const pieces: Buffer[] = []
  for (const piece of inflate(cut(packed, size))) pieces.push(Buffer.from(Uint8Array.from(piece)))
  return Buffer.concat(pieces)
}

const csv = Buffer.from(
  Array.from(
    { length: 60_000 },
    (_, i) => `${1_700_000_000_000 + i * 60_000},${(i * 7919) % 100_003}.${i % 97},0.${i % 13}\n`,
  ).join(''),
)

// Ours, and the one inside Node by the form it does not document: if a Node drops it, ours alone is used.
describe.each([inflateRaw, inflatePieces])('%o', (inflate) => {
  const whole = (packed: Uint8Array, size?: number) => wholeBy(inflate, packed, size)

  for (const level of [0, 1, 6, 9]) {
    for (const strategy of [
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_FIXED,
      constants.Z_HUFFMAN_ONLY,
      constants.Z_RLE,
    ]) {
      test(`gives back what level ${level}, strategy ${strategy} packed`, () => {
        expect(whole(deflateRawSync(csv, { level, strategy })).equals(csv)).toBe(true)
      })
    }
  }

  test('whatever the bytes, and wherever the input is cut', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 5000 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 0, max: 9 }),
        (bytes, size, level) => {
          expect(whole(deflateRawSync(bytes, { level }), size).equals(Buffer.from(bytes))).toBe(true)
        },
      ),
      { numRuns: 300, seed: 11 },
    )
  })

  test('a stream that is cut off anywhere is refused, and gives no byte too many', () => {
    const packed = deflateRawSync(csv.subarray(0, 4000))
    for (let length = 0; length < packed.length; length++) {
      expect(() => whole(packed.subarray(0, length)), String(length)).toThrow(BadDeflate)
    }
  })

  test('damage is refused or changes bytes, and never hangs or reads beyond', () => {
    const packed = deflateRawSync(csv.subarray(0, 20_000))
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Uint8Array.from(packed)
        damaged[at]! ^= flip
        let sizeBytes = 0
        try {
          for (const piece of inflate([damaged])) sizeBytes += piece.length
        } catch (error) {
          expect(error).toBeInstanceOf(BadDeflate)
        }
        expect(sizeBytes).toBeLessThan(20_000_000)
      }),
      { numRuns: 500, seed: 5 },
    )
  })
})
