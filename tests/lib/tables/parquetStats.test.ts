import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { int64Words } from '../../../lib/tables/columnChecks.ts'
import { doubleRange, int64Range, textRange } from '../../../lib/tables/parquetStats.ts'

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

describe('the smallest and largest value of a chunk', () => {
  test('are those of 64-bit integers, safe or not', () => {
    const small = fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n })
    const any = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    fc.assert(
      fc.property(fc.oneof(fc.array(small, { minLength: 1 }), fc.array(any, { minLength: 1 })), (values) => {
        const { min, max } = int64Range(int64Words(BigInt64Array.from(values)))!
        const sorted = BigInt64Array.from(values).sort()
        expect(viewOf(min).getBigInt64(0, true)).toBe(sorted[0])
        expect(viewOf(max).getBigInt64(0, true)).toBe(sorted.at(-1))
      }),
    )
  })

  test('of doubles spread a zero over both signs, since -0 and 0 are equal to a reader', () => {
    const range = (...values: number[]) => {
      const { min, max } = doubleRange(Float64Array.from(values))!
      return [viewOf(min).getFloat64(0, true), viewOf(max).getFloat64(0, true)]
    }
    expect(range(0, 5)).toEqual([-0, 5])
    expect(range(-5, -0)).toEqual([-5, 0])
    expect(range(2, -3, 7)).toEqual([-3, 7])
  })

  test('of text go by its bytes, and long text is left out', () => {
    const range = (...values: string[]) => textRange(values)
    const bytes = (text: string) => new TextEncoder().encode(text)
    expect(range('b', '😀', '\uffff', 'a')).toEqual({ min: bytes('a'), max: bytes('😀') })
    expect(range('a', 'x'.repeat(65))).toBeUndefined()
    expect(range()).toBeUndefined()
  })
})
