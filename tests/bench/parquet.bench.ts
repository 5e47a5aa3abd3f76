import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { Table as ArrowTable, makeVector, RecordBatchReader, tableToIPC } from 'apache-arrow'
import {
  Compression,
  Encoding,
  readParquet,
  Table as WasmTable,
  WriterPropertiesBuilder,
  writeParquet,
} from 'parquet-wasm'
import { decodeTable, encodeTable } from '../../lib/tables/parquet.ts'
import type { Table, TableOf } from '../../lib/tables/table.ts'
import { sampleTrades, tradeTable } from '../lib/tables/sampleTrades.ts'
import { childOf } from './childOf.ts'
import { type Bench, comparedTo, medianTimes, type Row, rounded } from './measure.ts'
import { codecBytes } from './parquet/codecBytes.ts'
import { tradeDays } from './parquet/days.ts'
import { floorBytes } from './parquet/entropyFloor.ts'
import { polarsIn } from './polarsIn.ts'
import type { PolarsRuns } from './polarsRuns.ts'

type Trades = TableOf<typeof tradeTable>
type Add = (name: string, times: { ms: number; cpuMs: number }, note?: string) => void

const write = 'write, tickpipe'
const read = 'read, tickpipe'

/** Seven typed columns of trades to Parquet bytes and back, and the bytes a row of a day takes. */
export const bench: Bench = {
  name: 'parquet',
  async run({ quick }) {
    const trades = sampleTrades(quick ? 300_000 : 3_000_000)
    const runs = quick ? 3 : 5
    const rows: Row[] = []
    const add: Add = (name, { ms, cpuMs }, note = '') => {
      const cpu = cpuMs === 0 ? '' : `${rounded((cpuMs * 1000) / trades.rowCount)} µs of processor a row`
      const text = [note, cpu].filter((part) => part !== '').join('; ')
      rows.push({ name, value: rounded(trades.rowCount / ms / 1000), unit: 'Mrows/s', note: text })
    }
    const size = (name: string, sizeBytes: number) =>
      rows.push({ name, value: rounded(sizeBytes / trades.rowCount), unit: 'bytes/row' })

    const bytes = encodeTable(trades)
    add(write, await medianTimes(runs, () => encodeTable(trades)), '1 thread, the order of rows is checked')
    add('write floor: columns copied', await medianTimes(runs, () => copied(trades)), 'as they are in memory')
    add(read, await medianTimes(runs, () => decodeTable(tradeTable, bytes)), '1 thread')
    add('read floor: columns copied', await medianTimes(runs, () => copied(trades)), 'as they are in memory')
    add(
      'read 2 of 7 columns, tickpipe',
      await medianTimes(runs, () => decodeTable(tradeTable, bytes, { columns: ['tsMs', 'px'] })),
    )
    size('size, tickpipe', bytes.length)

    const arrow = arrowOf(trades)
    const wasm = writeWithWasm(arrow)
    add(
      'write, parquet-wasm',
      await medianTimes(runs, () => writeWithWasm(arrow)),
      'int64 delta, zstd, from an Arrow table',
    )
    add('read, parquet-wasm', await medianTimes(runs, () => readWithWasm(wasm)), 'to Arrow batches')
    size('size, parquet-wasm', wasm.length)

    const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-'))
    const sizes: Row[] = []
    try {
      const file = join(folder, 'trades.parquet')
      writeFileSync(file, bytes)
      await addDuckDb(file, runs, add)
      const polars = polarsIn(folder)
      addPolars(file, polars, runs, trades.rowCount, add)
      for (const { name, table } of tradeDays(quick)) sizes.push(...(await sizesOf(name, table, folder, polars)))
    } finally {
      rmSync(folder, { recursive: true })
    }
    const compared = (to: string, prefix: string) =>
      comparedTo(
        to,
        rows.filter(({ name }) => name.startsWith(prefix)),
      )
    return [...compared(write, 'write'), ...compared(read, 'read'), ...compared('size, tickpipe', 'size'), ...sizes]
  },
}

/** What any reader or writer does at least: every value passes by once. */
const copied = ({ columns }: Trades): unknown => Object.values(columns).map((values) => values.slice())

