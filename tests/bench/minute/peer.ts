import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { DuckDBInstance } from '@duckdb/node-api'
import type { MinuteRun } from './ours.ts'
import { barFields } from './sameBars.ts'

const [path, tool, option, resultPath] = process.argv.slice(2) as [string, 'duckdb' | 'copy' | 'polars', string, string]

/** The bars alone. Prices and volumes exact; turnovers as doubles, for exact ones would not fit its fast decimals. */
const sql = `
  select time_bucket(interval '1 minute', tsMs) as bar,
    arg_min(price, tradeId) as open, max(price) as high, min(price) as low, arg_max(price, tradeId) as close,
    count(*) as count, sum(qty) as volume, sum(qty) filter (not isBuyerMaker) as buy,
    sum(price::double * qty::double) as quote,
    sum(price::double * qty::double) filter (not isBuyerMaker) as buyQuote
  from '${path}' group by bar order by bar`

async function duckdb(threads: string): Promise<() => Promise<Float64Array>> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads })).connect()
  return async () => {
    const columns = (await connection.runAndReadAll(sql)).getColumns()
    const bars = columns[0]!.length
    const result = new Float64Array(bars * barFields.length)
    columns.forEach((values, field) => {
      for (let bar = 0; bar < bars; bar++) result[bar * barFields.length + field] = unitsOf(values[bar], field)
    })
    return result
  }
}

/** A stamp in milliseconds, a count as it is, decimals in units of 10^-8. */
function unitsOf(value: unknown, field: number): number {
  if (value === null) return 0
  if (typeof value === 'number') return value * 1e8
  if (typeof value === 'bigint') return Number(value)
  const named = value as { micros?: bigint; millis?: bigint; value?: bigint }
  if (field === 0) return named.millis === undefined ? Number(named.micros! / 1000n) : Number(named.millis)
  return Number(named.value)
}

interface Expr {
  alias(name: string): Expr
  cast(type: unknown): Expr
  count(): Expr
  filter(by: Expr): Expr
  first(): Expr
  last(): Expr
  max(): Expr
  min(): Expr
  minus(other: Expr): Expr
  modulo(by: number): Expr
  mul(other: Expr): Expr
  not(): Expr
  sum(): Expr
}
interface Lazy {
  select(...columns: Expr[]): Lazy
  groupBy(by: string): { agg(...columns: Expr[]): Lazy }
  sort(by: string): Lazy
  collectSync(): { getColumn(name: string): { toArray(): unknown[] } }
}
interface Polars {
  readonly Int64: unknown
  readonly Float64: unknown
  col(name: string): Expr
  scanParquet(path: string): Lazy
}

/** As doubles, its sums of decimals being what is slow there. Rows are in the order of ids. */
function polars(folder: string): () => Float64Array {
  const loaded = createRequire(join(folder, 'package.json'))('nodejs-polars') as { default?: Polars } & Polars
  const pl = loaded.default ?? loaded
  const { col } = pl
  return () => {
    const price = col('price').cast(pl.Float64)
    const stamp = col('tsMs').cast(pl.Int64)
    const qty = col('qty').cast(pl.Float64)
    const frame = pl
      .scanParquet(path)
      .select(
        stamp.minus(stamp.modulo(60_000)).alias('bar'),
        price.alias('price'),
        qty.alias('qty'),
        price.mul(qty).alias('quote'),
        col('isBuyerMaker').not().alias('isBuy'),
      )
      .groupBy('bar')
      .agg(
        col('price').first().alias('open'),
        col('price').max().alias('high'),
        col('price').min().alias('low'),
        col('price').last().alias('close'),
        col('price').count().alias('count'),
        col('qty').sum().alias('volume'),
        col('qty').filter(col('isBuy')).sum().alias('takerBuyVolume'),
        col('quote').sum().alias('quoteVolume'),
        col('quote').filter(col('isBuy')).sum().alias('takerBuyQuoteVolume'),
      )
      .sort('bar')
      .collectSync()
    const stamps = frame.getColumn('bar').toArray()
    const result = new Float64Array(stamps.length * barFields.length)
    barFields.forEach((name, field) => {
      const values = name === 'openTsMs' ? stamps : frame.getColumn(name).toArray()
      const unit = name === 'openTsMs' || name === 'count' ? 1 : 1e8
      for (let bar = 0; bar < stamps.length; bar++) {
        const number = Number(values[bar]) * unit
        result[bar * barFields.length + field] = unit === 1e8 && !name.includes('uote') ? Math.round(number) : number
      }
    })
    return result
  }
}

if (tool === 'copy') {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect()
  await connection.run(`copy (select * from '${path}') to '${resultPath}' (format parquet, compression zstd)`)
  process.stdout.write('null')
} else {
  const run = tool === 'duckdb' ? await duckdb(option) : polars(option)
  await run()
  const [startMs, before] = [performance.now(), process.cpuUsage()]
  const bars = await run()
  const wallMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(before)
  writeFileSync(resultPath, new Uint8Array(bars.buffer, bars.byteOffset, bars.byteLength))
  const said: MinuteRun = {
    wallMs,
    cpuMs: (user + system) / 1000,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }
  process.stdout.write(JSON.stringify(said))
}
process.exit(0)
