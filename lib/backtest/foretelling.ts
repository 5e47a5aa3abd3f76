import { lowerBound } from '../minute/bars.ts'
import type { BarSeries, ColumnSeries, MarketInput } from './market.ts'

export interface Foretelling {
  readonly column: string
  readonly symbol: string
  /** Over how many bars ahead. */
  readonly bars: number
  /** Spearman's. */
  readonly correlation: number
}

const horizons = [1, 5, 15, 60] as const
const rowsMax = 20_000
/** Returns over n bars overlap n times: so many independent ones are wanted, beside which 0.6 is more than eight standard
 *  errors. What is honest stays under a tenth; the worst that prices do by bouncing is some three tenths. */
const independentMin = 200
const suspicious = 0.6

/** Columns that go along with returns after they were known. A feature that was computed with its own future shows here,
 *  though the table that holds it cannot be computed again. The first symbol and horizon of each column. */
export function foretellingColumns({ symbols, intervalMs }: MarketInput): Foretelling[] {
  const found = new Map<string, Foretelling>()
  for (const { instrument, bars, columns } of symbols) {
    if (columns === undefined) continue
    const rows = matchingRows(bars, columns, intervalMs)
    for (const [column, values] of Object.entries(columns.values)) {
      if (found.has(column)) continue
      for (const ahead of horizons) {
        const correlation = correlationAhead(bars, values, rows, ahead)
        if (!(Math.abs(correlation) >= suspicious)) continue
        found.set(column, { column, symbol: instrument.symbol, bars: ahead, correlation })
        break
      }
    }
  }
  return [...found.values()]
}

/** The bar at whose close each row of the columns is known, or -1. */
function matchingRows({ openTsMs }: BarSeries, { knownAtMs }: ColumnSeries, intervalMs: number): Int32Array {
  return Int32Array.from(knownAtMs.subarray(0, rowsMax), (knownMs) => {
    const row = lowerBound(openTsMs, knownMs - intervalMs)
    return openTsMs[row] === knownMs - intervalMs ? row : -1
  })
}

function correlationAhead({ closePx }: BarSeries, values: Float64Array, rows: Int32Array, ahead: number): number {
  const known: number[] = []
  const later: number[] = []
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (row < 0 || row + ahead >= closePx.length || Number.isNaN(values[i]!)) continue
    known.push(values[i]!)
    later.push(closePx[row + ahead]! / closePx[row]! - 1)
  }
  return known.length / ahead < independentMin ? Number.NaN : correlationOf(ranksOf(known), ranksOf(later))
}

/** Equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): Float64Array {
  const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!)
  const ranks = new Float64Array(values.length)
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++
    for (let i = from; i < to; i++) ranks[order[i]!] = (from + to - 1) / 2
    from = to
  }
  return ranks
}

/** NaN where one of them is constant. */
function correlationOf(a: Float64Array, b: Float64Array): number {
  const mean = (a.length - 1) / 2
  let both = 0
  let squaresA = 0
  let squaresB = 0
  for (let i = 0; i < a.length; i++) {
    const [fromA, fromB] = [a[i]! - mean, b[i]! - mean]
    both += fromA * fromB
    squaresA += fromA * fromA
    squaresB += fromB * fromB
  }
  return both / Math.sqrt(squaresA * squaresB)
}
