import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { heatFromZero, heatScaleOf, shadeOf } from '../../../lib/report/heatScale.ts'

describe('the shades of a heat map', () => {
  const shades = (values: readonly (number | null)[]) => {
    const scale = heatScaleOf(values)
    return values.map((value) => (value === null ? null : Math.round(shadeOf(scale, value) * 100) / 100))
  }
  const cases: { says: string; values: (number | null)[]; want: (number | null)[] }[] = [
    { says: 'all losses are told apart', values: [-5.2, -5, -4.8], want: [1, 0.62, 0.23] },
    { says: 'all gains are told apart', values: [1, 2, 3], want: [0, 0.5, 1] },
    { says: 'a small gain is not as deep as a large loss', values: [-4, -1, 1, 2], want: [1, 0, 0, 0.33] },
    { says: 'noise is no landscape', values: [-1.0001, -1], want: [1, 1] },
    { says: 'one number is full', values: [-2], want: [1] },
    { says: 'what has no number takes no part', values: [null, -2, -1, Number.NaN], want: [null, 1, 0, Number.NaN] },
  ]
  for (const { says, values, want } of cases) test(says, () => expect(shades(values)).toEqual(want))

  test('where zero is the measure they begin there', () => {
    expect([0.5, -0.5, 1, 2].map((value) => shadeOf(heatFromZero(1), value))).toEqual([0.5, 0.5, 1, 1])
  })

  test('never get fainter with the distance from zero on one side', () => {
    const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(numbers, (values) => {
        const scale = heatScaleOf(values)
        for (const sign of [-1, 1]) {
          const side = values.filter((value) => value * sign > 0).sort((a, b) => Math.abs(a) - Math.abs(b))
          const found = side.map((value) => shadeOf(scale, value))
          for (const shade of found) expect(shade >= 0 && shade <= 1).toBe(true)
          for (let i = 1; i < found.length; i++) expect(found[i]!).toBeGreaterThanOrEqual(found[i - 1]!)
        }
      }),
      { seed: 7 },
    )
  })
})
