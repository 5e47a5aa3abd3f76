import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { timeTicks, valueAxis } from '../../../lib/report/axis.ts'
import { DAY_MS } from '../../../lib/time.ts'

const values = (low: number, high: number) => {
  const { ticks, digits } = valueAxis(low, high)
  return ticks.map(({ value }) => value.toFixed(digits))
}

describe('valueAxis', () => {
  const cases = [
    { low: -0.083, high: 0.179, want: ['-0.1', '0.0', '0.1', '0.2'] },
    { low: 0, high: 1, want: ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0'] },
    { low: -8764, high: 2335, want: ['-10000', '-5000', '0', '5000'] },
    { low: 0.00011, high: 0.00013, want: ['0.000110', '0.000115', '0.000120', '0.000125', '0.000130'] },
    { low: 5, high: 5, want: ['4.4', '4.6', '4.8', '5.0', '5.2', '5.4', '5.6'] },
  ]
  for (const { low, high, want } of cases) {
    test(`${low} to ${high}: ${want.join(', ')}`, () => expect(values(low, high)).toEqual(want))
  }

  test('encloses what it is given with a few round ticks, whatever the scale', () => {
    const size = fc.double({ min: 1e-9, max: 1e12, noNaN: true })
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), size, (low, span) => {
        const high = low + span
        fc.pre(high - low > Math.abs(low) * 1e-9)
        const axis = valueAxis(low, high)
        const slack = (axis.high - axis.low) * 1e-6
        expect(axis.low).toBeLessThanOrEqual(low + slack)
        expect(axis.high).toBeGreaterThanOrEqual(high - slack)
        expect(axis.ticks.length).toBeGreaterThanOrEqual(2)
        expect(axis.ticks.length).toBeLessThanOrEqual(8)
        expect([axis.ticks[0]!.place, axis.ticks.at(-1)!.place]).toEqual([0, 1])
      }),
    )
  })
})

describe('timeTicks', () => {
  const labels = (from: string, to: string) => timeTicks(Date.parse(from), Date.parse(to)).map(({ label }) => label)

  const cases = [
    { from: '2024-01-01', to: '2024-05-01', want: ['2024-01', '2024-02', '2024-03', '2024-04', '2024-05'] },
    { from: '2022-02-10', to: '2024-06-01', want: ['2022-07', '2023-01', '2023-07', '2024-01'] },
    { from: '2024-01-01', to: '2024-01-05', want: ['01-01', '01-02', '01-03', '01-04', '01-05'] },
    { from: '2024-01-01T22:00Z', to: '2024-01-02T02:00Z', want: ['22:00', '23:00', '01-02', '01:00', '02:00'] },
  ]
  for (const { from, to, want } of cases) test(`${from} to ${to}`, () => expect(labels(from, to)).toEqual(want))

  test('lie inside the range, in order, and are few', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 1, max: 20_000 }), (day, days) => {
        const places = timeTicks(day * DAY_MS, (day + days) * DAY_MS).map(({ place }) => place)
        expect(places.length).toBeLessThanOrEqual(8)
        expect([...places].sort((a, b) => a - b)).toEqual(places)
        for (const place of places) expect(place >= 0 && place <= 1).toBe(true)
      }),
    )
  })
})
