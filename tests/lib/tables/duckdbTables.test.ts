import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBDecimalValue, DuckDBInstance, DuckDBTimestampTZValue, type DuckDBValue } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rowOrder } from '../../../lib/tables/order.ts'
import { encodeTable, readTableInfo } from '../../../lib/tables/parquet.ts'
import { groupWriter, rowsPerGroup } from '../../../lib/tables/parquetWriter.ts'
import { type Column, isDecimal, type TableSchema } from '../../../lib/tables/schema.ts'
import {
  type AnyColumnData,
  allocateColumn,
  concatTables,
  makeTable,
  sliceTable,
  splitColumn,
  type Table,
  valueAt,
} from '../../../lib/tables/table.ts'
import { isWide, setBig } from '../../../lib/tables/wideInts.ts'
import { sqlTypeOf } from '../../../pipeline/cli/schema/describeTables.ts'
import { ownTables } from '../../../pipeline/cli/schema/ownTables.ts'
import { tablesOf } from './arbitraryTables.ts'
import { sampleTrades } from './sampleTrades.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickpipe-tables-'))
afterAll(() => rmSync(folder, { recursive: true }))

const connect = async () => (await DuckDBInstance.create(':memory:')).connect()
let connection: Awaited<ReturnType<typeof connect>>
beforeAll(async () => {
  connection = await connect()
  // What DuckDB prints is compared too, and a machine has a zone of its own.
  await connection.run("set TimeZone = 'UTC'")
  // One path holds one table after the other; what was read from it before must not be taken for it.
  await connection.run('set enable_external_file_cache = false')
})
const columnsOf = async (sql: string) => (await connection.runAndReadAll(sql)).getColumns()
const rowsOf = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson()

/** Rows in the order the schema asks for; of those with one key only the first where keys are unique. */
function sorted(schema: TableSchema, columns: Readonly<Record<string, AnyColumnData>>): Table {
  const table = makeTable(schema, columns)
  const order = schema.sortKey.length === 0 ? () => 0 : rowOrder(table, table, schema.sortKey)
  const rows = Array.from({ length: table.rowCount }, (_, row) => row).sort(order)
  const kept = rows.filter((row, i) => schema.tieBreak !== undefined || i === 0 || order(rows[i - 1]!, row) !== 0)
  return concatTables(
    schema,
    kept.map((row) => sliceTable(table, row, row + 1)),
  )
}

/** As several row groups, which a short table would never have. */
function encodeInGroups(table: Table, rows: number): Uint8Array {
  const pieces: Uint8Array[] = []
  const writer = groupWriter(table.schema, (piece) => pieces.push(piece.slice()))
  for (let from = 0; from < table.rowCount; from += rows) {
    writer.group(sliceTable(table, from, Math.min(table.rowCount, from + rows)))
  }
  writer.finish()
  return Buffer.concat(pieces)
}

