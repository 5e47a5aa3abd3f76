import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as human from '../../../pipeline/cli/human.ts'

const table = <T>(name: string, text: (value: T) => string, cases: readonly (readonly [T, string])[]) =>
  describe(name, () => {
    for (const [value, want] of cases) test(`${String(value)} is "${want}"`, () => expect(text(value)).toBe(want))
  })

table('sizes', human.sizeText, [
  [0, '0 B'],
  [1, '1 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [1536, '1.50 KiB'],
  [1024 * 1023.6, '1.00 MiB'],
  [12.34 * 1024 ** 2, '12.3 MiB'],
  [2 * 1024 ** 3, '2.00 GiB'],
  [5 * 1024 ** 5, '5.00 PiB'],
])

table('durations', human.durationText, [
  [0, '0 ms'],
  [0.2, '<1 ms'],
  [12.4, '12 ms'],
  [999.4, '999 ms'],
  [999.6, '1.00 s'],
  [1234, '1.23 s'],
  [59_900, '59.9 s'],
  [59_960, '1m 00s'],
  [125_000, '2m 05s'],
  [3_600_000, '1h 00m'],
  [3_725_000, '1h 02m'],
  [24 * 3_600_000, '1d 00h'],
  [100 * 3_600_000, '4d 04h'],
  [-1500, '-1.50 s'],
])

table('counts', human.countText, [
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [1234567, '1,234,567'],
])

describe('rates', () => {
  test('of bytes', () => expect(human.byteRateText(3 * 1024 ** 2, 2000)).toBe('1.50 MiB/s'))
  test('of things', () => expect(human.countRateText(500, 2000)).toBe('250/s'))
  test('of slow things are said by the minute', () => expect(human.countRateText(1, 20_000)).toBe('3.0/min'))
  test('need time to have passed', () => expect(human.countRateText(5, 0)).toBe('-/s'))
})

describe('percentages', () => {
  test('are 100 only when all is done', () => expect(human.percentText(9999, 10_000)).toBe('99 %'))
  test('are 0 only when nothing is done', () => expect(human.percentText(1, 10_000)).toBe('1 %'))
  test('of nothing are 100', () => expect(human.percentText(0, 0)).toBe('100 %'))
})

describe('what is written is read', () => {
  const sizes: [string, number][] = [
    ['4096', 4096],
    ['1KiB', 1024],
    ['1.5g', 1.5 * 1024 ** 3],
    ['500 MB', 500_000_000],
  ]
  for (const [text, want] of sizes) test(`the size ${text}`, () => expect(human.parseSize(text)).toBe(want))

  const durations: [string, number][] = [
    ['250ms', 250],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['30d', 30 * 86_400_000],
    ['2 w', 14 * 86_400_000],
  ]
  for (const [text, want] of durations) test(`the duration ${text}`, () => expect(human.parseDuration(text)).toBe(want))

  test('shares', () => {
    expect(human.parseShare('5%')).toBe(0.05)
    expect(human.parseShare('0.25')).toBe(0.25)
  })

  for (const text of ['', 'x', '10', '-5d', '1y', '5 d!']) {
    test(`the duration "${text}" is refused, with an example`, () =>
      expect(() => human.parseDuration(text)).toThrow(/not a duration/))
  }
  for (const text of ['', 'big', '-1', '3 apples']) {
    test(`the size "${text}" is refused`, () => expect(() => human.parseSize(text)).toThrow(/not a size/))
  }
  for (const text of ['0', '0%', '101%', '1.5', 'some']) {
    test(`the share "${text}" is refused`, () => expect(() => human.parseShare(text)).toThrow(/not a share/))
  }
})

test('a size reads back within its three digits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (sizeBytes) => {
      const back = human.parseSize(human.sizeText(sizeBytes))
      expect(Math.abs(back - sizeBytes)).toBeLessThanOrEqual(sizeBytes * 0.006)
    }),
    { seed: 1 },
  )
})

test('instants are UTC', () => expect(human.instantText(Date.UTC(2024, 2, 1, 12, 0, 5))).toBe('2024-03-01 12:00:05Z'))
