import type { Frame, Series } from '../../../lib/features/frame.ts'
import { fundingSeries } from '../../../lib/features/frame.ts'
import { createRng } from '../../../lib/rng.ts'

export const minuteMs = 60_000
export const startTsMs = Date.UTC(2024, 0, 1)

const inputs = [
  'close',
  'quoteVolume',
  'takerBuyQuote',
  'mark',
  'index',
  'fundingEstimate',
  'openInterest',
  'spotQuoteVolume',
  'spotTakerBuyQuote',
]

/** Minutes with everything the feature set reads; `gapsIn1000` of them are missing. */
export function randomFrame(seed: number, rows: number, gapsIn1000: number, symbol = 'AUSDT'): Frame {
  const columns: Record<string, Float64Array> = {}
  for (const name of inputs) {
    const rng = createRng(seed, symbol, name)
    let level = 100
    columns[name] = Float64Array.from({ length: rows }, () => (level *= 1 + 0.001 * rng.normal()))
  }
  const rng = createRng(seed, symbol, 'gaps')
  for (let i = 0; i < rows; i++) if (rng.below(1000) < gapsIn1000) for (const name of inputs) columns[name]![i] = NaN

  const settlements = Math.floor((rows * minuteMs) / (8 * 3_600_000)) + 100
  const funding = fundingSeries({
    // Begins a month before the minutes, so that percentiles have their history.
    tsMs: Float64Array.from({ length: settlements }, (_, i) => startTsMs + (i - 99) * 8 * 3_600_000),
    rate: Float64Array.from({ length: settlements }, () => 0.0001 * rng.normal()),
  })
  return { symbol, intervalMs: minuteMs, startTsMs, rows, columns, series: { funding } }
}

/** The frame as it stood at `nowMs`, with another future in place of what is not known yet. */
export function otherFuture(frame: Frame, nowMs: number, seed: number): Frame {
  const other = randomFrame(seed, frame.rows, 100, frame.symbol)
  const known = Math.floor((nowMs - frame.startTsMs) / frame.intervalMs)
  const columns: Record<string, Float64Array> = {}
  for (const name of Object.keys(frame.columns)) {
    columns[name] = other.columns[name]!.slice()
    columns[name]!.set(frame.columns[name]!.subarray(0, known))
  }
  return { ...frame, columns, series: mapSeries(frame.series, (tsMs) => tsMs <= nowMs) }
}

/** The frame without what was known before `fromMs`; its grid begins there. */
export function laterStart(frame: Frame, fromMs: number): Frame {
  const skip = Math.max(0, Math.ceil((fromMs - frame.startTsMs) / frame.intervalMs))
  const columns: Record<string, Float64Array> = {}
  for (const name of Object.keys(frame.columns)) columns[name] = frame.columns[name]!.slice(skip)
  const begins = frame.startTsMs + skip * frame.intervalMs
  return {
    ...frame,
    startTsMs: begins,
    rows: frame.rows - skip,
    columns,
    series: mapSeries(frame.series, (tsMs) => tsMs >= fromMs),
  }
}

function mapSeries(all: Readonly<Record<string, Series>>, keeps: (tsMs: number) => boolean): Record<string, Series> {
  return Object.fromEntries(
    Object.entries(all).map(([name, series]) => {
      const rows = Array.from(series.knownAtMs.keys()).filter((i) => keeps(series.knownAtMs[i]!))
      const pick = (values: Float64Array) => Float64Array.from(rows, (i) => values[i]!)
      const fields = Object.fromEntries(Object.entries(series.fields).map(([field, v]) => [field, pick(v)]))
      return [name, { knownAtMs: pick(series.knownAtMs), fields }]
    }),
  )
}
