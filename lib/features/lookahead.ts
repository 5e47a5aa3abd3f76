import { createRng, type Rng } from '../rng.ts'
import { evaluateFeatures } from './evaluate.ts'
import { type Feature, historyMs } from './feature.ts'
import type { Frame, Series } from './frame.ts'

/** A value that should not have changed, and did. */
export interface Leak {
  readonly kind: 'looksAhead' | 'warmupTooShort'
  readonly feature: string
  readonly group: string
  readonly symbol: string
  /** When the row was known. */
  readonly rowKnownAtMs: number
  /** What was changed: everything known after this instant, or everything before it. */
  readonly cutMs: number
}

/**
 * Tries each feature against its two promises. Rows known after an instant are dropped and drawn anew, and nothing up to it
 * may change; everything before a row's declared warm-up is cut off, and the row may not change. One leak of each kind is
 * reported for a feature. It cannot prove that there is none: it tries `cuts` instants, drawn from the seed.
 */
export function findLeaks(
  features: readonly Feature[],
  frames: readonly Frame[],
  options: { readonly seed: string | number; readonly cuts: number },
): Leak[] {
  const rng = createRng(options.seed, 'look-ahead')
  const [first] = frames
  if (first === undefined || first.rows === 0) return []
  const { startTsMs, intervalMs, rows } = first
  const cuts = Array.from({ length: options.cuts }, () => 1 + rng.below(rows))
  return features.flatMap((feature) => {
    const whole = evaluateFeatures([feature], frames)
    const compare = (kind: Leak['kind'], changed: readonly Frame[], fromRow: number, toRow: number, cutMs: number) => {
      const again = evaluateFeatures([feature], changed)
      for (const [s, { symbol, columns }] of whole.entries()) {
        const before = columns[feature.name]!
        const after = again[s]!.columns[feature.name]!
        const skipped = rows - after.length
        for (let row = fromRow; row < toRow; row++) {
          if (Object.is(before[row], after[row - skipped])) continue
          const rowKnownAtMs = startTsMs + (row + 1) * intervalMs
          return [{ kind, feature: feature.name, group: feature.group, symbol, rowKnownAtMs, cutMs }]
        }
      }
      return []
    }
    const ahead = firstOf(cuts, (cut) => {
      const cutMs = startTsMs + cut * intervalMs
      const other = frames.map((frame) => withOtherFuture(frame, cut, cutMs, rng))
      return compare('looksAhead', other, 0, cut, cutMs)
    })
    const needed = Math.ceil(historyMs(feature.column, intervalMs) / intervalMs)
    const short = firstOf(cuts, (cut) => {
      const row = cut - 1
      const skip = row - needed
      if (skip <= 0) return []
      const cutMs = startTsMs + skip * intervalMs
      return compare(
        'warmupTooShort',
        frames.map((frame) => laterStart(frame, skip)),
        row,
        row + 1,
        cutMs,
      )
    })
    return [...ahead, ...short]
  })
}

function firstOf(cuts: readonly number[], check: (cut: number) => Leak[]): Leak[] {
  for (const cut of cuts) {
    const found = check(cut)
    if (found.length > 0) return found
  }
  return []
}

function withOtherFuture(frame: Frame, fromRow: number, nowMs: number, rng: Rng): Frame {
  const redrawn = (values: Float64Array, isFuture: (row: number) => boolean) =>
    values.map((value, row) => (isFuture(row) ? (rng.below(10) === 0 ? Number.NaN : redraw(value, rng)) : value))
  return {
    ...frame,
    columns: mapValues(frame.columns, (values) => redrawn(values, (row) => row >= fromRow)),
    series: mapValues(frame.series, (series) => keepEntries(series, (tsMs) => tsMs <= nowMs)),
  }
}

const redraw = (value: number, rng: Rng): number => (Number.isNaN(value) ? rng.normal() : value * (0.5 + rng.uniform()))

function laterStart(frame: Frame, skip: number): Frame {
  const startTsMs = frame.startTsMs + skip * frame.intervalMs
  return {
    ...frame,
    startTsMs,
    rows: frame.rows - skip,
    columns: mapValues(frame.columns, (values) => values.slice(skip)),
    series: mapValues(frame.series, (series) => keepEntries(series, (tsMs) => tsMs >= startTsMs)),
  }
}

function keepEntries({ knownAtMs, fields }: Series, keeps: (tsMs: number) => boolean): Series {
  const rows = Array.from(knownAtMs.keys()).filter((row) => keeps(knownAtMs[row]!))
  const pick = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]!)
  return { knownAtMs: pick(knownAtMs), fields: mapValues(fields, pick) }
}

function mapValues<A, B>(all: Readonly<Record<string, A>>, of: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, of(value)]))
}
