import { describe, expect, test } from 'vitest'
import { assertSorted, compareText } from '../../../lib/tables/order.ts'
import {
  bool,
  columnTypeText,
  decimal,
  defineTable,
  f64,
  i32,
  i64,
  nullable,
  pickColumns,
  schemaDifferences,
  schemaFromJson,
  schemaToJson,
  tsMs,
  utf8,
} from '../../../lib/tables/schema.ts'
import { concatTables, makeTable, sliceTable } from '../../../lib/tables/table.ts'
import { everyKind, everyKindSample } from './arbitraryTables.ts'

const bars = defineTable({
  name: 'bars',
  version: 1,
  doc: 'One row for each minute.',
  columns: {
    symbol: utf8(),
    openTsMs: tsMs(),
    closePx: decimal(2, 6, { unit: 'USDT' }),
    isFinal: bool(),
    mark: nullable(i32()),
  },
  sortKey: ['symbol', 'openTsMs'],
})

const sound = () => ({
  symbol: ['A', 'B'],
  openTsMs: Float64Array.of(0, 60_000),
  closePx: BigInt64Array.of(1n, -999_999n),
  isFinal: Uint8Array.of(0, 1),
  mark: { values: Int32Array.of(0, 5), valid: Uint8Array.of(0, 1) },
})

describe('a table', () => {
  test('has its columns in the order of the schema, however they were handed over', () => {
    const { mark, ...rest } = sound()
    expect(Object.keys(makeTable(bars, { mark, ...rest }).columns)).toEqual(Object.keys(bars.columns))
  })

  const cases: [string, object, RegExp][] = [
    ['a missing column', { closePx: undefined }, /column closePx is missing/],
    ['an unknown column', { volume: Float64Array.of(1, 2) }, /column volume is not in the schema/],
    ['a column of another length', { isFinal: Uint8Array.of(1) }, /column isFinal has 1 rows where symbol has 2/],
    [
      'another kind of array',
      { closePx: Float64Array.of(1, 2) },
      /column closePx is decimal and needs another kind of array/,
    ],
    [
      'a value with too many digits',
      { closePx: BigInt64Array.of(1n, 1_000_000n) },
      /holds 1000000 in row 1.*more than 6 digits/,
    ],
    ['a negative one, too', { closePx: BigInt64Array.of(1n, -1_000_000n) }, /holds -1000000 in row 1/],
    ['a time with a fraction', { openTsMs: Float64Array.of(0, 0.5) }, /column openTsMs holds 0.5 in row 1/],
    ['a time that is missing', { openTsMs: Float64Array.of(Number.NaN, 0) }, /column openTsMs holds NaN in row 0/],
    ['a time beyond what is exact', { openTsMs: Float64Array.of(0, 2 ** 53) }, /column openTsMs/],
    ['a negative zero as a time', { openTsMs: Float64Array.of(-0, 1) }, /column openTsMs/],
    ['a truth of two', { isFinal: Uint8Array.of(2, 0) }, /column isFinal holds 2 in row 0/],
    ['half a character', { symbol: ['A', 'B\ud800'] }, /column symbol holds .* in row 1, which is not well-formed/],
    ['no validity where one is due', { mark: Int32Array.of(1, 2) }, /column mark needs \{ values, valid \}/],
    [
      'validity where none is due',
      { isFinal: { values: Uint8Array.of(0, 1), valid: Uint8Array.of(1, 1) } },
      /isFinal is not nullable/,
    ],
    [
      'a value in an absent row',
      { mark: { values: Int32Array.of(7, 5), valid: Uint8Array.of(0, 1) } },
      /column mark holds 7 in absent row 0/,
    ],
  ]
  for (const [says, change, message] of cases) {
    test(`is refused with ${says}`, () => {
      const columns = { ...sound(), ...change } as ReturnType<typeof sound>
      expect(() => makeTable(bars, columns)).toThrow(message)
    })
  }

  test('can be cut and put together again', () => {
    const whole = everyKindSample(50)
    const parts = [sliceTable(whole, 0, 7), sliceTable(whole, 7, 7), sliceTable(whole, 7, 50)]
    expect(concatTables(everyKind, parts)).toEqual(whole)
  })
})

