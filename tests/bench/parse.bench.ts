import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { csvParser } from '../../lib/csv/parser.ts'
import { sampleTrades } from '../lib/tables/sampleTrades.ts'
import { aggTradesCsv, aggTradesText } from './aggTrades.ts'
import { childOf } from './childOf.ts'
import { type Bench, comparedTo, medianTimes, type Row, rounded } from './measure.ts'
import { packageIn } from './packageIn.ts'
import { polarsIn } from './polarsIn.ts'
import type { PolarsRuns } from './polarsRuns.ts'

const ours = 'tickpipe, every cell checked'
const pieceBytes = 65_536

/** CSV bytes to typed columns, in 64 KiB pieces as a decompressor hands them over. */
export const bench: Bench = {
  name: 'parse',
  async run({ quick }) {
    const trades = sampleTrades(quick ? 400_000 : 4_000_000)
    const bytes = aggTradesText(trades)
    const runs = quick ? 3 : 5
    const rows: Row[] = []
    const add: Add = (name, { ms, cpuMs }, note) => {
      const perCpu = cpuMs === 0 ? '' : `, ${rounded(bytes.length / cpuMs / 1000)} MB a second of processor`
      rows.push({ name, value: rounded(bytes.length / ms / 1000), unit: 'MB/s', note: note + perCpu })
    }

    const parse = () => {
      let rowCount = 0
      const parser = csvParser(aggTradesCsv, { file: 'memory', onBatch: (batch) => (rowCount += batch.rowCount) })
      for (let from = 0; from < bytes.length; from += pieceBytes) parser.push(bytes.subarray(from, from + pieceBytes))
      parser.finish()
      if (rowCount !== trades.rowCount) throw new Error(`${rowCount} rows came back`)
    }
    add(ours, await medianTimes(runs, parse), `1 thread, ${trades.rowCount} rows of 7 columns, ${bytes.length} bytes`)
    add(
      'floor: every byte looked at',
      await medianTimes(runs, () => lineEndsIn(bytes)),
      'line ends counted, nothing read',
    )

    const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-'))
    try {
      const file = join(folder, 'trades.csv')
      writeFileSync(file, bytes)
      await addDuckDb(file, runs, trades.columns.px, add)
      addPolars(file, folder, runs, trades.rowCount, add)
      await addCsvParse(bytes, folder, add)
    } finally {
      rmSync(folder, { recursive: true })
    }
    return comparedTo(ours, rows)
  },
}

type Add = (name: string, times: { ms: number; cpuMs: number }, note: string) => void

const never = { ms: Number.POSITIVE_INFINITY, cpuMs: 0 }
const absent = 'absent: not installed here, and npm does not bring it'

function lineEndsIn(bytes: Uint8Array): number {
  let count = 0
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === 10) count++
  return count
}

async function addDuckDb(file: string, runs: number, prices: BigInt64Array, add: Add): Promise<void> {
  let priceSum = 0n
  for (const price of prices) priceSum += price
  const types =
    "{'agg_trade_id': 'BIGINT', 'price': 'DECIMAL(18,2)', 'quantity': 'DECIMAL(18,3)', 'first_trade_id': 'BIGINT', 'last_trade_id': 'BIGINT', 'transact_time': 'BIGINT', 'is_buyer_maker': 'BOOLEAN'}"
  for (const threads of [1, 2]) {
    const connection = await (await DuckDBInstance.create(':memory:', { threads: String(threads) })).connect()
    const sums =
      'sum(agg_trade_id), sum(price) px, sum(quantity), sum(first_trade_id), sum(last_trade_id), max(transact_time), count_if(is_buyer_maker)'
    const sql = `select ${sums} from read_csv('${file}', header = true, delim = ',', columns = ${types})`
    const times = await medianTimes(runs, async () => {
      const [row] = (await connection.runAndReadAll(sql)).getRowObjectsJson()
      if (String(row!['px']).replace('.', '') !== String(priceSum)) throw new Error('the sums of prices differ')
    })
    add(`DuckDB read_csv, ${threadsText(threads)}`, times, 'types given, a sum over every column')
    connection.closeSync()
  }
}

function addPolars(file: string, folder: string, runs: number, rowCount: number, add: Add): void {
  const from = polarsIn(folder)
  for (const threads of [1, 2]) {
    const name = `Polars readCSV, ${threadsText(threads)}`
    if (from === undefined) {
      add(name, never, absent)
      continue
    }
    const environment = { POLARS_MAX_THREADS: String(threads) }
    const { rows, ...times } = childOf<PolarsRuns>('./polarsRuns.ts', ['parse', from, file, String(runs)], environment)
    if (rows !== rowCount) throw new Error(`Polars read ${rows} rows`)
    add(name, times, 'schema given, prices as doubles, from a file in the cache')
  }
}

const threadsText = (threads: number): string => `${threads} ${threads === 1 ? 'thread' : 'threads'}`

async function addCsvParse(bytes: Uint8Array, folder: string, add: Add): Promise<void> {
  const name = 'csv-parse'
  const from = packageIn(folder, name)
  if (from === undefined) {
    add(name, never, absent)
    return
  }
  const { parse } = createRequire(join(from, 'package.json'))(`${name}/sync`) as { parse(text: Uint8Array): string[][] }
  const part = bytes.subarray(0, bytes.lastIndexOf(10, 20_000_000) + 1)
  const { ms, cpuMs } = await medianTimes(1, () => parse(part))
  const share = bytes.length / part.length
  add(name, { ms: ms * share, cpuMs: cpuMs * share }, 'text cells only, from the first 20 MB')
}
