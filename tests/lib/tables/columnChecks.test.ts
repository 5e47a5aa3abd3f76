import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstTooLong, int64ToFloat64 } from '../../../lib/tables/columnChecks.ts'

const anyInt64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

describe('whole columns of 64-bit integers, read by their halves', () => {
  test('become the doubles that Number makes of them', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyInt64, fc.bigInt({ min: -9n, max: 9n }))), (values) => {
        expect([...int64ToFloat64(BigInt64Array.from(values))]).toEqual(values.map(Number))
      }),
    )
  })

  test('are too long exactly from ten to the power of the precision on, on both sides', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 18 }),
        fc.bigInt({ min: -2n, max: 2n }),
        anyInt64,
        (precision, near, far) => {
          const limit = 10n ** BigInt(precision)
          for (const value of [limit + near, -limit + near, near, far]) {
            const tooLong = value >= limit || value <= -limit
            expect(firstTooLong(BigInt64Array.of(0n, value), precision)).toBe(tooLong ? 1 : -1)
          }
        },
      ),
    )
  })
})
