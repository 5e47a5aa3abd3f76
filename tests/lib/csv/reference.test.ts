import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineCsv } from '../../../lib/csv/layout.ts'
import { parseCsv } from '../../../lib/csv/parser.ts'
import { bool, decimal, defineTable, i64, tsMs } from '../../../lib/tables/schema.ts'

const schema = defineTable({
  name: 'referenceRows',
  version: 1,
  columns: { id: i64(), px: decimal(2), tiny: decimal(8, 10), tsMs: tsMs(), up: bool() },
  sortKey: [],
  tieBreak: 'as made',
})
const layout = defineCsv({
  schema,
  header: 'never',
  fields: [
    { header: 'id', column: 'id' },
    { header: 'px', column: 'px' },
    { header: 'tiny', column: 'tiny', signed: true },
    { header: 'time', column: 'tsMs' },
    { header: 'up', column: 'up' },
  ],
})

/** The slow and obvious reading: text to bigint digit by digit, or undefined where it says no exact value. */
function exactUnits(text: string, scale: number): bigint | undefined {
  const match = /^([+-]?)(?=[\d.]*\d)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  if (match === null || text.length > 64) return undefined
  let [digits, exponent] = [match[2]! + match[3]!, Number(match[4] ?? 0) - match[3]!.length + scale]
  while (exponent < 0 && digits.endsWith('0')) {
    digits = digits.slice(0, -1)
    exponent++
  }
  if (exponent < 0 && digits !== '') return undefined
  const value = digits === '' ? 0n : BigInt(digits) * 10n ** BigInt(exponent)
  return match[1] === '-' ? -value : value
}

function referenceRow(cells: readonly string[]): (bigint | number)[] | undefined {
  const [id, px, tiny, time] = [
    exactUnits(cells[0]!, 0),
    exactUnits(cells[1]!, 2),
    exactUnits(cells[2]!, 8),
    exactUnits(cells[3]!, 0),
  ]
  const up = { true: 1, True: 1, false: 0, False: 0 }[cells[4]!]
  if (id === undefined || px === undefined || tiny === undefined || time === undefined || up === undefined)
    return undefined
  if (id < 0n || id >= 2n ** 63n || px < 0n || px >= 10n ** 18n || tiny <= -(10n ** 10n) || tiny >= 10n ** 10n)
    return undefined
  if (time < 10n ** 11n || time > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  if (time < 10n ** 14n) return [id, px, tiny, Number(time), up]
  const micros = time % 1000n
  return micros === 0n || micros === 999n ? [id, px, tiny, Number(time / 1000n), up] : undefined
}

const digits = (max: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: max }).map((list) => list.join(''))
const plain = fc.oneof(
  digits(20),
  fc.tuple(digits(14), digits(10)).map(([whole, rest]) => `${whole}.${rest}`),
)
const odd = fc.string({ unit: fc.constantFrom(...'0123456789.-+eE x'), maxLength: 12 })
const number = fc.oneof(
  { weight: 8, arbitrary: plain },
  { weight: 1, arbitrary: odd },
  fc.constantFrom('0', '1e3', '5e-2', '0.10'),
)
const time = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1e11, max: 1e14 }).map(String) },
  { weight: 3, arbitrary: fc.integer({ min: 1e11, max: 9e12 }).map((ms) => `${ms}000`) },
  { weight: 1, arbitrary: fc.integer({ min: 1e11, max: 9e12 }).map((ms) => `${ms}999`) },
  { weight: 1, arbitrary: number },
)
const up = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('true', 'false', 'True', 'False') }, odd)
/** Small enough cells that most lines are sound. */
const line = fc.oneof(
  fc.tuple(
    digits(17),
    fc.tuple(digits(13), digits(2)).map((parts) => parts.join('.')),
    fc.tuple(fc.constantFrom('', '-'), digits(2), digits(8)).map(([sign, a, b]) => `${sign}${a}.${b}`),
    time,
    up,
  ),
  fc.tuple(number, number, number, time, up),
)

describe('the fast reader', () => {
  test('reads what the slow one reads, digit for digit, and refuses what the slow one refuses', () => {
    let sound = 0
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), fc.constantFrom('\n', '\r\n'), (rows, lineEnd) => {
        const text = rows.map((cells) => cells.join(',') + lineEnd).join('')
        const { table, seen } = parseCsv(layout, new TextEncoder().encode(text), { file: 'x', onBad: () => {} })
        const { id, px, tiny, tsMs: times, up: ups } = table.columns
        const found = Array.from(id, (_, row) => [id[row], px[row], tiny[row], times[row], ups[row]])
        const expected = rows.map(referenceRow).filter((row) => row !== undefined)
        sound += expected.length
        expect(found).toEqual(expected)
        expect(seen.badRows).toBe(rows.length - expected.length)
      }),
      { numRuns: 1500 },
    )
    expect(sound).toBeGreaterThan(1000)
  })
})
