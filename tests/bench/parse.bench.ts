import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { csvParser } from '../../lib/csv/parser.ts'
import { sampleTrades } from '../lib/tables/sampleTrades.ts'
import { aggTradesCsv, aggTradesText } from './aggTrades.ts'
import { type Bench, comparedTo, medianMs, type Row, rounded } from './measure.ts'

const ours = 'tickpipe, every cell checked'

/** CSV bytes to typed columns, in 64 KiB pieces as a decompressor hands them over. */
export const bench: Bench = {
  name: 'parse',
  async run({ quick }) {
    const trades = sampleTrades(quick ? 400_000 : 4_000_000)
    const bytes = aggTradesText(trades)
    const runs = quick ? 3 : 5
    const rows: Row[] = []
    const add = (name: string, ms: number, note: string) =>
      rows.push({ name, value: rounded(bytes.length / ms / 1000), unit: 'MB/s', note })

    let priceSum = 0n
    const parse = () => {
      let rowCount = 0
      const parser = csvParser(aggTradesCsv, { file: 'memory', onBatch: (batch) => (rowCount += batch.rowCount) })
      for (let from = 0; from < bytes.length; from += 65_536) parser.push(bytes.subarray(from, from + 65_536))
      parser.finish()
      if (rowCount !== trades.rowCount) throw new Error(`${rowCount} rows came back`)
    }
    add(ours, await medianMs(runs, parse), `1 thread, ${trades.rowCount} rows of 7 columns, ${bytes.length} bytes`)
    for (const px of trades.columns.px) priceSum += px

    await addDuckDb(bytes, runs, priceSum, add)
    await addCsvParse(bytes, add)
    return comparedTo(ours, rows)
  },
}

type Add = (name: string, ms: number, note: string) => void

async function addDuckDb(bytes: Uint8Array, runs: number, priceSum: bigint, add: Add): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-'))
  try {
    const file = join(folder, 'trades.csv')
    writeFileSync(file, bytes)
    const types =
      "{'agg_trade_id': 'BIGINT', 'price': 'DECIMAL(18,2)', 'quantity': 'DECIMAL(18,3)', 'first_trade_id': 'BIGINT', 'last_trade_id': 'BIGINT', 'transact_time': 'BIGINT', 'is_buyer_maker': 'BOOLEAN'}"
    for (const threads of [1, 2]) {
      const connection = await (await DuckDBInstance.create(':memory:', { threads: String(threads) })).connect()
      const sums =
        'sum(agg_trade_id), sum(price) px, sum(quantity), sum(first_trade_id), sum(last_trade_id), max(transact_time), count_if(is_buyer_maker)'
      const sql = `select ${sums} from read_csv('${file}', header = true, delim = ',', columns = ${types})`
      const ms = await medianMs(runs, async () => {
        const [row] = (await connection.runAndReadAll(sql)).getRowObjectsJson()
        if (String(row!['px']).replace('.', '') !== String(priceSum)) throw new Error('the sums of prices differ')
      })
      add(
        `DuckDB read_csv, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
        ms,
        'types given, a sum over every column',
      )
      connection.closeSync()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** csv-parse where somebody has installed it; it is no dependency of ours. */
async function addCsvParse(bytes: Uint8Array, add: Add): Promise<void> {
  const name = 'csv-parse'
  const found = (await import(`${name}/sync`).catch(() => undefined)) as
    | { parse(text: Uint8Array): string[][] }
    | undefined
  if (found === undefined) {
    add(name, Number.POSITIVE_INFINITY, 'absent: not installed here')
    return
  }
  const part = bytes.subarray(0, bytes.lastIndexOf(10, 20_000_000) + 1)
  const ms = await medianMs(1, () => found.parse(part))
  add(name, (ms * bytes.length) / part.length, 'text cells only, from a part of the file')
}
