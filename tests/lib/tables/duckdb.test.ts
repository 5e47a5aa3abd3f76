import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBDecimalValue, DuckDBInstance, DuckDBTimestampTZValue, type DuckDBValue } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeTable } from '../../../lib/tables/parquet.ts'
import { rowsPerGroup } from '../../../lib/tables/parquetWriter.ts'
import { type Column, isDecimal } from '../../../lib/tables/schema.ts'
import { type AnyColumnData, splitColumn, type Table, valueAt } from '../../../lib/tables/table.ts'
import { type everyKind, everyKindSample } from './arbitraryTables.ts'
import { sampleTrades } from './sampleTrades.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickpipe-duckdb-'))
afterAll(() => rmSync(folder, { recursive: true }))

const connect = async () => (await DuckDBInstance.create(':memory:')).connect()

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

describe('DuckDB reads our files', () => {
  let connection: Awaited<ReturnType<typeof connect>>
  const path = join(folder, 'everyKind.parquet')
  const table = everyKindSample(3000)
  beforeAll(async () => {
    connection = await connect()
    writeFileSync(path, encodeTable(table))
  })
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson()

  test('with the type a user would expect of each column', async () => {
    const described = await rows(`describe select * from '${path}'`)
    expect(Object.fromEntries(described.map((row) => [row['column_name'], row['column_type']]))).toEqual({
      tsMs: 'TIMESTAMP WITH TIME ZONE',
      tsUs: 'TIMESTAMP WITH TIME ZONE',
      px: 'DECIMAL(18,2)',
      tiny: 'DECIMAL(5,4)',
      id: 'BIGINT',
      count: 'INTEGER',
      rate: 'DOUBLE',
      isMaker: 'BOOLEAN',
      symbol: 'VARCHAR',
      markPx: 'DECIMAL(18,8)',
      seenMs: 'TIMESTAMP WITH TIME ZONE',
      level: 'INTEGER',
      big: 'BIGINT',
      isLast: 'BOOLEAN',
      note: 'VARCHAR',
      sum: 'DECIMAL(28,8)',
      spotSum: 'DECIMAL(28,3)',
    })
  })

  test('and every value of every kind, absent ones and missing doubles as NULL', async () => {
    const found = (await connection.runAndReadAll(`select * from '${path}'`)).getColumns()
    Object.entries(table.schema.columns).forEach(([name, column], position) => {
      const data = (table.columns as Record<string, AnyColumnData>)[name]!
      const want = Array.from({ length: table.rowCount }, (_, row) => expected(column, data, row))
      expect(found[position], name).toEqual(want)
    })
  })

  test('in several row groups, by the statistics we wrote', async () => {
    const trades = sampleTrades(rowsPerGroup + 50_000)
    const file = join(folder, 'trades.parquet')
    writeFileSync(file, encodeTable(trades))
    const { id, px, qty, tsMs, isBuyerMaker } = trades.columns
    const [sums] = await rows(
      `select count(*) n, sum(id) id, sum(px) px, sum(qty) qty, sum(epoch_ms(tsMs)) ts, count_if(isBuyerMaker) makers from '${file}'`,
    )
    const total = (values: Iterable<bigint>) => [...values].reduce((sum, value) => sum + value, 0n)
    const scaled = (value: bigint, scale: number) => String(value).replace(new RegExp(`(.{${scale}})$`), '.$1')
    expect(sums).toEqual({
      n: String(trades.rowCount),
      id: String(total(id)),
      px: scaled(total(px), 2),
      qty: scaled(total(qty), 3),
      ts: String(tsMs.reduce((sum, value) => sum + BigInt(value), 0n)),
      makers: String(isBuyerMaker.reduce((sum, value) => sum + value, 0)),
    })
    const row = rowsPerGroup + 1234
    const [one] = await rows(`select px::varchar px from '${file}' where id = ${id[row]}`)
    expect(one).toEqual({ px: scaled(px[row]!, 2) })
    const groups = await rows(
      `select row_group_num_rows n, stats_min_value low, stats_max_value high, stats_null_count absent from parquet_metadata('${file}') where path_in_schema = 'id'`,
    )
    expect(groups).toEqual([
      { n: String(rowsPerGroup), low: String(id[0]), high: String(id[rowsPerGroup - 1]), absent: '0' },
      { n: '50000', low: String(id[rowsPerGroup]), high: String(id.at(-1)), absent: '0' },
    ])
  })

  test('of no rows too', async () => {
    const file = join(folder, 'none.parquet')
    const none: Table<typeof everyKind.columns> = everyKindSample(0)
    writeFileSync(file, encodeTable(none))
    expect(await rows(`select count(*) n from '${file}'`)).toEqual([{ n: '0' }])
  })
})
