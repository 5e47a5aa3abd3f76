import assert from 'node:assert/strict'
import { Fault } from '../fault.ts'

/**
 * What a column holds, and the array that carries it in memory:
 *
 *  | kind    | in memory                        | in Parquet                                   |
 *  |---------|----------------------------------|----------------------------------------------|
 *  | i64     | BigInt64Array                    | INT64                                        |
 *  | i32     | Int32Array                       | INT32                                        |
 *  | f64     | Float64Array, NaN is "missing"   | DOUBLE, missing is NULL                      |
 *  | bool    | Uint8Array of 0 and 1            | BOOLEAN                                      |
 *  | utf8    | string[]                         | BYTE_ARRAY (STRING), dictionary              |
 *  | tsMs    | Float64Array of safe integers    | INT64 TIMESTAMP(MILLIS, UTC)                 |
 *  | tsUs    | Float64Array of safe integers    | INT64 TIMESTAMP(MICROS, UTC)                 |
 *  | decimal | BigInt64Array, value × 10^scale  | INT64 DECIMAL(precision, scale)              |
 *  | wide    | BigInts, value × 10^scale        | FIXED_LEN_BYTE_ARRAY(12) DECIMAL(28, scale)  |
 *
 * Times are doubles because hot loops subtract and floor them: microseconds since 1970 stay below 2^53 until the year
 * 2255, and arithmetic on bigints allocates. A nullable column is `{ values, valid }`, with 1 in `valid` where a value
 * is present and 0, false or '' in `values` where none is. A f64 column needs no such thing: NaN is its missing value.
 */
export type ColumnKind = 'i64' | 'i32' | 'f64' | 'bool' | 'utf8' | 'tsMs' | 'tsUs' | 'decimal' | 'wide'

export type Column<K extends ColumnKind = ColumnKind, N extends boolean = boolean> = {
  readonly kind: K
  readonly nullable: N
  /** Digits in all and behind the point; only decimals have them. */
  readonly precision?: number
  readonly scale?: number
  readonly unit?: string
  readonly doc?: string
}

export type Columns = Readonly<Record<string, Column>>

export type TableSchema<C extends Columns = Columns> = {
  readonly name: string
  readonly version: number
  readonly doc?: string
  readonly columns: C
  /** Rows ascend by these columns: numbers by value, text by code point, false before true, absent first, NaN last. */
  readonly sortKey: readonly string[]
  /** How rows with equal sort keys are ordered, as a sentence. Without one the sort key is unique, and that is checked. */
  readonly tieBreak?: string
  /** Written in the fewest bytes we can, which takes longer: for tables with more rows than all others together. */
  readonly packing?: 'tight'
  /** Where the columns were picked from another schema: files of that one are read as this one. */
  readonly pickedFrom?: TableSchema
}

export type ColumnNote = { readonly unit?: string; readonly doc?: string }

/** Declares a table: the names, the key columns and the digits of decimals are checked here, once. */
// @__NO_SIDE_EFFECTS__
export function defineTable<const C extends Columns>(definition: {
  name: string
  version: number
  doc?: string
  columns: C
  sortKey: readonly (keyof C & string)[]
  tieBreak?: string
  packing?: 'tight'
}): TableSchema<C> {
  const { name, version, columns, sortKey } = definition
  assert.match(name, /^[a-z][A-Za-z0-9_]*$/, `a table's name is an identifier: ${name}`)
  assert.ok(Number.isSafeInteger(version) && version >= 1, `${name}: a version counts from 1`)
  assert.ok(Object.keys(columns).length > 0, `${name}: a table has columns`)
  for (const [column, { kind, nullable, precision, scale }] of Object.entries(columns)) {
    assert.match(column, /^[A-Za-z_][A-Za-z0-9_]*$/, `${name}: a column's name is an identifier: ${column}`)
    assert.ok(!(kind === 'f64' && nullable), `${name}.${column}: a f64 column is missing where it is NaN`)
    if (!isDecimal(kind)) continue
    const most = kind === 'wide' ? widePrecision : 18
    assert.ok(precision !== undefined && Number.isInteger(precision) && precision >= 1 && precision <= most)
    assert.ok(kind === 'decimal' || precision === widePrecision, `${name}.${column}: all wide decimals have one length`)
    assert.ok(scale !== undefined && Number.isInteger(scale) && scale >= 0 && scale <= precision)
  }
  for (const key of sortKey) assert.ok(Object.hasOwn(columns, key), `${name}: no column ${key} to sort by`)
  assert.equal(new Set(sortKey).size, sortKey.length, `${name}: a column is named once in the sort key`)
  return definition
}

// @__NO_SIDE_EFFECTS__
export const i64 = (note?: ColumnNote): Column<'i64', false> => ({ kind: 'i64', nullable: false, ...note })
// @__NO_SIDE_EFFECTS__
export const i32 = (note?: ColumnNote): Column<'i32', false> => ({ kind: 'i32', nullable: false, ...note })
// @__NO_SIDE_EFFECTS__
export const f64 = (note?: ColumnNote): Column<'f64', false> => ({ kind: 'f64', nullable: false, ...note })
// @__NO_SIDE_EFFECTS__
export const bool = (note?: ColumnNote): Column<'bool', false> => ({ kind: 'bool', nullable: false, ...note })
// @__NO_SIDE_EFFECTS__
export const utf8 = (note?: ColumnNote): Column<'utf8', false> => ({ kind: 'utf8', nullable: false, ...note })
// @__NO_SIDE_EFFECTS__
export const tsMs = (note?: ColumnNote): Column<'tsMs', false> => ({ kind: 'tsMs', nullable: false, ...note })
// @__NO_SIDE_EFFECTS__
export const tsUs = (note?: ColumnNote): Column<'tsUs', false> => ({ kind: 'tsUs', nullable: false, ...note })

