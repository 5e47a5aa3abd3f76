import assert from 'node:assert/strict'
import { Fault } from '../fault.ts'
import { firstTooLong, firstUnsafeTime } from './columnChecks.ts'
import { type Column, type ColumnKind, type Columns, isDecimal, type TableSchema } from './schema.ts'
import {
  type BigInts,
  bigAt,
  copyBigs,
  cutBigs,
  firstTooWide,
  isWide,
  narrowest,
  type WideInts,
  wideInts,
} from './wideInts.ts'

export type AnyValues = Float64Array | Int32Array | Uint8Array | BigInt64Array | WideInts | readonly string[]
export type AnyColumnData = AnyValues | { readonly values: AnyValues; readonly valid: Uint8Array }

/** The plain array that carries a column's values. */
type ColumnValues<C extends Column> = C extends { kind: 'f64' | 'tsMs' | 'tsUs' }
  ? Float64Array
  : C extends { kind: 'i32' }
    ? Int32Array
    : C extends { kind: 'bool' }
      ? Uint8Array
      : C extends { kind: 'utf8' }
        ? readonly string[]
        : C extends { kind: 'wide' }
          ? BigInts
          : BigInt64Array

type NullableValues<C extends Column> = { readonly values: ColumnValues<C>; readonly valid: Uint8Array }

/** What a table holds for a column; where the kind is not known to the compiler, any of it. */
export type ColumnData<C extends Column = Column> = ColumnKind extends C['kind']
  ? AnyColumnData
  : C extends { nullable: true }
    ? NullableValues<C>
    : ColumnValues<C>

export type Table<C extends Columns = Columns> = {
  readonly schema: TableSchema<C>
  readonly rowCount: number
  readonly columns: { readonly [K in keyof C]: ColumnData<C[K]> }
}

/** A table of a schema: `TableOf<typeof klineTable>`. */
export type TableOf<S> = S extends TableSchema<infer C> ? Table<C> : never

/** Checks lengths, array types and value ranges, and says which column and row is wrong. Does not check the order. */
export function makeTable<C extends Columns>(
  schema: TableSchema<C>,
  columns: { readonly [K in keyof C]: ColumnData<C[K]> },
): Table<C> {
  const names = Object.keys(schema.columns)
  const given = columns as Readonly<Record<string, AnyColumnData>>
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(schema.columns, name)) throw wrong(schema, name, 'is not in the schema')
  }
  let rowCount = -1
  for (const name of names) {
    const data = given[name]
    if (data === undefined) throw wrong(schema, name, 'is missing')
    const column = schema.columns[name]!
    const { values, valid } = splitColumn(data)
    if (column.nullable !== (valid !== undefined)) {
      throw wrong(schema, name, column.nullable ? 'needs { values, valid }' : 'is not nullable')
    }
    if (!hasArrayType(column, values)) throw wrong(schema, name, `is ${column.kind} and needs another kind of array`)
    if (rowCount < 0) rowCount = countOf(values)
    for (const length of [countOf(values), isWide(values) ? values.low.length : rowCount, valid?.length ?? rowCount]) {
      if (length !== rowCount) throw wrong(schema, name, `has ${length} rows where ${names[0]} has ${rowCount}`)
    }
    checkValues(schema, name, column, values, valid)
  }
  // The columns are kept in the schema's order, whatever order the caller wrote them in.
  const ordered = Object.fromEntries(names.map((name) => [name, given[name]!]))
  return { schema, rowCount, columns: ordered as Table<C>['columns'] }
}

/** The two halves of a column's data; `valid` is absent where every row has a value. */
export function splitColumn(data: AnyColumnData): { values: AnyValues; valid: Uint8Array | undefined } {
  if (ArrayBuffer.isView(data) || Array.isArray(data) || isWide(data)) {
    return { values: data as AnyValues, valid: undefined }
  }
  return data as { values: AnyValues; valid: Uint8Array }
}

/** Rows `from` to `to` (not included). Typed arrays are views: nothing is copied but text. */
export function sliceTable<C extends Columns>(table: Table<C>, from: number, to: number): Table<C> {
  assert.ok(from >= 0 && from <= to && to <= table.rowCount)
  if (from === 0 && to === table.rowCount) return table
  const cut = (values: AnyValues) =>
    isWide(values)
      ? cutBigs(values, from, to)
      : ArrayBuffer.isView(values)
        ? values.subarray(from, to)
        : values.slice(from, to)
  const columns = Object.entries(table.columns as Record<string, AnyColumnData>).map(([name, data]) => {
    const { values, valid } = splitColumn(data)
    return [name, valid === undefined ? cut(values) : { values: cut(values), valid: valid.subarray(from, to) }]
  })
  return { schema: table.schema, rowCount: to - from, columns: Object.fromEntries(columns) as Table<C>['columns'] }
}

/** Empty storage for `rowCount` rows of a column: zero, false or '' and, where nullable, nothing valid. */
export function allocateColumn(column: Column, rowCount: number): AnyColumnData {
  const values = allocateValues(column, rowCount)
  return column.nullable ? { values, valid: new Uint8Array(rowCount) } : values
}

export function allocateValues({ kind }: Column, rowCount: number): AnyValues {
  if (kind === 'f64' || kind === 'tsMs' || kind === 'tsUs') return new Float64Array(rowCount)
  if (kind === 'i32') return new Int32Array(rowCount)
  if (kind === 'bool') return new Uint8Array(rowCount)
  if (kind === 'utf8') return new Array<string>(rowCount).fill('')
  if (kind === 'wide') return wideInts(rowCount)
  return new BigInt64Array(rowCount)
}

