import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ceilTo,
  DAY_MS,
  dayOf,
  dayStart,
  daysBetween,
  floorTo,
  formatUtc,
  intervalMs,
  intervals,
  isDay,
  isInterval,
  isMonth,
  monthOf,
  monthStart,
  monthsBetween,
  nextDay,
  nextMonth,
  nextOpen,
  openOf,
  parseUtc,
} from '../../lib/time.ts'

const anyTs = fc.integer({ min: -2_208_988_800_000, max: 7_258_118_400_000 })

describe('civil dates', () => {
  test('agree with the platform calendar from 1900 to 2200', () => {
    fc.assert(
      fc.property(anyTs, (tsMs) => {
        const iso = new Date(tsMs).toISOString()
        expect(formatUtc(tsMs)).toBe(iso)
        expect(dayOf(tsMs)).toBe(iso.slice(0, 10))
        expect(monthOf(tsMs)).toBe(iso.slice(0, 7))
        expect(parseUtc(iso)).toBe(tsMs)
        expect(dayStart(dayOf(tsMs))).toBe(Date.parse(`${iso.slice(0, 10)}T00:00:00Z`))
        expect(monthStart(monthOf(tsMs))).toBe(Date.parse(`${iso.slice(0, 7)}-01T00:00:00Z`))
      }),
    )
  })

  test('days and months that do not exist are refused', () => {
    for (const day of ['2023-02-29', '2024-13-01', '2024-00-10', '2024-1-1', '2024-01-32', ''])
      expect(isDay(day)).toBe(false)
    expect(isDay('2024-02-29')).toBe(true)
    expect(isMonth('2024-13')).toBe(false)
    expect(() => dayStart('2023-02-29')).toThrow('not a day')
  })

  test('the next day and month step over the ends of months and years', () => {
    expect(nextDay('2024-02-28')).toBe('2024-02-29')
    expect(nextDay('2023-12-31')).toBe('2024-01-01')
    expect(nextMonth('2024-01')).toBe('2024-02')
    expect(nextMonth('2023-12')).toBe('2024-01')
  })

  test('a range names every day and month it touches, its end left out', () => {
    const from = parseUtc('2024-01-31T23:00:00Z')!
    expect(daysBetween(from, parseUtc('2024-02-02')!)).toEqual(['2024-01-31', '2024-02-01'])
    expect(monthsBetween(from, parseUtc('2024-02-01T00:00:00.001Z')!)).toEqual(['2024-01', '2024-02'])
    expect(daysBetween(from, from)).toEqual([])
  })
})

describe('parseUtc', () => {
  const cases = [
    { text: '2024-03-01', want: '2024-03-01T00:00:00.000Z' },
    { text: '2024-03-01 12:34:56', want: '2024-03-01T12:34:56.000Z' },
    { text: '2024-03-01T12:34', want: '2024-03-01T12:34:00.000Z' },
    { text: '2024-03-01T12:34:56.7+00:00', want: '2024-03-01T12:34:56.700Z' },
  ]
  for (const { text, want } of cases) test(`reads ${text}`, () => expect(formatUtc(parseUtc(text)!)).toBe(want))

  for (const text of ['2024-03-01T12:34:56+03:00', '2024-03-01T24:00', '1709251200000', '2024-02-30', 'yesterday']) {
    test(`refuses ${text}`, () => expect(parseUtc(text)).toBeUndefined())
  }
})

describe('grids', () => {
  test('floor and ceil bracket an instant, also before the epoch', () => {
    fc.assert(
      fc.property(anyTs, fc.constantFrom(1000, 60_000, DAY_MS), (tsMs, stepMs) => {
        expect(floorTo(tsMs, stepMs)).toBeLessThanOrEqual(tsMs)
        expect(ceilTo(tsMs, stepMs) - floorTo(tsMs, stepMs)).toBe(tsMs % stepMs === 0 ? 0 : stepMs)
      }),
    )
  })

  test('the bar of an instant contains it, for every interval', () => {
    fc.assert(
      fc.property(anyTs, fc.constantFrom(...intervals), (tsMs, interval) => {
        const openTsMs = openOf(tsMs, interval)
        expect(openTsMs).toBeLessThanOrEqual(tsMs)
        expect(nextOpen(openTsMs, interval)).toBeGreaterThan(tsMs)
        expect(openOf(openTsMs, interval)).toBe(openTsMs)
        expect(openOf(nextOpen(openTsMs, interval) - 1, interval)).toBe(openTsMs)
      }),
    )
  })

  test('weeks open on Monday, months on the first, three-day bars count from the epoch', () => {
    const tsMs = parseUtc('2024-05-16T10:00:00Z')!
    expect(formatUtc(openOf(tsMs, '1w'))).toBe('2024-05-13T00:00:00.000Z')
    expect(formatUtc(openOf(tsMs, '1M'))).toBe('2024-05-01T00:00:00.000Z')
    expect(openOf(tsMs, '3d') % (3 * DAY_MS)).toBe(0)
  })

  test('case matters: a minute is not a month', () => {
    expect(isInterval('1M')).toBe(true)
    expect(isInterval('1H')).toBe(false)
    expect(intervalMs('1m')).toBe(60_000)
    expect(intervalMs('12h')).toBe(43_200_000)
  })
})
