import fc from 'fast-check'
import {
  bool,
  type Column,
  type ColumnKind,
  type Columns,
  decimal,
  defineTable,
  f64,
  i32,
  i64,
  isDecimal,
  nullable,
  tsMs,
  tsUs,
  utf8,
  wideDecimal,
} from '../../../lib/tables/schema.ts'
import { type AnyColumnData, type AnyValues, makeTable, type Table } from '../../../lib/tables/table.ts'
import { bigIntsOf } from '../../../lib/tables/wideInts.ts'

/** One column of every kind, and the nullable ones. Sorted by nothing, so that any rows are a table. */
export const everyKind = defineTable({
  name: 'everyKind',
  version: 3,
  columns: {
    tsMs: tsMs(),
    tsUs: tsUs({ unit: 'us' }),
    px: decimal(2, 18, { unit: 'USDT' }),
    tiny: decimal(4, 5),
    id: i64(),
    count: i32(),
    rate: f64(),
    isMaker: bool(),
    symbol: utf8(),
    markPx: nullable(decimal(8)),
    seenMs: nullable(tsMs()),
    level: nullable(i32()),
    big: nullable(i64()),
    isLast: nullable(bool()),
    note: nullable(utf8()),
    sum: wideDecimal(8, { unit: 'USDT' }),
    spotSum: nullable(wideDecimal(3)),
  },
  sortKey: [],
  tieBreak: 'as made',
})

const edge64 = fc.constantFrom(0n, 1n, -1n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n))
const anyInt64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  edge64,
  fc.bigInt({ min: -50n, max: 50n }),
)
const safe = fc.oneof(
  fc.integer({ min: 1.6e12, max: 1.8e12 }),
  fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
  fc.constantFrom(0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
)
const text = fc.oneof(
  fc.constantFrom('BTCUSDT', 'ETHUSDT', '币安', '', '😀', '\uffff'),
  fc.string({ unit: 'grapheme' }),
)

function cellsOf({ kind, precision }: Column): fc.Arbitrary<unknown> {
  const limit = 10n ** BigInt(precision ?? 1) - 1n
  const byKind: Record<ColumnKind, fc.Arbitrary<unknown>> = {
    i64: anyInt64,
    i32: fc.oneof(fc.integer(), fc.constantFrom(0, 2147483647, -2147483648)),
    f64: fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 0.0001, 5e-324)),
    bool: fc.constantFrom(0, 1),
    utf8: text,
    tsMs: safe,
    tsUs: safe,
    decimal: fc.oneof(fc.bigInt({ min: -limit, max: limit }), fc.constantFrom(0n, limit, -limit)),
    // Most sums fit 64 bits, and a column in which all do is carried in another way.
    wide: fc.oneof(
      { arbitrary: edge64, weight: 20 },
      fc.bigInt({ min: -limit, max: limit }),
      fc.constantFrom(limit, -limit),
    ),
  }
  return byKind[kind]
}

/** Runs of one value as well as noise, because encoders treat them differently. */
const cells = (column: Column, rowCount: number): fc.Arbitrary<unknown[]> =>
  fc
    .array(fc.tuple(cellsOf(column), fc.constantFrom(1, 1, 1, 7, 40, 300)), { minLength: 1, maxLength: 40 })
    .map((runs) => {
      const out: unknown[] = []
      for (let turn = 0; out.length < rowCount; turn++) {
        const [value, length] = runs[turn % runs.length]!
        for (let i = 0; i < length && out.length < rowCount; i++) out.push(value)
      }
      return out
    })

function dataOf(column: Column, values: unknown[], gaps: boolean[]): AnyColumnData {
  const empty = column.kind === 'utf8' ? '' : column.kind === 'i64' || isDecimal(column.kind) ? 0n : 0
  const filled = column.nullable ? values.map((value, row) => (gaps[row % gaps.length] ? empty : value)) : values
  if (!column.nullable) return arrayOf(column.kind, filled)
  return {
    values: arrayOf(column.kind, filled),
    valid: Uint8Array.from(values, (_, row) => (gaps[row % gaps.length] ? 0 : 1)),
  }
}

function arrayOf(kind: ColumnKind, values: unknown[]): AnyValues {
  if (kind === 'f64' || kind === 'tsMs' || kind === 'tsUs') return Float64Array.from(values as number[])
  if (kind === 'i32') return Int32Array.from(values as number[])
  if (kind === 'bool') return Uint8Array.from(values as number[])
  if (kind === 'utf8') return values as string[]
  if (kind === 'wide') return bigIntsOf(values.length, (row) => values[row] as bigint)
  return BigInt64Array.from(values as bigint[])
}

/** Columns of any schema; their rows are in no order. */
export function tablesOf(columns: Columns, maxRows: number): fc.Arbitrary<Record<string, AnyColumnData>> {
  return fc
    .integer({ min: 0, max: maxRows })
    .chain((rowCount) =>
      fc.record(
        Object.fromEntries(
          Object.entries(columns).map(([name, column]) => [
            name,
            fc
              .tuple(cells(column, rowCount), fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }))
              .map(([values, gaps]) => dataOf(column, values, gaps)),
          ]),
        ),
      ),
    )
}

export const everyKindTables = (maxRows: number): fc.Arbitrary<Table<typeof everyKind.columns>> =>
  tablesOf(everyKind.columns, maxRows).map((columns) =>
    makeTable(everyKind, columns as Table<typeof everyKind.columns>['columns']),
  )

/** Every kind of column from plain arithmetic, so that its bytes can be written down in a test. */
export function everyKindSample(rowCount: number): Table<typeof everyKind.columns> {
  const mix = (row: number) => Math.imul(row + 1, 0x9e3779b1) >>> (row % 13)
  const columns = Object.entries(everyKind.columns).map(([name, column], position) => {
    const values = Array.from({ length: rowCount }, (_, row) => {
      const number = mix(row * 31 + position) % 9973
      if (column.kind === 'utf8') return `s${number % 50}`
      if (column.kind === 'bool') return number % 2
      if (column.kind === 'f64') return number % 5 === 0 ? Number.NaN : number / 64
      return column.kind === 'i64' || isDecimal(column.kind) ? BigInt(number - 4000) : number - 4000
    })
    return [name, dataOf(column, values, [false, false, true, false, true])]
  })
  return makeTable(everyKind, Object.fromEntries(columns))
}