/** Puts tables of one schema below each other. */
export function concatTables<C extends Columns>(schema: TableSchema<C>, tables: readonly Table<C>[]): Table<C> {
  const rowCount = tables.reduce((sum, table) => sum + table.rowCount, 0)
  const columns = Object.entries(schema.columns).map(([name, column]) => {
    const target = allocateColumn(column, rowCount)
    let at = 0
    for (const table of tables) {
      copyColumn(table.columns[name]!, 0, table.rowCount, target, at)
      at += table.rowCount
    }
    return [name, narrowColumn(target)]
  })
  return { schema, rowCount, columns: Object.fromEntries(columns) as Table<C>['columns'] }
}

/** A column that was filled, in the form in which it is the fastest: wide integers only where one needs them. */
export function narrowColumn(data: AnyColumnData): AnyColumnData {
  const { values, valid } = splitColumn(data)
  if (!isWide(values)) return data
  return valid === undefined ? narrowest(values) : { values: narrowest(values), valid }
}

/** One value, whatever carries the column. */
export const valueAt = (values: AnyValues, row: number): bigint | number | string | undefined =>
  isWide(values) ? bigAt(values, row) : values[row]

/** Copies rows `from` to `to` of a column's data to row `at` of another. */
export function copyColumn(source: AnyColumnData, from: number, to: number, target: AnyColumnData, at: number): void {
  const src = splitColumn(source)
  const dst = splitColumn(target)
  if (dst.valid !== undefined) dst.valid.set(src.valid!.subarray(from, to), at)
  if (isWide(dst.values)) {
    copyBigs(src.values as BigInts, from, to, dst.values, at)
    return
  }
  if (ArrayBuffer.isView(src.values)) {
    ;(dst.values as Float64Array).set((src.values as Float64Array).subarray(from, to), at)
    return
  }
  const text = dst.values as string[]
  const texts = src.values as readonly string[]
  for (let row = from; row < to; row++) text[at + row - from] = texts[row]!
}

export const countOf = (values: AnyValues): number => (isWide(values) ? values.high.length : values.length)

function hasArrayType({ kind }: Column, values: AnyValues): boolean {
  if (kind === 'f64' || kind === 'tsMs' || kind === 'tsUs') return values instanceof Float64Array
  if (kind === 'i32') return values instanceof Int32Array
  if (kind === 'bool') return values instanceof Uint8Array
  if (kind === 'utf8') return Array.isArray(values)
  if (kind === 'wide' && isWide(values)) return values.low instanceof BigInt64Array && values.high instanceof Int32Array
  return values instanceof BigInt64Array
}

function checkValues(
  schema: TableSchema,
  name: string,
  column: Column,
  values: AnyValues,
  valid: Uint8Array | undefined,
): void {
  const row = firstWrongRow(column, values)
  if (row >= 0) {
    const what = `holds ${show(valueAt(values, row))} in row ${row}, which ${limitOf(column)}`
    throw wrong(schema, name, what, isDecimal(column.kind) ? outgrown : undefined)
  }
  if (valid === undefined) return
  const empty = valueAt(allocateValues(column, 1), 0)
  for (let i = 0; i < valid.length; i++) {
    if (valid[i]! > 1) throw wrong(schema, name, `has validity ${valid[i]} in row ${i}, which is neither 0 nor 1`)
    // Two equal tables must have equal memory, so what stands in an absent row is fixed.
    if (valid[i] === 0 && valueAt(values, i) !== empty) {
      throw wrong(schema, name, `holds ${show(valueAt(values, i))} in absent row ${i}`)
    }
  }
}

function firstWrongRow(column: Column, values: AnyValues): number {
  if (isWide(values)) return firstTooWide(values, column.precision!)
  if (column.kind === 'decimal') return firstTooLong(values as BigInt64Array, column.precision!)
  if (column.kind === 'tsMs' || column.kind === 'tsUs') return firstUnsafeTime(values as Float64Array)
  if (column.kind === 'bool') return firstNoBool(values as Uint8Array)
  return column.kind === 'utf8' ? firstIllFormed(values as readonly string[]) : -1
}

function firstNoBool(values: Uint8Array): number {
  for (let row = 0; row < values.length; row++) if (values[row]! > 1) return row
  return -1
}

/** A lone surrogate has no UTF-8 form: it would come back as another character. */
function firstIllFormed(values: readonly string[]): number {
  let before: string | undefined
  for (let row = 0; row < values.length; row++) {
    const text = values[row]!
    // Most columns of text repeat what stands above.
    if (text === before) continue
    if (typeof text !== 'string' || /\p{Surrogate}/u.test(text)) return row
    before = text
  }
  return -1
}

function limitOf({ kind, precision }: Column): string {
  if (isDecimal(kind)) return `has more than ${precision} digits`
  if (kind === 'bool') return 'is neither 0 nor 1'
  if (kind === 'utf8') return 'is not well-formed text'
  return 'is not a whole number of safe size'
}

const show = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value))

/** Sums may outgrow a column without a mistake of anybody's: coins of a millionth of a cent trade in billions. */
const outgrown =
  'take a finer interval, whose sums are smaller; or correct the scale, if it was the code that made it large'

function wrong(
  schema: TableSchema,
  column: string,
  what: string,
  todo = 'this is a mistake in the code that made the table; its schema says what the column takes',
): Fault {
  return new Fault({
    code: 'failed',
    what: `column ${column} ${what}`,
    where: `table ${schema.name}`,
    todo,
    details: { table: schema.name, column },
  })
}
