import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { coversGrid } from '../../../../lib/market/coverage/coversGrid.ts'

const fromTsMs = Date.UTC(2026, 4, 1)
const minutes = 60
const rowAt = (i: number, unit = 1) => `${(fromTsMs + i * 60_000) * unit},1.5,2,1,1.25,-0.5,${i}`
const rows = (unit = 1) => Array.from({ length: minutes }, (_, i) => rowAt(i, unit))
const covers = (lines: readonly string[], end = '\n') =>
  coversGrid(new TextEncoder().encode(lines.join('\n') + end), fromTsMs, fromTsMs + minutes * 60_000, 60_000)

describe('a file of bars covers its range', () => {
  test('with a header or without, in milliseconds or microseconds', () => {
    expect(covers(rows())).toBe(true)
    expect(covers(rows(1000))).toBe(true)
    expect(covers(['open_time,open,high,low,close,volume,count', ...rows()])).toBe(true)
  })

  test('not when a row is gone, twice, elsewhere, cut, short of a field, or holds anything but numbers', () => {
    const changes: ((lines: string[], i: number) => void)[] = [
      (lines, i) => lines.splice(i, 1),
      (lines, i) => lines.splice(i, 0, lines[i]!),
      (lines, i) => lines.splice(i, 1, ...[lines[i === 0 ? 1 : i - 1]!]),
      (lines, i) =>
        lines.splice(
          i,
          1,
          lines[i]!.replace(/^\d+/, (ts) => String(Number(ts) + 1)),
        ),
      (lines, i) => lines.splice(i, 1, lines[i]!.replace(',2,', ',,')),
      (lines, i) => lines.splice(i, 1, lines[i]!.replace(',2,', ',')),
      (lines, i) => lines.splice(i, 1, lines[i]!.replace(',2,', ',NaN,')),
      (lines, i) => lines.splice(i, 1, lines[i]!.replace(',2,', ',2e3,')),
      (lines, i) => lines.splice(i, 1, lines[i]!.replace(',2,', ',2-3,')),
      (lines, i) => lines.splice(i, 1, `${lines[i]!}\r`),
      (lines, i) => lines.splice(i, 1, ''),
    ]
    fc.assert(
      fc.property(fc.nat(minutes - 1), fc.constantFrom(...changes), (i, change) => {
        const lines = rows()
        change(lines, i)
        expect(covers(lines)).toBe(false)
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  test('not when it is empty, or its last line does not end', () => {
    expect(covers([], '')).toBe(false)
    expect(covers(rows(), '')).toBe(false)
    expect(covers(['open_time,open'])).toBe(false)
  })
})