describe('the order of rows', () => {
  const keys = defineTable({ name: 'keys', version: 1, columns: { a: nullable(i64()), x: f64() }, sortKey: ['a', 'x'] })
  const rows = (list: [bigint | null, number][]) =>
    makeTable(keys, {
      a: {
        values: BigInt64Array.from(list, ([a]) => a ?? 0n),
        valid: Uint8Array.from(list, ([a]) => Number(a !== null)),
      },
      x: Float64Array.from(list, ([, x]) => x),
    })

  test('is absent first, numbers by value, NaN last', () => {
    expect(() =>
      assertSorted(
        rows([
          [null, 5],
          [null, Number.NaN],
          [-1n, -1],
          [-1n, 0],
          [2n, Number.NaN],
        ]),
      ),
    ).not.toThrow()
    expect(() =>
      assertSorted(
        rows([
          [1n, 1],
          [null, 1],
        ]),
      ),
    ).toThrow(/row 1 comes before the row above it by \(a, x\)/)
    expect(() =>
      assertSorted(
        rows([
          [1n, Number.NaN],
          [1n, 0],
        ]),
      ),
    ).toThrow(/row 1/)
  })

  test('may not repeat a key unless the schema says how such rows are ordered', () => {
    const twice = rows([
      [1n, 1],
      [1n, 1],
    ])
    expect(() => assertSorted(twice)).toThrow(/row 1 has the same \(a, x\)/)
    expect(() => assertSorted({ ...twice, schema: { ...keys, tieBreak: 'as the venue sent them' } })).not.toThrow()
  })

  test('of text is that of its code points, as in every other reader of the file', () => {
    const words = ['', 'A', 'AB', 'a', 'é', '币', '\uffff', '😀', '😀a', '😁']
    const byBytes = words.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(words.toReversed().toSorted(compareText)).toEqual(byBytes)
  })
})

describe('a schema', () => {
  test('survives its stored form, without descriptions', () => {
    const { doc: _, ...rest } = bars
    expect(schemaFromJson(schemaToJson(bars))).toEqual(rest)
    expect(schemaDifferences(bars, schemaFromJson(schemaToJson(bars)))).toEqual([])
  })

  test('says how it differs from another', () => {
    const other = defineTable({
      ...bars,
      version: 2,
      columns: { ...bars.columns, closePx: decimal(3, 6, { unit: 'USDT' }) },
      sortKey: ['openTsMs', 'symbol'],
    })
    expect(schemaDifferences(bars, other)).toEqual([
      'version: 1 and 2',
      'column closePx: "decimal(6,2) [USDT]" and "decimal(6,3) [USDT]"',
      'sort key: ["symbol","openTsMs"] and ["openTsMs","symbol"]',
    ])
  })

  test('of some columns keeps the part of the sort key that still holds', () => {
    expect(pickColumns(bars, ['closePx', 'symbol'])).toMatchObject({
      sortKey: ['symbol'],
      tieBreak: 'the order of bars',
    })
    expect(pickColumns(bars, ['symbol', 'openTsMs']).tieBreak).toBeUndefined()
  })

  test('shows a column as people write it', () => {
    expect(columnTypeText(bars.columns.closePx)).toBe('decimal(6,2) [USDT]')
    expect(columnTypeText(bars.columns.mark)).toBe('i32 nullable')
  })

  test('that is wrong is our own mistake, found where it is declared', () => {
    const define = (change: object) => () => defineTable({ ...bars, ...change } as never)
    expect(define({ name: 'two words' })).toThrow(/identifier/)
    expect(define({ sortKey: ['nothing'] })).toThrow(/no column nothing to sort by/)
    expect(define({ sortKey: ['symbol', 'symbol'] })).toThrow(/once/)
    expect(define({ columns: { ...bars.columns, closePx: decimal(19) } })).toThrow()
    expect(define({ columns: {} })).toThrow(/has columns/)
  })
})