/** A day of trades written by each, beside what a good coder might come down to. */
async function sizesOf(name: string, table: Table, folder: string, polars: string | undefined): Promise<Row[]> {
  const file = join(folder, 'day.parquet')
  const ours = encodeTable(table)
  writeFileSync(file, ours)
  const row = (who: string, sizeBytes: number, note: string): Row => {
    return { name: `${name}, ${who}`, value: rounded(sizeBytes / table.rowCount), unit: 'bytes/row', note }
  }
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
  const copy = join(folder, 'day.duckdb.parquet')
  await connection.run(
    `copy (select * from '${file}') to '${copy}' (format parquet, compression zstd, parquet_version v2)`,
  )
  connection.closeSync()
  const columns = Object.entries(table.columns as Readonly<Record<string, ArrayLike<unknown>>>)
  const sumOver = (bytesOf: (values: readonly number[]) => number) =>
    columns.reduce((sum, [column, values]) => {
      return column === 'symbol' ? sum : sum + bytesOf(Array.from(values, Number))
    }, 0)
  const floor = sumOver(floorBytes)
  // At its slowest a codec takes a minute for a million rows.
  const packed = table.rowCount > 200_000 ? undefined : sumOver(codecBytes)
  const written = polars && childOf<PolarsRuns>('./polarsRuns.ts', ['write', polars, file, '1'])
  return comparedTo(`${name}, tickpipe`, [
    row('tickpipe', ours.length, `${table.rowCount} rows`),
    row('DuckDB', statSync(copy).size, 'zstd'),
    row('Polars', written ? written.sizeBytes : 0, written ? 'zstd' : absent),
    ...(packed === undefined ? [] : [row('brotli 11', packed, 'each column in the best form without a dictionary')]),
    row('floor', floor, floor / table.rowCount > 5.5 ? 'an estimate; above 5.5 itself' : 'an estimate'),
  ])
}

function arrowOf({ columns }: Trades): ArrowTable {
  const { id, px, qty, firstId, lastId, tsMs, isBuyerMaker } = columns
  const times = BigInt64Array.from(tsMs, BigInt)
  const vectors = { id, px, qty, firstId, lastId, tsMs: times, isBuyerMaker }
  return new ArrowTable(Object.fromEntries(Object.entries(vectors).map(([name, values]) => [name, makeVector(values)])))
}

function writeWithWasm(arrow: ArrowTable): Uint8Array {
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setDictionaryEnabled(false)
    .setEncoding(Encoding.DELTA_BINARY_PACKED)
    .setColumnEncoding('isBuyerMaker', Encoding.PLAIN)
    .build()
  // writeParquet takes the table and the properties over; nothing is left to free.
  return writeParquet(WasmTable.fromIPCStream(tableToIPC(arrow, 'stream')), properties)
}

function readWithWasm(bytes: Uint8Array): number {
  let rows = 0
  for (const batch of RecordBatchReader.from(readParquet(bytes, { batchSize: 65_536 }).intoIPCStream()))
    rows += batch.numRows
  return rows
}

const absent = 'absent: not installed here, and npm does not bring it'

async function addDuckDb(file: string, runs: number, add: Add): Promise<void> {
  for (const threads of [1, 2]) {
    const connection = await (await DuckDBInstance.create(':memory:', { threads: String(threads) })).connect()
    const label = threadsText(threads)
    await connection.run(`create table trades as select * from '${file}'`)
    const copy = `copy trades to '${file}.duckdb' (format parquet, compression zstd, parquet_version v2)`
    add(`write, DuckDB ${label}`, await medianTimes(runs, () => connection.run(copy)), 'from its own table to a file')
    const sums = 'sum(id), sum(px), sum(qty), sum(firstId), sum(lastId), max(tsMs), count_if(isBuyerMaker)'
    const sql = `select ${sums} from '${file}'`
    add(
      `read, DuckDB ${label}`,
      await medianTimes(runs, () => connection.runAndReadAll(sql)),
      'our file, a sum over every column',
    )
    connection.closeSync()
  }
}

function addPolars(file: string, from: string | undefined, runs: number, rowCount: number, add: Add): void {
  for (const work of ['write', 'read'] as const) {
    for (const threads of [1, 2]) {
      const name = `${work}, Polars ${threadsText(threads)}`
      if (from === undefined) {
        add(name, { ms: Number.POSITIVE_INFINITY, cpuMs: 0 }, absent)
        continue
      }
      const environment = { POLARS_MAX_THREADS: String(threads) }
      const { rows, ...times } = childOf<PolarsRuns>('./polarsRuns.ts', [work, from, file, String(runs)], environment)
      if (rows !== rowCount) throw new Error(`Polars has ${rows} rows`)
      add(name, times, work === 'read' ? 'our file, every column' : 'from its own frame to a file, zstd')
    }
  }
}

const threadsText = (threads: number): string => `${threads} ${threads === 1 ? 'thread' : 'threads'}`
