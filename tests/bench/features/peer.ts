import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { Checksum, type FeatureRun, type KindRun, startTsMs, symbolData, timed } from './kinds.ts'

const [symbolsText, minutesText, folder] = process.argv.slice(2) as [string, string, string]
const [symbols, minutes] = [Number(symbolsText), Number(minutesText)]

interface Expr {
  alias(name: string): Expr
  div(other: Expr): Expr
  max(): Expr
  mean(): Expr
  minus(other: Expr | number): Expr
  over(by: string): Expr
  rank(options: { method: string }): Expr
  rollingMax(options: Window): Expr
  rollingMean(options: Window): Expr
  rollingMedian(options: Window): Expr
  rollingQuantile(options: Window & { quantile: number; interpolation: string }): Expr
  rollingStd(options: Window): Expr
  rollingSum(options: Window): Expr
  shift(rows: number): Expr
  std(): Expr
}
type Window = { windowSize: number; minPeriods?: number }
interface Lazy {
  select(...columns: Expr[]): Lazy
  collectSync(): Frame
}
interface Frame {
  lazy(): Lazy
  getColumn(name: string): { toArray(): (number | null)[] }
  joinAsof(other: Frame, options: { on: string; strategy: 'backward' }): Frame
}
interface Polars {
  col(name: string): Expr
  DataFrame(columns: Record<string, Float64Array | Int32Array>): Frame
}

const loaded = createRequire(join(folder, 'package.json'))('nodejs-polars') as { default?: Polars } & Polars
const pl = loaded.default ?? loaded
const close = pl.col('close')
const change = close.div(close.shift(1)).minus(1)

/** What of `kinds` its expressions have. Its windows end at 32,767 rows, and its ewm never forgets. */
const expressions: Readonly<Record<string, Expr>> = {
  'lag, 60m': close.shift(60),
  'return, 60m': close.div(close.shift(60)).minus(1),
  'rolling sum, 60m': close.rollingSum({ windowSize: 60 }),
  'rolling mean, 24h': close.rollingMean({ windowSize: 1440 }),
  'rolling std of returns, 24h': change.rollingStd({ windowSize: 1440 }),
  'rolling max, 24h': close.rollingMax({ windowSize: 1440 }),
  'rolling median, 60m': close.rollingMedian({ windowSize: 60 }),
  'rolling median, 24h': close.rollingMedian({ windowSize: 1440 }),
  'rolling quantile 0.9, 24h': close.rollingQuantile({ windowSize: 1440, quantile: 0.9, interpolation: 'linear' }),
}
const across: Readonly<Record<string, Expr>> = {
  'cross-sectional rank': close.rank({ method: 'average' }).over('minute'),
  'cross-sectional z-score': close.minus(close.mean()).div(close.std()).over('minute'),
}

const valuesOf = (frame: Frame, name: string): Float64Array =>
  Float64Array.from(frame.getColumn(name).toArray(), (value) => value ?? Number.NaN)

function measured(makes: Iterable<() => Frame>, column: string): KindRun {
  const checksum = new Checksum()
  let [cpuMs, wallMs] = [0, 0]
  for (const make of makes) {
    let frame: Frame | undefined
    const took = timed(() => {
      frame = make()
    })
    const values = valuesOf(frame!, column)
    for (let from = 0; from < values.length; from += minutes) checksum.add(values.subarray(from, from + minutes))
    cpuMs += took.cpuMs
    wallMs += took.wallMs
  }
  return { cpuMs, wallMs, checksum: { sum: checksum.sum, count: checksum.count } }
}

function* eachSymbol(expression: Expr): Generator<() => Frame> {
  const made = expression.alias('made')
  for (let symbol = 0; symbol < symbols; symbol++) {
    const frame = pl.DataFrame({ close: symbolData(symbol, minutes).prices })
    yield () => frame.lazy().select(made).collectSync()
  }
}

function* allSymbols(expression: Expr): Generator<() => Frame> {
  const prices = new Float64Array(symbols * minutes)
  for (let symbol = 0; symbol < symbols; symbol++) prices.set(symbolData(symbol, minutes).prices, symbol * minutes)
  const minute = Int32Array.from({ length: symbols * minutes }, (_, i) => i % minutes)
  const frame = pl.DataFrame({ close: prices, minute })
  yield () => frame.lazy().select(expression.alias('made')).collectSync()
}

/** The newest settlement that is known when a minute is; none is older than the oldest we would take. */
function* joins(): Generator<() => Frame> {
  for (let symbol = 0; symbol < symbols; symbol++) {
    const { knownAtMs, rate } = symbolData(symbol, minutes)
    const rows = pl.DataFrame({ tsMs: Float64Array.from({ length: minutes }, (_, i) => startTsMs + (i + 1) * 60_000) })
    const series = pl.DataFrame({ tsMs: knownAtMs, rate })
    yield () => rows.joinAsof(series, { on: 'tsMs', strategy: 'backward' })
  }
}

const kinds: Record<string, KindRun> = {}
for (const [name, expression] of Object.entries(expressions)) kinds[name] = measured(eachSymbol(expression), 'made')
kinds['as-of join'] = measured(joins(), 'rate')
for (const [name, expression] of Object.entries(across)) kinds[name] = measured(allSymbols(expression), 'made')
const said: Pick<FeatureRun, 'kinds' | 'peakRssMb'> = {
  kinds,
  peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
}
process.stdout.write(JSON.stringify(said))
process.exit(0)
