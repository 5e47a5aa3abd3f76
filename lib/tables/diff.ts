import { formatScaled } from '../decimal.ts'
import { rowOrder } from './order.ts'
import { type Column, isDecimal, schemaDifferences } from './schema.ts'
import { splitColumn, type Table, valueAt } from './table.ts'

type ColumnChange = {
  readonly name: string
  readonly changedRows: number
  /** The largest distance between two values that differ, in the column's own unit; only numbers and times have one. */
  readonly maxAbsDifference?: string
}

export type TableDiff = {
  readonly equal: boolean
  /** How the schemas differ, in words. Columns that only one side has, or of another type, are compared no further. */
  readonly schema: readonly string[]
  readonly rowCountA: number
  readonly rowCountB: number
  /** Rows whose sort key only the second, or only the first table has, and rows with equal keys and other values. */
  readonly addedRows: number
  readonly removedRows: number
  readonly changedRows: number
  readonly columns: readonly ColumnChange[]
  /** Where the tables differ first, going down both by sort key. */
  readonly first?: FirstDifference
}

export type FirstDifference =
  | { kind: 'added' | 'removed'; row: number; key: string }
  | { kind: 'changed'; rowA: number; rowB: number; key: string; column: string; a: string; b: string }

/**
 * Compares two tables row by row along their sort key, in one pass and without copying. Rows with equal keys are paired
 * in their order. Both tables must be sorted, as every stored table is.
 */
export function diffTables(a: Table, b: Table): TableDiff {
  const schema = schemaDifferences(a.schema, b.schema)
  const columns = Object.keys(a.schema.columns).filter((name) =>
    sameType(a.schema.columns[name]!, b.schema.columns[name]),
  )
  const shared = new Set(columns)
  // Where the keys themselves differ rows are paired by position.
  const keyed = a.schema.sortKey.every((key) => shared.has(key)) && `${a.schema.sortKey}` === `${b.schema.sortKey}`
  const key = keyed ? a.schema.sortKey : []
  const order = key.length === 0 ? () => 0 : rowOrder(a, b, key)
  const compared = columns.filter((name) => !key.includes(name)).map((name) => comparedColumn(a, b, name))
  const keyText = (table: Table, row: number) =>
    key.length === 0 ? `row ${row}` : key.map((name) => `${name}=${cellText(table, name, row)}`).join(', ')

  let i = 0
  let j = 0
  let addedRows = 0
  let removedRows = 0
  let changedRows = 0
  let first: FirstDifference | undefined
  while (i < a.rowCount || j < b.rowCount) {
    const sign = i === a.rowCount ? 1 : j === b.rowCount ? -1 : order(i, j)
    if (sign < 0) {
      removedRows++
      first ??= { kind: 'removed', row: i, key: keyText(a, i) }
      i++
    } else if (sign > 0) {
      addedRows++
      first ??= { kind: 'added', row: j, key: keyText(b, j) }
      j++
    } else {
      let changed: string | undefined
      for (const column of compared) if (!column.same(i, j)) changed ??= column.name
      if (changed !== undefined) {
        changedRows++
        const [x, y] = [cellText(a, changed, i), cellText(b, changed, j)]
        first ??= { kind: 'changed', rowA: i, rowB: j, key: keyText(a, i), column: changed, a: x, b: y }
      }
      i++
      j++
    }
  }
  return {
    equal: schema.length === 0 && first === undefined,
    schema,
    rowCountA: a.rowCount,
    rowCountB: b.rowCount,
    addedRows,
    removedRows,
    changedRows,
    columns: compared.map((column) => column.change()).filter(({ changedRows }) => changedRows > 0),
    first,
  }
}

const sameType = (a: Column, b: Column | undefined): boolean =>
  b !== undefined && a.kind === b.kind && a.nullable === b.nullable && a.scale === b.scale

/** A value as people write it: decimals with their point, times in UTC, absent values as null. */
export function cellText(table: Table, name: string, row: number): string {
  const column = table.schema.columns[name]!
  const { values, valid } = splitColumn(table.columns[name]!)
  if (valid !== undefined && valid[row] === 0) return 'null'
  const value = valueAt(values, row)!
  if (isDecimal(column.kind)) return formatScaled(value as bigint, column.scale!)
  if (column.kind === 'tsMs') return timeText(value as number, '')
  if (column.kind === 'tsUs') {
    const ms = Math.floor((value as number) / 1000)
    return timeText(ms, String((value as number) - ms * 1000).padStart(3, '0'))
  }
  if (column.kind === 'bool') return value === 1 ? 'true' : 'false'
  if (column.kind === 'f64' && Number.isNaN(value)) return 'null'
  return Object.is(value, -0) ? '-0' : String(value)
}

/** 2024-01-01T00:00:00.000Z, with three more digits for microseconds; far outside a calendar's range the bare number. */
function timeText(ms: number, microDigits: string): string {
  if (Math.abs(ms) > 8.64e15) return `${ms}${microDigits}`
  return new Date(ms).toISOString().replace('Z', `${microDigits}Z`)
}

/** Compares cells of one column, and remembers how many differed and by how much at most. */
function comparedColumn(a: Table, b: Table, name: string) {
  const column = a.schema.columns[name]!
  const x = splitColumn(a.columns[name]!)
  const y = splitColumn(b.columns[name]!)
  let changedRows = 0
  let widest: number | bigint | undefined
  const distance = (p: unknown, q: unknown) => {
    if (column.kind === 'bool' || typeof p === 'string') return
    const between = typeof p === 'bigint' ? p - (q as bigint) : (p as number) - (q as number)
    const size = between < 0 ? -between : between
    if (!Number.isNaN(size) && (widest === undefined || size > widest)) widest = size
  }
  return {
    name,
    same(i: number, j: number): boolean {
      const here = x.valid === undefined ? 1 : x.valid[i]
      const there = y.valid === undefined ? 1 : y.valid[j]
      // Object.is, because 0 and -0 are stored as different bytes and NaN is one and the same missing value.
      const [p, q] = [valueAt(x.values, i), valueAt(y.values, j)]
      if (here === there && Object.is(p, q)) return true
      changedRows++
      if (here === 1 && there === 1) distance(p, q)
      return false
    },
    change(): ColumnChange {
      if (widest === undefined) return { name, changedRows }
      const text = typeof widest === 'bigint' ? formatScaled(widest, column.scale ?? 0) : String(widest)
      return { name, changedRows, maxAbsDifference: text }
    },
  }
}
