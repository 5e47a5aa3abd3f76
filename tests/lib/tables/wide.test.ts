import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { defineCsv } from '../../../lib/csv/layout.ts'
import { parseCsv } from '../../../lib/csv/parser.ts'
import { formatScaled, formatScaledShort } from '../../../lib/decimal.ts'
import { cellText, diffTables } from '../../../lib/tables/diff.ts'
import { rowOrder } from '../../../lib/tables/order.ts'
import { decodeTable, encodeTable } from '../../../lib/tables/parquet.ts'
import { defineTable, i32, nullable, wideDecimal } from '../../../lib/tables/schema.ts'
import { concatTables, makeTable, sliceTable } from '../../../lib/tables/table.ts'
import { bigAt, bigIntsOf, bigsToFloat64, differenceOf, isWide, pickBigs } from '../../../lib/tables/wideInts.ts'

const schema = defineTable({
  name: 'sums',
  version: 1,
  columns: { row: i32(), volume: wideDecimal(8, { unit: 'base' }), spot: nullable(wideDecimal(8)) },
  sortKey: ['row'],
})
const csv = defineCsv({
  schema,
  fields: [
    { header: 'row', column: 'row' },
    { header: 'volume', column: 'volume', signed: true },
    { header: 'spot', column: 'spot', signed: true },
  ],
})
const most = 10n ** 28n - 1n

const dir = mkdtempSync(join(tmpdir(), 'wide-'))
afterAll(() => rmSync(dir, { recursive: true }))

const bigs = (values: readonly bigint[]) => bigIntsOf(values.length, (row) => values[row]!)
const tableOf = (values: readonly bigint[]) =>
  makeTable(schema, {
    row: Int32Array.from(values.keys()),
    volume: bigs(values),
    spot: {
      values: bigs(values.map((value, row) => (row % 3 === 0 ? 0n : value))),
      valid: Uint8Array.from(values, (_, row) => (row % 3 === 0 ? 0 : 1)),
    },
  })

/** What lies on either side of 53, 63, 64 and 96 bits, of eighteen digits and of the most there may be. */
const edges = [2n ** 53n, 2n ** 63n, 2n ** 64n, 10n ** 18n, 2n ** 80n, most].flatMap((edge) =>
  [edge - 1n, edge, edge + 1n].flatMap((value) => [value, -value]),
)
const anyUnits = fc.oneof(
  fc.constantFrom(0n, ...edges.filter((value) => value <= most && value >= -most)),
  fc.bigInt({ min: -most, max: most }),
  fc.bigInt({ min: 0n, max: 2n ** 50n }),
)

const duckDb = DuckDBInstance.create()
let files = 0
async function fromDuckDb(bytes: Uint8Array, sql: string): Promise<Record<string, unknown>[]> {
  const path = join(dir, `${files++}.parquet`)
  writeFileSync(path, bytes)
  const connection = await (await duckDb).connect()
  const rows = await connection.runAndReadAll(
    sql.replaceAll('$file', `read_parquet('${path}')`).replaceAll('$path', `'${path}'`),
  )
  connection.closeSync()
  return rows.getRowObjectsJson()
}

