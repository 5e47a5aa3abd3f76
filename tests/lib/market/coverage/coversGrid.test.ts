import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { coversGrid } from '../../../../lib/market/coverage/coversGrid.ts'

const fromTsMs = Date.UTC(2026, 4, 1)
const minutes = 60
const rowAt = (i: number, unit = 1) => `${(fromTsMs + i * 60_000) * unit},1.5,2,1,1.25,-0.5,${i}`
const rows = (unit = 1) => Array.from({ length: minutes }, (_, i) => rowAt(i, unit))
const covers = (lines: readonly string[], end = '\n') =>
  coversGrid([new TextEncoder().encode(lines.join('\n') + end)], fromTsMs, fromTsMs + minutes * 60_000, 60_000)

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

test('a file without lines is not gathered to its end', () => {
  let asked = 0
  const endless = function* () {
    for (; asked < 1000; asked++) yield new Uint8Array(1 << 16).fill(49)
  }
  expect(coversGrid(endless(), fromTsMs, fromTsMs + 60_000, 60_000)).toBe(false)
  expect(asked).toBeLessThan(20)
})

/** The same question asked byte by byte, of the whole file. */
function slowly(text: Uint8Array, toTsMs: number): boolean {
  const all = Array.from(text, (byte) => String.fromCharCode(byte)).join('')
  if (!all.endsWith('\n')) return false
  const lines = all.slice(0, -1).split('\n')
  if (text[0]! > 57) lines.shift()
  const isSound = (line: string, i: number) => {
    const time = /^\d*/.exec(line)![0]
    const tsMs = fromTsMs + i * 60_000
    const rest = line.slice(time.length)
    return (
      Number(time) === (time.length === 16 ? tsMs * 1000 : tsMs) &&
      /^(,-?[\d.]*)+$/.test(rest) &&
      !/,(,|$)/.test(rest) &&
      line.split(',').length === lines[0]!.split(',').length
    )
  }
  return lines.every(isSound) && fromTsMs + lines.length * 60_000 === toTsMs
}

describe('however the text is cut and whatever is in it', () => {
  const cell = fc.oneof(
    { weight: 150, arbitrary: fc.stringMatching(/^-?\d{1,9}(\.\d{1,8})?$/) },
    { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...'0123456789.-,/+eN"\r\n :\ufeff\u0080'), maxLength: 5 }) },
  )
  const file = fc.record({
    header: fc.constantFrom('', '', '', 'open_time,open\n', 'open_time,open\n', '\ufeffopen_time\n', '\ufeff', 'h', '\n', '"t"\n'),
    unit: fc.constantFrom(1, 1, 1000),
    width: fc.integer({ min: 1, max: 14 }),
    cells: fc.array(cell, { minLength: 14, maxLength: 60 }),
    rows: fc.integer({ min: 0, max: 9 }),
    end: fc.constantFrom('\n', '\n', '\n', '\n', '\n', '\n', '', '\r\n', '\n\n', '1'),
    flip: fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { freq: 4, nil: undefined }),
  })

  test('the answer is that of whoever looks at one byte after the other', () => {
    const seen = { yes: 0, no: 0 }
    fc.assert(
      fc.property(file, fc.array(fc.nat(40), { maxLength: 30 }), (made, cuts) => {
        const { header, unit, width, cells, rows, end, flip } = made
        const lines = Array.from({ length: rows }, (_, i) => {
          const row = Array.from({ length: width }, (_, j) => cells[(i * width + j) % cells.length])
          return [(fromTsMs + i * 60_000) * unit, ...row].join(',')
        })
        const text = new TextEncoder().encode(header + lines.join('\n') + end)
        if (flip !== undefined && text.length > 0) text[flip[0] % text.length] = flip[1]
        const pieces: Uint8Array[] = []
        let at = 0
        for (const size of cuts) pieces.push(text.subarray(at, (at += size)))
        pieces.push(text.subarray(at))
        // A piece is gone once the next one is asked for.
        const passing = function* () {
          for (const piece of pieces) {
            const lent = Uint8Array.from(piece)
            yield lent
            lent.fill(0xff)
          }
        }
        const toTsMs = fromTsMs + rows * 60_000
        const found = coversGrid(passing(), fromTsMs, toTsMs, 60_000)
        seen[found ? 'yes' : 'no']++
        expect(found).toBe(slowly(text, toTsMs))
      }),
      { seed: 11, numRuns: 3000 },
    )
    expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(300)
  })
})
