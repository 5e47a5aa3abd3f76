import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PositionSet } from '../../../lib/stats/positionSet.ts'
import { rollingQuantile, rollingRank } from '../../../lib/stats/rollingRank.ts'
import { sortedOrder } from '../../../lib/stats/sortedOrder.ts'

/** Doubles of every size, and many that differ in nothing but their last bits. */
const value = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, 5e-324, -5e-324, Number.MAX_VALUE),
  fc.integer({ min: 0, max: 40 }).map((n) => 1e9 + n / 1024),
  fc.integer({ min: 0, max: 40 }).map((n) => -1e9 - n / 1024),
)
const values = fc.array(value, { maxLength: 200 }).map((all) => Float64Array.from(all))
const nearOneNumber = fc
  .array(fc.integer({ min: 0, max: 1000 }), { minLength: 300, maxLength: 400 })
  .map((all) => Float64Array.from(all, (n) => 1e12 + n / 4096))

describe('sortedOrder', () => {
  test.each([
    ['any doubles', values],
    ['doubles that are alike in their upper halves', nearOneNumber],
  ])('gives %s the places a comparing sort gives them', (_, all) => {
    fc.assert(
      fc.property(all, (given) => {
        const before = given.slice()
        const { position, tiesFrom, tiesTo, sorted } = sortedOrder(given)
        const expected = Array.from(given, (x) => x + 0)
          .filter((x) => !Number.isNaN(x))
          .sort((a, b) => a - b)
        expect(Array.from(sorted, (x) => x + 0)).toEqual(expected)
        expect(given).toEqual(before)
        for (const [i, x] of given.entries()) {
          const place = position[i]!
          expect(place === -1).toBe(Number.isNaN(x))
          if (place === -1) continue
          expect(sorted[place]! + 0).toBe(x + 0)
          expect(tiesFrom[place]).toBe(expected.indexOf(x + 0))
          expect(tiesTo[place]).toBe(expected.lastIndexOf(x + 0) + 1)
        }
        expect(new Set(position.filter((place) => place >= 0)).size).toBe(expected.length)
      }),
      { seed: 1, numRuns: 300 },
    )
  })
})

describe('PositionSet', () => {
  test('counts and steps as a plain set does', () => {
    const size = 5000
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(size - 1), { minLength: 2, maxLength: 300 }), fc.nat(size - 1), (all, at) => {
        const set = new PositionSet(size)
        for (const position of all) set.add(position)
        const gone = all.slice(0, all.length >> 1)
        for (const position of gone) set.delete(position)
        const left = all.slice(gone.length).sort((a, b) => a - b)
        expect(set.countBelow(at)).toBe(left.filter((one) => one < at).length)
        expect(set.has(at)).toBe(left.includes(at))
        const to = Math.min(size, at + 100)
        expect(set.countBetween(at, to)).toBe(left.filter((one) => one >= at && one < to).length)
        for (let i = 1; i < left.length; i++) {
          expect(set.next(left[i - 1]!)).toBe(left[i])
          expect(set.previous(left[i]!)).toBe(left[i - 1])
        }
      }),
      { seed: 2, numRuns: 300 },
    )
  })
})

describe('rolling ranks and quantiles', () => {
  test('are the same over columns that differ in their last bits, and over many chunks with gaps', () => {
    const rows = 30_000
    const src = Float64Array.from({ length: rows }, (_, i) => 1e12 + ((i * 7919) % 1009) / 4096)
    for (const gap of [0, 9000, 16_383, 16_384]) src[gap] = Number.NaN
    const [ranks, medians] = [new Float64Array(rows), new Float64Array(rows)]
    rollingRank(src, 300, ranks)
    rollingQuantile(src, 300, 0.5, medians)
    for (let i = 0; i < rows; i += 97) {
      const inside = i < 299 ? [Number.NaN] : Array.from(src.subarray(i - 299, i + 1))
      if (inside.some(Number.isNaN)) {
        expect([ranks[i], medians[i]]).toEqual([Number.NaN, Number.NaN])
        continue
      }
      const [less, equal] = [inside.filter((x) => x < src[i]!).length, inside.filter((x) => x === src[i]!).length]
      expect(ranks[i]).toBe(less + (equal + 1) / 2)
      const sorted = inside.sort((a, b) => a - b)
      expect(medians[i]).toBe(sorted[149]! + 0.5 * (sorted[150]! - sorted[149]!))
    }
  })
})