describe('a sum of more than 64 bits', () => {
  test('keeps every digit from CSV over columns and Parquet to DuckDB', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(anyUnits, fc.boolean()), { minLength: 1, maxLength: 60 }), async (cells) => {
        const lines = cells.map(([units, isShort], row) => {
          const text = isShort ? formatScaledShort(units, 8) : formatScaled(units, 8)
          return `${row},${text},${row % 4 === 0 ? '' : text}`
        })
        const { table } = parseCsv(csv, new TextEncoder().encode(`${lines.join('\n')}\n`), { file: 'a.csv' })
        const bytes = encodeTable(table)
        const back = decodeTable(schema, bytes)
        expect(back.columns).toEqual(table.columns)
        const seen = await fromDuckDb(
          bytes,
          'select volume::varchar as volume, spot::varchar as spot, typeof(volume) as type from $file order by row',
        )
        cells.forEach(([units], row) => {
          const text = formatScaled(units, 8)
          expect(bigAt(table.columns.volume, row)).toBe(units)
          expect(cellText(back, 'volume', row)).toBe(text)
          expect(cellText(back, 'spot', row)).toBe(row % 4 === 0 ? 'null' : text)
          expect(seen[row]).toEqual({ volume: text, spot: row % 4 === 0 ? null : text, type: 'DECIMAL(28,8)' })
        })
      }),
      { numRuns: 60 },
    )
  })

  test('is the plain array wherever all rows fit 64 bits, and carried in two parts where one does not', () => {
    const narrow = [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]
    expect(decodeTable(schema, encodeTable(tableOf(narrow))).columns.volume).toEqual(BigInt64Array.from(narrow))
    expect(isWide(decodeTable(schema, encodeTable(tableOf([...narrow, 2n ** 63n]))).columns.volume)).toBe(true)
  })

  test('a repeated value is said once: a dictionary gives back what it was made of', () => {
    const values = Array.from({ length: 5000 }, (_, row) => BigInt(row % 7) * 10n ** 17n - 5n)
    const table = tableOf(values)
    const bytes = encodeTable(table)
    expect(bytes.length).toBeLessThan(9000)
    expect(decodeTable(schema, bytes).columns).toEqual(table.columns)
  })

  test('smallest and largest are told by value: DuckDB leaves out row groups by them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyUnits, { minLength: 1, maxLength: 30 }), async (values) => {
        const bytes = encodeTable(tableOf(values))
        const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
        const [told] = await fromDuckDb(
          bytes,
          "select stats_min_value as low, stats_max_value as high from parquet_metadata($path) where path_in_schema = 'volume'",
        )
        expect(told).toEqual({ low: formatScaled(sorted[0]!, 8), high: formatScaled(sorted.at(-1)!, 8) })
        const [found] = await fromDuckDb(bytes, 'select count(*) filter (volume > 0)::int as above from $file')
        expect(found).toEqual({ above: values.filter((value) => value > 0n).length })
      }),
      { numRuns: 60 },
    )
  })

  test('of more than 28 digits is refused, with its column and row', () => {
    expect(() => tableOf([0n, most + 1n])).toThrow(
      'column volume holds 10000000000000000000000000000 in row 1, which has more than 28 digits',
    )
    const line = (text: string) => parseCsv(csv, new TextEncoder().encode(`0,${text},\n`), { file: 'a.csv' })
    expect(() => line('123456789012345678901')).toThrow('volume is too large for decimal(28,8)')
    expect(bigAt(line('99999999999999999999.99999999').table.columns.volume, 0)).toBe(most)
  })

  test('leaves nothing behind in the row of a line that was refused', () => {
    const text = `0,99999999999999999999,x\n0,5,\n1,-99999999999999999999,y\n1,6,7\n`
    const { table, seen } = parseCsv(csv, new TextEncoder().encode(text), { file: 'a.csv', onBad: () => {} })
    expect(seen.badRows).toBe(2)
    expect(table.columns.volume).toEqual(BigInt64Array.of(5_0000_0000n, 6_0000_0000n))
  })

  test('is cut, joined, compared and ordered as any other', () => {
    const values = [3n, most, -most, 2n ** 64n]
    const table = tableOf(values)
    const parts = [sliceTable(table, 0, 1), sliceTable(table, 1, 3), sliceTable(table, 3, 4)]
    expect(concatTables(schema, parts)).toEqual(table)
    const order = rowOrder(table, table, ['volume'])
    expect(order(0, 1)).toBe(-1)
    expect(order(0, 2)).toBe(1)
    expect(order(1, 1)).toBe(0)
    const other = tableOf(values.with(1, most - 1n))
    expect(diffTables(table, other).columns).toEqual([
      { name: 'volume', changedRows: 1, maxAbsDifference: '0.00000001' },
      { name: 'spot', changedRows: 1, maxAbsDifference: '0.00000001' },
    ])
  })

  test('is subtracted and picked exactly, whichever way it is carried', () => {
    const few = fc.array(fc.tuple(anyUnits, anyUnits), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(few, (pairs) => {
        const [a, b] = [bigs(pairs.map(([x]) => x)), bigs(pairs.map(([, y]) => y))]
        const left = differenceOf(a, b)
        const rows = Int32Array.from(pairs, (_, row) => (row % 3 === 0 ? -1 : pairs.length - 1 - row))
        const picked = pickBigs(a, rows)
        pairs.forEach(([x, y], row) => {
          expect(bigAt(left, row)).toBe(x - y)
          expect(bigAt(picked, row)).toBe(rows[row]! < 0 ? 0n : pairs[rows[row]!]![0])
        })
      }),
    )
  })

  test('is the nearest double where statistics want one', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n })), (values) => {
        expect([...bigsToFloat64(bigs(values))]).toEqual(values.map(Number))
      }),
    )
  })
})
