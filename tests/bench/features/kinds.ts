import type { Column } from '../../../lib/features/column.ts'
import * as language from '../../../lib/features/column.ts'

/** How long a tool took for a kind of column over all symbols, and what came out. */
export type KindRun = {
  readonly cpuMs: number
  readonly wallMs: number
  /** Of the values that are there, each divided by its place's weight so that shifted ones do not pass. */
  readonly checksum: { readonly sum: number; readonly count: number }
}

export type FeatureRun = {
  readonly kinds: Readonly<Record<string, KindRun>>
  readonly set: { readonly cpuMs: number; readonly values: number; readonly features: number }
  readonly floorCpuMs: number
  readonly peakRssMb: number
}

const close = language.input('close')
const change = language.minus(language.divide(close, language.ago(close, '1m')), language.constant(1))

const maxAge = '9h'

/** Every kind of column, by the name both tools know it by. */
export const kinds: readonly { readonly name: string; readonly column: Column; readonly isAcross?: true }[] = [
  { name: 'lag, 60m', column: language.ago(close, '60m') },
  {
    name: 'return, 60m',
    column: language.minus(language.divide(close, language.ago(close, '60m')), language.constant(1)),
  },
  { name: 'rolling sum, 60m', column: language.sumOver(close, '60m') },
  { name: 'rolling mean, 24h', column: language.meanOver(close, '24h') },
  { name: 'rolling std of returns, 24h', column: language.stdOver(change, '24h') },
  { name: 'rolling max, 24h', column: language.maxOver(close, '24h') },
  { name: 'rolling slope, 60m', column: language.slopeOver(close, '60m') },
  { name: 'ewm, 1h within 24h', column: language.ewmOver(close, '1h', '24h') },
  { name: 'as-of join', column: language.asOf('funding', 'rate', maxAge) },
  { name: 'rolling rank, 60m', column: language.rankOver(close, '60m') },
  { name: 'rolling percentile, 24h', column: language.percentileOver(close, '24h') },
  { name: 'rolling percentile, 30d', column: language.percentileOver(close, '30d') },
  { name: 'rolling median, 60m', column: language.quantileOver(close, '60m', 0.5) },
  { name: 'rolling median, 24h', column: language.quantileOver(close, '24h', 0.5) },
  { name: 'rolling quantile 0.9, 24h', column: language.quantileOver(close, '24h', 0.9) },
  { name: 'cross-sectional rank', column: language.rankAcross(close), isAcross: true },
  { name: 'cross-sectional z-score', column: language.zScoreAcross(close), isAcross: true },
]

/** Prices in ticks and settlements of one symbol, the same in every process. */
export function symbolData(symbol: number, minutes: number) {
  let state = 2_654_435_761 + symbol * 97
  const draw = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
  let ticks = 500_000 + symbol * 1000
  const prices = Float64Array.from({ length: minutes }, () => {
    ticks = Math.max(1000, ticks + Math.round((draw() + draw() + draw() - 1.5) * 400))
    return ticks / 10
  })
  const settlements = Math.floor(minutes / 480) + 1
  const knownAtMs = Float64Array.from({ length: settlements }, (_, i) => startTsMs + i * 28_800_000)
  const rate = Float64Array.from({ length: settlements }, () => (draw() - 0.5) / 1000)
  return { prices, knownAtMs, rate }
}

export const startTsMs = Date.UTC(2025, 0, 1)

export class Checksum {
  sum = 0
  count = 0

  add(values: ArrayLike<number>): void {
    let sum = 0
    let count = 0
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      if (Number.isNaN(value)) continue
      // Weighted by its place, so that values in other rows do not pass.
      sum += value * (1 + (i % 1009) / 1009)
      count++
    }
    this.sum += sum
    this.count += count
  }
}

/** Processor and wall time of some work. */
export function timed(work: () => void): { cpuMs: number; wallMs: number } {
  const [startMs, before] = [performance.now(), process.cpuUsage()]
  work()
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - startMs }
}
