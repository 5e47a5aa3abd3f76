import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
import type { TableOf } from '../../lib/tables/table.ts'
import { sampleTrades, tradeTable } from '../lib/tables/sampleTrades.ts'
import { type Bench, comparedTo, medianMs, type Row, rounded } from './measure.ts'

type Trades = TableOf<typeof tradeTable>
type Add = (name: string, ms: number, note?: string) => void

const write = 'write, tickpipe'
const read = 'read, tickpipe'

/** Seven typed columns of trades to Parquet bytes and back, and the bytes a row takes. */
export const bench: Bench = {
  name: 'parquet',
  async run({ quick }) {
    const trades = sampleTrades(quick ? 300_000 : 3_000_000)
    const runs = quick ? 3 : 5
    const rows: Row[] = []
    const add: Add = (name, ms, note) =>
      rows.push({ name, value: rounded(trades.rowCount / ms / 1000), unit: 'Mrows/s', ...(note ? { note } : {}) })
    const size = (name: string, sizeBytes: number) =>
      rows.push({ name, value: rounded(sizeBytes / trades.rowCount), unit: 'bytes/row' })

    const bytes = encodeTable(trades)
    add(write, await medianMs(runs, () => encodeTable(trades)), '1 thread, the order of rows is checked')
    add(read, await medianMs(runs, () => decodeTable(tradeTable, bytes)), '1 thread')
    add(
      'read 2 of 7 columns, tickpipe',
      await medianMs(runs, () => decodeTable(tradeTable, bytes, { columns: ['tsMs', 'px'] })),
    )
    size('size, tickpipe', bytes.length)

    const arrow = arrowOf(trades)
    const wasm = writeWithWasm(arrow)
    add(
      'write, parquet-wasm',
      await medianMs(runs, () => writeWithWasm(arrow)),
      'int64 delta, zstd, from an Arrow table',
    )
    add('read, parquet-wasm', await medianMs(runs, () => readWithWasm(wasm)), 'to Arrow batches')
    size('size, parquet-wasm', wasm.length)
    await addDuckDb(bytes, runs, add)
    const writes = comparedTo(
      write,
      rows.filter(({ name }) => name.startsWith('write')),
    )
    const reads = comparedTo(
      read,
      rows.filter(({ name }) => name.startsWith('read')),
    )
    return [
      ...writes,
      ...reads,
      ...comparedTo(
        'size, tickpipe',
        rows.filter(({ name }) => name.startsWith('size')),
      ),
    ]
  },
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

async function addDuckDb(bytes: Uint8Array, runs: number, add: Add): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-'))
  try {
    const file = join(folder, 'trades.parquet')
    writeFileSync(file, bytes)
    for (const threads of [1, 2]) {
      const connection = await (await DuckDBInstance.create(':memory:', { threads: String(threads) })).connect()
      const label = `${threads} ${threads === 1 ? 'thread' : 'threads'}`
      await connection.run(`create table trades as select * from '${file}'`)
      const copy = `copy trades to '${join(folder, 'copy.parquet')}' (format parquet, compression zstd, parquet_version v2)`
      add(`write, DuckDB ${label}`, await medianMs(runs, () => connection.run(copy)), 'from its own table to a file')
      const sums = 'sum(id), sum(px), sum(qty), sum(firstId), sum(lastId), max(tsMs), count_if(isBuyerMaker)'
      const sql = `select ${sums} from '${file}'`
      add(
        `read, DuckDB ${label}`,
        await medianMs(runs, () => connection.runAndReadAll(sql)),
        'our file, a sum over every column',
      )
      connection.closeSync()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
