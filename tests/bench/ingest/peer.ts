import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { DuckDBInstance } from '@duckdb/node-api'

/** What a process that brought the same file into Parquet with something else has to say. */
export type PeerIngest = {
  readonly rows: number
  readonly sizeBytes: number
  readonly wallMs: number
  readonly unzipMs: number
  /** Its own and unzip's; 0 where the system does not tell. */
  readonly cpuMs: number
  readonly peakRssMb: number
}

const [path, tool, option] = process.argv.slice(2) as [string, 'duckdb' | 'polars', string]
const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-peer-'))
const [text, parquet] = [join(folder, 'trades.csv'), join(folder, 'trades.parquet')]

function unzip(): void {
  execFileSync('unzip', ['-p', path], { stdio: ['ignore', openSync(text, 'w'), 'inherit'] })
}

/** The columns our table has, with its types, sorted by construction as ours. */
async function duckdb(threads: string): Promise<number> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads })).connect()
  const types =
    "{'id': 'BIGINT', 'price': 'DECIMAL(18,8)', 'qty': 'DECIMAL(18,8)', 'quote_qty': 'DECIMAL(18,8)', 'time': 'BIGINT', 'is_buyer_maker': 'BOOLEAN'}"
  const rows = `select 'BTCUSDT' as symbol, id, price, qty, make_timestamp_ms(time) as ts, is_buyer_maker
    from read_csv('${text}', header = true, delim = ',', columns = ${types})`
  await connection.run(`copy (${rows}) to '${parquet}' (format parquet, compression zstd, parquet_version v2)`)
  const [row] = (await connection.runAndReadAll(`select count(*) as n from '${parquet}'`)).getRowObjectsJson()
  return Number(row!['n'])
}

/** Of this process and those it waited for, which Linux counts in hundredths of a second. */
function cpuMs(): number {
  const stat = '/proc/self/stat'
  if (!existsSync(stat)) return 0
  const fields = readFileSync(stat, 'utf8').split(') ')[1]!.split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * 10
}

interface Polars {
  readonly Int64: unknown
  readonly Float64: unknown
  readonly Bool: unknown
  readCSV(path: string, options: { schema: Record<string, unknown> }): Frame
}
interface Frame {
  readonly height: number
  select(...columns: string[]): Frame
  writeParquet(path: string, options: { compression: string }): void
}

/** Prices as doubles: its decimals are not what the reader of CSV makes. */
function polars(folder: string): number {
  const loaded = createRequire(join(folder, 'package.json'))('nodejs-polars') as { default?: Polars } & Polars
  const pl = loaded.default ?? loaded
  const frame = pl.readCSV(text, {
    schema: {
      id: pl.Int64,
      price: pl.Float64,
      qty: pl.Float64,
      quote_qty: pl.Float64,
      time: pl.Int64,
      is_buyer_maker: pl.Bool,
    },
  })
  frame.select('id', 'price', 'qty', 'time', 'is_buyer_maker').writeParquet(parquet, { compression: 'zstd' })
  return frame.height
}

try {
  const startMs = performance.now()
  unzip()
  const unzipMs = performance.now() - startMs
  const rows = tool === 'duckdb' ? await duckdb(option) : polars(option)
  const wallMs = performance.now() - startMs
  const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024)
  process.stdout.write(
    JSON.stringify({ rows, sizeBytes: statSync(parquet).size, wallMs, unzipMs, cpuMs: cpuMs(), peakRssMb }),
  )
} finally {
  rmSync(folder, { recursive: true })
}
process.exit(0)
