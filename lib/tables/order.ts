import { Fault } from '../fault.ts'
import { type AnyColumnData, type AnyValues, splitColumn, type Table } from './table.ts'
import { type BigInts, bigAt, isWide } from './wideInts.ts'

/** Below zero where row `i` of the first table comes before row `j` of the second, above zero where after, else zero. */
export type RowOrder = (i: number, j: number) => number

/**
 * Compares rows of two tables of one schema by the given columns: numbers by value, text by code point, absent values
 * first, NaN last.
 */
export function rowOrder(a: Table, b: Table, columns: readonly string[]): RowOrder {
  const orders = columns.map((name) => columnOrder(a.columns[name]!, b.columns[name]!))
  if (orders.length === 1) return orders[0]!
  return (i, j) => {
    for (const order of orders) {
      const sign = order(i, j)
      if (sign !== 0) return sign
    }
    return 0
  }
}

function columnOrder(a: AnyColumnData, b: AnyColumnData): RowOrder {
  const x = splitColumn(a)
  const y = splitColumn(b)
  const order = valueOrder(x.values, y.values)
  if (x.valid === undefined || y.valid === undefined) return order
  const xValid = x.valid
  const yValid = y.valid
  return (i, j) => (xValid[i] === 1 && yValid[j] === 1 ? order(i, j) : xValid[i]! - yValid[j]!)
}

function valueOrder(a: AnyValues, b: AnyValues): RowOrder {
  if (isWide(a) || isWide(b)) {
    const x = a as BigInts
    const y = b as BigInts
    return (i, j) => {
      const [p, q] = [bigAt(x, i), bigAt(y, j)]
      return p < q ? -1 : p > q ? 1 : 0
    }
  }
  if (a instanceof BigInt64Array) {
    const x = a
    const y = b as BigInt64Array
    return (i, j) => (x[i]! < y[j]! ? -1 : x[i]! > y[j]! ? 1 : 0)
  }
  if (a instanceof Float64Array) {
    const x = a
    const y = b as Float64Array
    return (i, j) => compareNumbers(x[i]!, y[j]!)
  }
  if (ArrayBuffer.isView(a)) {
    const x = a as Int32Array
    const y = b as Int32Array
    return (i, j) => x[i]! - y[j]!
  }
  const x = a
  const y = b as readonly string[]
  return (i, j) => compareText(x[i]!, y[j]!)
}

function compareNumbers(x: number, y: number): number {
  if (x < y) return -1
  if (x > y) return 1
  if (x === y) return 0
  return Number(Number.isNaN(x)) - Number(Number.isNaN(y))
}

/**
 * Text by code point, which is also the order of its UTF-8 bytes and so what DuckDB, Polars and the statistics in a
 * Parquet file go by. The `<` of JavaScript compares UTF-16 units and puts an emoji before a full-width letter.
 */
export function compareText(x: string, y: string): number {
  if (x === y) return 0
  const length = Math.min(x.length, y.length)
  let at = 0
  while (at < length && x.charCodeAt(at) === y.charCodeAt(at)) at++
  if (at === length) return x.length - y.length
  // A surrogate stands for a code point above every other unit, so lift it over E000–FFFF.
  const lift = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
  return lift(x.charCodeAt(at)) - lift(y.charCodeAt(at))
}

/**
 * Checks that rows ascend by the schema's sort key: strictly where no tie-break is declared. `before` is a table whose
 * last row comes right before this one's first, for tables that arrive in pieces.
 */
export function assertSorted(table: Table, before?: Table, firstRow = 0): void {
  const { sortKey, tieBreak, name } = table.schema
  const unique = tieBreak === undefined
  if (sortKey.length === 0 && !unique) return
  if (before !== undefined && before.rowCount > 0 && table.rowCount > 0) {
    const sign = rowOrder(before, table, sortKey)(before.rowCount - 1, 0)
    if (sign > 0 || (unique && sign === 0)) throw unsorted(table, name, firstRow, sign)
  }
  const order = rowOrder(table, table, withoutOneName(table))
  const limit = unique ? -1 : 0
  for (let row = 1; row < table.rowCount; row++) {
    const sign = order(row - 1, row)
    if (sign > limit) throw unsorted(table, name, firstRow + row, sign)
  }
}

/** The sort key less a first column of text that says the same in every row, as the symbol of a partition does. */
function withoutOneName({ schema: { sortKey }, columns }: Table): readonly string[] {
  const [first, ...rest] = sortKey
  const values = columns[first!]
  if (rest.length === 0 || !Array.isArray(values)) return sortKey
  return values.every((value) => value === values[0]) ? rest : sortKey
}

function unsorted(table: Table, name: string, row: number, sign: number): Fault {
  const key = table.schema.sortKey.join(', ')
  return new Fault({
    code: 'failed',
    what:
      sign === 0
        ? `row ${row} has the same (${key}) as the row before it, and the schema declares no tie-break`
        : `row ${row} comes before the row above it by (${key})`,
    where: `table ${name}`,
    todo: 'sort the rows by the declared sort key before the table is made',
    details: { table: name, row, sortKey: table.schema.sortKey },
  })
}
