import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { medianTimes } from './measure.ts'

/** What a process that only runs Polars has to say: its threads are fixed when it is loaded. */
export type PolarsRuns = {
  readonly ms: number
  readonly cpuMs: number
  readonly rows: number
  readonly sizeBytes: number
}

interface Polars {
  readonly Int64: unknown
  readonly Float64: unknown
  readonly Bool: unknown
  readCSV(path: string, options: { schema: Record<string, unknown> }): Frame
  readParquet(path: string): Frame
}
interface Frame {
  readonly height: number
  writeParquet(path: string, options: { compression: string }): void
}

const [work, folder, path, runs] = process.argv.slice(2) as ['parse' | 'read' | 'write', string, string, string]
const loaded = createRequire(join(folder, 'package.json'))('nodejs-polars') as { default?: Polars } & Polars
const pl = loaded.default ?? loaded
const columns = ['agg_trade_id', 'price', 'quantity', 'first_trade_id', 'last_trade_id', 'transact_time']
const schema = Object.fromEntries([
  ...columns.map((name) => [name, name === 'price' || name === 'quantity' ? pl.Float64 : pl.Int64]),
  ['is_buyer_maker', pl.Bool],
]) as Record<string, unknown>

let rows = 0
const copy = `${path}.polars`
const frame = work === 'write' ? pl.readParquet(path) : undefined
const times = await medianTimes(Number(runs), () => {
  if (frame !== undefined) frame.writeParquet(copy, { compression: 'zstd' })
  else rows = (work === 'parse' ? pl.readCSV(path, { schema }) : pl.readParquet(path)).height
})
const sizeBytes = work === 'write' ? readFileSync(copy).length : 0
process.stdout.write(JSON.stringify({ ...times, rows: frame?.height ?? rows, sizeBytes }))
process.exit(0)