/** `decimal(8)` holds 0.00000001 as 1n. Eighteen digits in all are what 64 bits carry. */
// @__NO_SIDE_EFFECTS__
export const decimal = (scale: number, precision = 18, note?: ColumnNote): Column<'decimal', false> => ({
  kind: 'decimal',
  nullable: false,
  precision,
  scale,
  ...note,
})

/** What 96 bits carry. */
const widePrecision = 28

/** For sums: `wideDecimal(8)` has room for twenty digits before the point, where `decimal(8)` has it for ten. */
// @__NO_SIDE_EFFECTS__
export const wideDecimal = (scale: number, note?: ColumnNote): Column<'wide', false> => ({
  kind: 'wide',
  nullable: false,
  precision: widePrecision,
  scale,
  ...note,
})

export const isDecimal = (kind: ColumnKind): boolean => kind === 'decimal' || kind === 'wide'

/** The same column with an explicit validity. */
// @__NO_SIDE_EFFECTS__
export const nullable = <K extends Exclude<ColumnKind, 'f64'>>(column: Column<K, false>): Column<K, true> => ({
  ...column,
  nullable: true,
})

/** The schema of some of a table's columns: a port of it decodes no others. A sort key ends before the first column that
 *  was left out. */
export function pickColumns<C extends Columns, K extends keyof C & string>(
  schema: TableSchema<C>,
  names: readonly K[],
): TableSchema<Pick<C, K>> {
  const kept = new Set<string>(names)
  for (const name of names) assert.ok(Object.hasOwn(schema.columns, name), `${schema.name} has no column ${name}`)
  const columns = Object.fromEntries(Object.entries(schema.columns).filter(([name]) => kept.has(name))) as Pick<C, K>
  const cut = schema.sortKey.findIndex((key) => !kept.has(key))
  const pickedFrom = schema.pickedFrom ?? schema
  if (cut < 0) return { ...schema, columns, pickedFrom }
  return {
    ...schema,
    columns,
    pickedFrom,
    sortKey: schema.sortKey.slice(0, cut),
    tieBreak: `the order of ${schema.name}`,
  }
}

/**
 * The part of a schema that travels inside a file. Descriptions stay out, so that a better sentence in the code changes
 * no stored byte; units stay in, because they are part of what a number means.
 */
export function schemaToJson(schema: TableSchema): string {
  const columns = Object.entries(schema.columns).map(([name, { kind, nullable, precision, scale, unit }]) => ({
    name,
    kind,
    ...(nullable ? { nullable } : {}),
    ...(isDecimal(kind) ? { precision, scale } : {}),
    ...(unit === undefined ? {} : { unit }),
  }))
  const { name, version, sortKey } = schema
  return JSON.stringify({ name, version, columns, sortKey, unique: schema.tieBreak === undefined })
}

export function schemaFromJson(json: string): TableSchema {
  try {
    const { columns, unique, ...rest } = JSON.parse(json) as {
      name: string
      version: number
      columns: (Column & { name: string })[]
      sortKey: string[]
      unique: boolean
    }
    return defineTable({
      ...rest,
      columns: Object.fromEntries(
        columns.map(({ name, ...column }) => [name, { ...column, nullable: !!column.nullable }]),
      ),
      ...(unique ? {} : { tieBreak: 'as stored' }),
    })
  } catch (cause) {
    throw new Fault({ code: 'corrupt', what: 'the table schema stored in this Parquet file cannot be read', cause })
  }
}

/** Says in words how two schemas differ; an empty list says that one's files can be read as the other's. */
export function schemaDifferences(a: TableSchema, b: TableSchema): string[] {
  const found: string[] = []
  const say = (what: string, x: unknown, y: unknown) => {
    if (JSON.stringify(x) !== JSON.stringify(y)) found.push(`${what}: ${JSON.stringify(x)} and ${JSON.stringify(y)}`)
  }
  say('name', a.name, b.name)
  say('version', a.version, b.version)
  say('columns', Object.keys(a.columns), Object.keys(b.columns))
  for (const name of Object.keys(a.columns)) {
    const x = a.columns[name]!
    const y = b.columns[name]
    if (y !== undefined) say(`column ${name}`, columnTypeText(x), columnTypeText(y))
  }
  say('sort key', a.sortKey, b.sortKey)
  say('unique sort key', a.tieBreak === undefined, b.tieBreak === undefined)
  return found
}

/** `decimal(18,8) nullable [USDT]`, as messages and `pipe schema` show it. */
export function columnTypeText({ kind, nullable, precision, scale, unit }: Column): string {
  const type = isDecimal(kind) ? `decimal(${precision},${scale})` : kind
  return type + (nullable ? ' nullable' : '') + (unit === undefined ? '' : ` [${unit}]`)
}
