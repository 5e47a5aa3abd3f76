import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decimalPlaces,
  formatScaled,
  formatScaledShort,
  parseDecimal,
  parseScaled,
  parseScaledBig,
  rescale,
} from '../../lib/decimal.ts'

describe('parseDecimal', () => {
  const cases = [
    { text: '1.50', units: 150n, scale: 2 },
    { text: '-0.03750000', units: -3750000n, scale: 8 },
    { text: '+7', units: 7n, scale: 0 },
    { text: '.5', units: 5n, scale: 1 },
    { text: '5.', units: 5n, scale: 0 },
    { text: '1e-7', units: 1n, scale: 7 },
    { text: '1.25E+3', units: 1250n, scale: 0 },
    { text: '123456789012345678901234567890.1', units: 1234567890123456789012345678901n, scale: 1 },
  ]
  for (const { text, units, scale } of cases) test(text, () => expect(parseDecimal(text)).toEqual({ units, scale }))

  for (const text of ['', '.', '-', 'NaN', 'Infinity', '1,5', ' 1', '1 ', '0x10', '1e', '1e9999', '1_000', '--1']) {
    test(`${JSON.stringify(text)} is no number`, () => expect(parseDecimal(text)).toBeUndefined())
  }
})

describe('scaled integers', () => {
  test('text survives the round trip exactly', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.integer({ min: 0, max: 12 }),
        (units, scale) => {
          const text = formatScaled(units, scale)
          expect(parseScaledBig(text, scale)).toBe(units)
          expect(parseScaledBig(formatScaledShort(units, scale), scale)).toBe(units)
          expect(decimalPlaces(text)).toBe(scale)
        },
      ),
    )
  })

  test('a safe integer prints as its bigint twin', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 12 }), (units, scale) => {
        expect(formatScaled(units, scale)).toBe(formatScaled(BigInt(units), scale))
        expect(parseScaled(formatScaled(units, scale), scale)).toBe(units === 0 ? 0 : units)
      }),
    )
  })

  test('a digit that does not fit is refused, never rounded', () => {
    expect(parseScaled('0.123', 2)).toBeUndefined()
    expect(parseScaled('0.120', 2)).toBe(12)
    expect(parseScaled('90071992547409.93', 2)).toBeUndefined()
    expect(parseScaledBig('90071992547409.93', 2)).toBe(9007199254740993n)
    expect(rescale({ units: 15n, scale: 1 }, 0)).toBeUndefined()
    expect(() => formatScaled(0.5, 2)).toThrow('not an exact integer')
    expect(() => formatScaled(2 ** 53, 2)).toThrow('not an exact integer')
  })

  test('short form drops only zeros after the point', () => {
    expect(formatScaledShort(100, 0)).toBe('100')
    expect(formatScaledShort(10000, 2)).toBe('100')
    expect(formatScaledShort(-1050, 3)).toBe('-1.05')
    expect(formatScaled(-0, 2)).toBe('0.00')
  })
})