const safe = Number.MAX_SAFE_INTEGER
const ends = ({ precision }: Column) => [0n, 1n, -1n, 10n ** BigInt(precision!) - 1n, 1n - 10n ** BigInt(precision!)]
const edges: Readonly<Record<Column['kind'], (column: Column) => readonly (bigint | number | string)[]>> = {
  decimal: ends,
  wide: ends,
  i64: () => [0n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  i32: () => [0, -1, 2_147_483_647, -2_147_483_648],
  f64: () => [0, -0, Number.NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, 0.1],
  bool: () => [0, 1],
  utf8: () => ['', '\0', "it's", '币安😀', '\uffff', 'x'.repeat(300), '\n'],
  tsMs: () => [0, -1, 1_704_067_200_000, safe, -safe],
  tsUs: () => [0, -1, 1_704_067_200_000_001, safe, -safe],
}

/** Every edge of every column, and where a column may be absent every second value is. */
function edgeColumns({ columns }: TableSchema): Record<string, AnyColumnData> {
  const rowCount = 40
  const made = Object.entries(columns).map(([name, column]) => {
    const values = edges[column.kind](column)
    const data = allocateColumn(column, rowCount)
    const { values: into, valid } = splitColumn(data)
    for (let row = 0; row < rowCount; row++) {
      if (valid !== undefined && row % 2 === 1) continue
      if (valid !== undefined) valid[row] = 1
      // Columns step at different speeds, so that edges of a key's columns meet in many pairs.
      const edge = values[(row + Math.floor(row / values.length)) % values.length]!
      if (isWide(into)) setBig(into, row, edge as bigint)
      else (into as (bigint | number | string)[])[row] = edge
    }
    return [name, data]
  })
  return Object.fromEntries(made)
}

/** What DuckDB must hand over for a row of ours. */
function expected(column: Column, data: AnyColumnData, row: number): DuckDBValue {
  const { values, valid } = splitColumn(data)
  const value = valueAt(values, row)!
  if (valid?.[row] === 0 || Number.isNaN(value)) return null
  if (column.kind === 'tsMs') return new DuckDBTimestampTZValue(BigInt(value) * 1000n)
  if (column.kind === 'tsUs') return new DuckDBTimestampTZValue(BigInt(value))
  if (isDecimal(column.kind)) return new DuckDBDecimalValue(value as bigint, column.precision!, column.scale!)
  if (column.kind === 'bool') return value === 1
  return value
}

async function expectRead(file: string, table: Table): Promise<void> {
  const found = await columnsOf(`select * from '${file}'`)
  Object.entries(table.schema.columns).forEach(([name, column], position) => {
    const data = table.columns[name]!
    const want = Array.from({ length: table.rowCount }, (_, row) => expected(column, data, row))
    expect(found[position] ?? [], name).toEqual(want)
  })
}

/** Of every column and row group: what the file says of its values is what they are. */
async function expectStatistics(file: string, { schema }: Table, groupRows: number): Promise<void> {
  const told = await rowsOf(
    `select row_group_id as "group", path_in_schema as name, stats_min_value as low, stats_max_value as high, stats_null_count as absent from parquet_metadata('${file}')`,
  )
  const seen = new Map<string, unknown>()
  for (const name of Object.keys(schema.columns)) {
    // Zeros of either sign compare equal; which one a range is told with is the format's affair.
    const sql = `select file_row_number // ${groupRows} as g, min("${name}")::varchar as low, max("${name}")::varchar as high, count(*) - count("${name}") as absent from read_parquet('${file}', file_row_number = true) group by g`
    for (const { g, ...is } of await rowsOf(sql)) seen.set(`${g} ${name}`, is)
  }
  for (const { group, name, ...says } of told) {
    const is = seen.get(`${group} ${name}`) as { low: string | null; high: string | null; absent: string }
    const { kind } = schema.columns[name as string]!
    expect(says['absent'], `${name}`).toBe(is.absent)
    // Long text has no range: it would fatten the footer.
    if (kind === 'utf8' && says['low'] === null) continue
    if (kind === 'f64' && is.low !== null) {
      // DuckDB prints these statistics a digit short.
      expectNear(Number(says['low']), Number(is.low))
      expectNear(Number(says['high']), Number(is.high))
    } else expect([says['low'], says['high']], `${name} of group ${group}`).toEqual([is.low, is.high])
  }
  expect(told).toHaveLength(seen.size)
}

function expectNear(told: number, is: number): void {
  if (Math.abs(told - is) > Math.abs(is) * 1e-15) expect(told).toBe(is)
}

test('every declared table is listed: nobody adds one that is not read here', async () => {
  const tables = join(import.meta.dirname, '../../../lib/tables')
  const declared: string[] = []
  for (const file of readdirSync(tables).filter((name) => name.endsWith('.ts'))) {
    const module = (await import(join(tables, file))) as Record<string, unknown>
    for (const value of Object.values(module)) {
      const { form, name } = (value ?? {}) as { form?: unknown; name?: unknown }
      if (form === 'table') declared.push(String(name))
    }
  }
  expect(declared.length).toBeGreaterThan(10)
  expect(ownTables.map(({ schema }) => schema.name)).toEqual(expect.arrayContaining(declared))
})

describe.each(ownTables.map(({ schema }) => [schema.name, schema] as const))('DuckDB reads %s', (name, schema) => {
  const file = join(folder, `${name}.parquet`)

  test('with the types that "pipe schema" tells', async () => {
    writeFileSync(
      file,
      encodeTable(sorted(schema, fc.sample(tablesOf(schema.columns, 5), { seed: 1, numRuns: 1 })[0]!)),
    )
    const described = await rowsOf(`describe select * from '${file}'`)
    expect(described.map((row) => [row['column_name'], row['column_type']])).toEqual(
      Object.entries(schema.columns).map(([column, type]) => [column, sqlTypeOf(type)]),
    )
  })

  test('every value to the last digit, in several row groups, with true statistics', async () => {
    await fc.assert(
      fc.asyncProperty(tablesOf(schema.columns, 250), fc.constantFrom(7, 100), async (columns, groupRows) => {
        const table = sorted(schema, columns)
        writeFileSync(file, encodeInGroups(table, groupRows))
        await expectRead(file, table)
        await expectStatistics(file, table, groupRows)
      }),
      { seed: 20_240_301, numRuns: 4, endOnFailure: true, examples: [[edgeColumns(schema), 7]] },
    )
  })

  test('of no rows', async () => {
    const empty = concatTables(schema, [])
    writeFileSync(file, encodeTable(empty))
    await expectRead(file, empty)
    expect(await rowsOf(`select count(*) as n from '${file}'`)).toEqual([{ n: '0' }])
  })
})

describe('row groups', () => {
  const file = join(folder, 'groups.parquet')
  const trades = sampleTrades(rowsPerGroup + 50_000)
  const { id } = trades.columns
  const sumOver = (where: string) => rowsOf(`select count(*) as n, sum(px) as px from '${file}' where ${where}`)

  // What is never read may as well be rubbish: so a group's statistics show that they are believed.
  const writeSpoilt = (groups: number): void => {
    const bytes = encodeTable(trades)
    const { rowGroups } = readTableInfo(bytes)
    const spoiltBytes = rowGroups.slice(0, groups).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    writeFileSync(file, bytes.fill(0xee, 4, 4 + spoiltBytes))
  }

  test('that cannot hold what is asked for are not read', async () => {
    writeSpoilt(0)
    const inSecond = `id > ${id[rowsPerGroup + 10]}`
    const want = await sumOver(inSecond)
    expect(want).toMatchObject([{ n: String(50_000 - 11) }])
    writeSpoilt(1)
    expect(await sumOver(inSecond)).toEqual(want)
    await expect(sumOver('true')).rejects.toThrow()
  })

  test('whose statistics rule everything out are not read at all', async () => {
    writeSpoilt(2)
    expect(await sumOver(`id < ${id[0]}`)).toEqual([{ n: '0', px: null }])
    expect(await rowsOf(`select count(*) as n from '${file}'`)).toEqual([{ n: String(trades.rowCount) }])
  })
})
