import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { FileSet } from '../../lib/artifact.ts'
import { buildMinutes } from '../../lib/minute/buildMinute.ts'
import { createRng } from '../../lib/rng.ts'
import { tableWriter } from '../../lib/tables/parquetWriter.ts'
import { makeTable } from '../../lib/tables/table.ts'
import { tradeTable } from '../../lib/tables/trades.ts'
import { DAY_MS, MINUTE_MS } from '../../lib/time.ts'
import { type Bench, comparedTo, medianMs, type Row, rounded } from './measure.ts'

const fromMs = Date.UTC(2026, 0, 1)
const tradesPerDay = 1_000_000

/** A file of trades to the minute table, against the same bars by SQL over the same file. */
export const bench: Bench = {
  name: 'minute',
  async run({ quick }) {
    const days = quick ? 3 : 30
    const runs = quick ? 3 : 3
    const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-'))
    const path = join(folder, 'table.parquet')
    try {
      writeTrades(path, days)
      const rate = (ms: number) => rounded((days * tradesPerDay) / ms / 1000)
      const name = 'minutes from trades, tickpipe'
      let mostBytes = 0
      const ms = await medianMs(runs, () => {
        for (const table of minutesOf(path, days)) {
          if (table.rowCount === 0) throw new Error('a day without bars')
          mostBytes = Math.max(mostBytes, process.memoryUsage().rss)
        }
      })
      const rows: Row[] = [
        {
          name,
          value: rate(ms),
          unit: 'M trades/s',
          note: `${days} M trades, all columns of the minute table, 1 thread`,
        },
      ]
      for (const threads of [1, 2]) {
        const connection = await (await DuckDBInstance.create(':memory:', { threads: String(threads) })).connect()
        const took = await medianMs(runs, () => connection.runAndReadAll(sqlOf(path)))
        rows.push({ name: `bars by SQL, DuckDB, threads: ${threads}`, value: rate(took), unit: 'M trades/s' })
        connection.closeSync()
      }
      return [
        ...comparedTo(name, rows),
        { name: 'most memory held at the end of a day', value: rounded(mostBytes / 2 ** 20), unit: 'MiB' },
      ]
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

function minutesOf(path: string, days: number) {
  const fd = openSync(path, 'r')
  const files: FileSet = {
    names: ['table.parquet'],
    sizeBytes: () => statSync(path).size,
    read: () => new Uint8Array(0),
    readAt: (_, offset, lengthBytes) => {
      const bytes = new Uint8Array(lengthBytes)
      readSync(fd, bytes, 0, lengthBytes, offset)
      return bytes
    },
  }
  const options = {
    symbol: 'BTCUSDT',
    fromMs,
    toMs: fromMs + days * DAY_MS,
    intervalMs: MINUTE_MS,
    klineMs: MINUTE_MS,
    priceMs: MINUTE_MS,
    barsFrom: 'trades',
    outageMs: 5 * MINUTE_MS,
    stalenessMaxMs: 5 * MINUTE_MS,
    indexDeviationMax: 0.05,
    openInterestMaxAgeMs: 15 * MINUTE_MS,
    fundingRule: { interest8h: 0.0001, clamp: 0.0005, cap: 0.02 },
  } as const
  return (function* () {
    try {
      yield* buildMinutes({ trades: [{ files }] }, options)
    } finally {
      closeSync(fd)
    }
  })()
}

function writeTrades(path: string, days: number): void {
  const fd = openSync(path, 'w')
  const writer = tableWriter(tradeTable, (bytes) => {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
  })
  const rng = createRng(1, 'trades')
  let tick = 650_000n
  let id = 1_000_000_000n
  for (let day = 0; day < days; day++) {
    const price = new BigInt64Array(tradesPerDay)
    const qty = new BigInt64Array(tradesPerDay)
    const tradeId = new BigInt64Array(tradesPerDay)
    const tsMs = new Float64Array(tradesPerDay)
    const isBuyerMaker = new Uint8Array(tradesPerDay)
    for (let i = 0; i < tradesPerDay; i++) {
      const draw = rng.bits()
      if (draw % 4 === 0) tick += draw & 16 ? 1n : -1n
      price[i] = tick * 10_000_000n
      const lots = BigInt(1 + (draw % 997))
      qty[i] = lots * 100_000n
      tradeId[i] = id++
      tsMs[i] = fromMs + day * DAY_MS + Math.floor((i * DAY_MS) / tradesPerDay)
      isBuyerMaker[i] = (draw >> 8) & 1
    }
    const symbol = new Array<string>(tradesPerDay).fill('BTCUSDT')
    writer.append(makeTable(tradeTable, { symbol, tradeId, price, qty, tsMs, isBuyerMaker }))
  }
  writer.finish()
  closeSync(fd)
}

const sqlOf = (path: string): string => `
  select time_bucket(interval '1 minute', tsMs) as bar,
    arg_min(price, tradeId), max(price), min(price), arg_max(price, tradeId), count(*),
    sum(qty), sum(price * qty), sum(qty) filter (not isBuyerMaker), sum(price * qty) filter (not isBuyerMaker)
  from '${path}' group by bar order by bar`
