import { log } from '../math.ts'
import type { AcrossFunction, BinaryFunction, CalendarSpan, UnaryFunction } from './column.ts'
import type { Frame, Series } from './frame.ts'

export function applyUnary(fn: UnaryFunction, src: Float64Array, dst: Float64Array): void {
  const n = dst.length
  switch (fn) {
    case 'negative':
      for (let i = 0; i < n; i++) dst[i] = -src[i]!
      return
    case 'absolute':
      for (let i = 0; i < n; i++) dst[i] = Math.abs(src[i]!)
      return
    case 'root':
      for (let i = 0; i < n; i++) dst[i] = Math.sqrt(src[i]!)
      return
    case 'logarithm':
      for (let i = 0; i < n; i++) dst[i] = log(src[i]!)
      return
    case 'sign':
      for (let i = 0; i < n; i++) dst[i] = Math.sign(src[i]!)
  }
}

export function applyBinary(fn: BinaryFunction, left: Float64Array, right: Float64Array, dst: Float64Array): void {
  const n = dst.length
  switch (fn) {
    case 'plus':
      for (let i = 0; i < n; i++) dst[i] = left[i]! + right[i]!
      return
    case 'minus':
      for (let i = 0; i < n; i++) dst[i] = left[i]! - right[i]!
      return
    case 'times':
      for (let i = 0; i < n; i++) dst[i] = left[i]! * right[i]!
      return
    case 'over':
      quotients(left, right, 0, 0, dst)
      return
    case 'least':
      for (let i = 0; i < n; i++) dst[i] = Math.min(left[i]!, right[i]!)
      return
    case 'most':
      for (let i = 0; i < n; i++) dst[i] = Math.max(left[i]!, right[i]!)
      return
    case 'notMore':
      for (let i = 0; i < n; i++) {
        const isKnown = !Number.isNaN(left[i]!) && !Number.isNaN(right[i]!)
        dst[i] = isKnown ? (left[i]! <= right[i]! ? 1 : 0) : NaN
      }
      return
    case 'where':
      for (let i = 0; i < n; i++) dst[i] = right[i]! === 0 || Number.isNaN(right[i]!) ? NaN : left[i]!
  }
}

/** The same with one number at the right, for what is most often done with a number. False where it is another operator. */
export function applyNumber(fn: BinaryFunction, left: Float64Array, right: number, dst: Float64Array): boolean {
  const n = dst.length
  switch (fn) {
    case 'plus':
      for (let i = 0; i < n; i++) dst[i] = left[i]! + right
      return true
    case 'minus':
      for (let i = 0; i < n; i++) dst[i] = left[i]! - right
      return true
    case 'times':
      for (let i = 0; i < n; i++) dst[i] = left[i]! * right
      return true
    default:
      return false
  }
}

/** Values over values so many rows before, less a number: what a return is, in one pass. NaN where the divisor is zero.
 *  Four rows share one question for a zero: a choice for each value keeps the processor from dividing several at once,
 *  which takes more than twice as long. */
export function quotients(
  left: Float64Array,
  right: Float64Array,
  rows: number,
  less: number,
  dst: Float64Array,
): void {
  const n = dst.length
  let i = Math.min(rows, n)
  dst.fill(NaN, 0, i)
  for (; i + 4 <= n; i += 4) {
    const r0 = right[i - rows]!
    const r1 = right[i - rows + 1]!
    const r2 = right[i - rows + 2]!
    const r3 = right[i - rows + 3]!
    if (r0 === 0 || r1 === 0 || r2 === 0 || r3 === 0) {
      for (let k = i; k < i + 4; k++) dst[k] = right[k - rows] === 0 ? NaN : left[k]! / right[k - rows]! - less
    } else {
      dst[i] = left[i]! / r0 - less
      dst[i + 1] = left[i + 1]! / r1 - less
      dst[i + 2] = left[i + 2]! / r2 - less
      dst[i + 3] = left[i + 3]! / r3 - less
    }
  }
  for (; i < n; i++) dst[i] = right[i - rows] === 0 ? NaN : left[i]! / right[i - rows]! - less
}

/** The rows, from one up to another, at which an entry is the newest that is known and not older than `maxAgeMs`; entry by
 *  entry. No such rows belong to one that the next follows at once. */
export function forNewest(
  { startTsMs, intervalMs, rows }: Frame,
  { knownAtMs }: Series,
  maxAgeMs: number,
  take: (entry: number, from: number, to: number) => void,
): void {
  for (let entry = 0; entry < knownAtMs.length; entry++) {
    const knownMs = knownAtMs[entry]!
    const from = Math.max(0, rowKnownAt(knownMs, startTsMs, intervalMs))
    const next = entry + 1 < knownAtMs.length ? rowKnownAt(knownAtMs[entry + 1]!, startTsMs, intervalMs) : rows
    const to = Math.min(next, rows, Math.floor((knownMs + maxAgeMs - startTsMs) / intervalMs))
    if (from < to) take(entry, from, to)
  }
}

/** The first row that is known no earlier than an instant: row i is at startTsMs + (i + 1) × intervalMs. */
const rowKnownAt = (tsMs: number, startTsMs: number, intervalMs: number): number =>
  Math.ceil((tsMs - startTsMs) / intervalMs) - 1

/** For each entry its percentile among the entries of the span that ends with it; NaN where one of them is, and where no
 *  entry shows, at most `maxAgeMs` before the span, that the series reaches back so far. */
export function percentileOverSpan(series: Series, field: string, spanMs: number, maxAgeMs: number): Float64Array {
  const { knownAtMs } = series
  const values = series.fields[field]!
  const result = new Float64Array(values.length).fill(NaN)
  let first = 0
  for (let i = 0; i < values.length; i++) {
    const startMs = knownAtMs[i]! - spanMs
    while (knownAtMs[first]! <= startMs) first++
    const before = first === 0 ? Number.NEGATIVE_INFINITY : knownAtMs[first - 1]!
    if (startMs - before >= maxAgeMs) continue
    let less = 0
    let notMore = 0
    let isKnown = true
    for (let k = first; k <= i; k++) {
      if (Number.isNaN(values[k]!)) isKnown = false
      if (values[k]! < values[i]!) less++
      if (values[k]! <= values[i]!) notMore++
    }
    if (isKnown) result[i] = (less + notMore + 1) / 2 / (i - first + 1)
  }
  return result
}

export function applyCalendar(spans: readonly CalendarSpan[], frame: Frame, dst: Float64Array): void {
  dst.fill(0)
  for (const { fromMs, toMs, knownAtMs } of spans) {
    // A row's instant is when it is known, its close.
    const rowAt = (tsMs: number) => Math.ceil((tsMs - frame.startTsMs) / frame.intervalMs) - 1
    const from = Math.max(0, rowAt(Math.max(fromMs, knownAtMs)))
    const to = Math.min(dst.length, Math.max(0, rowAt(toMs)))
    if (from < to) dst.fill(1, from, to)
  }
}

/** One row after the other over all symbols. `sources` are in the order of the sorted symbols, so that sums do not
 *  depend on how the symbols were listed. */
export function applyAcross(fn: AcrossFunction, sources: readonly Float64Array[], dsts: readonly Float64Array[]): void {
  const rows = sources[0]?.length ?? 0
  const values = new Float64Array(sources.length)
  const who = new Int32Array(sources.length)
  for (let i = 0; i < rows; i++) {
    let count = 0
    for (let s = 0; s < sources.length; s++) {
      const value = sources[s]![i]!
      dsts[s]![i] = NaN
      if (Number.isNaN(value)) continue
      values[count] = value
      who[count++] = s
    }
    if (fn === 'zScore') scoreRow(values, who, count, dsts, i)
    else rankRow(values, who, count, dsts, i, fn === 'percentile')
  }
}

function scoreRow(values: Float64Array, who: Int32Array, count: number, dsts: readonly Float64Array[], i: number) {
  // Equal values have no spread, but their mean may be a rounding away from them and would give them one.
  let k0 = 1
  while (k0 < count && values[k0] === values[0]) k0++
  if (k0 >= count) return
  let total = 0
  for (let k = 0; k < count; k++) total += values[k]!
  const mean = total / count
  let squares = 0
  for (let k = 0; k < count; k++) squares += (values[k]! - mean) * (values[k]! - mean)
  const spread = Math.sqrt(squares / (count - 1))
  if (!(spread > 0)) return
  for (let k = 0; k < count; k++) dsts[who[k]!]![i] = (values[k]! - mean) / spread
}

function rankRow(
  values: Float64Array,
  who: Int32Array,
  count: number,
  dsts: readonly Float64Array[],
  i: number,
  asShare: boolean,
): void {
  // Insertion: a row is a few dozen symbols, where nothing cleverer is faster.
  for (let k = 1; k < count; k++) {
    const value = values[k]!
    const owner = who[k]!
    let j = k - 1
    while (j >= 0 && values[j]! > value) {
      values[j + 1] = values[j]!
      who[j + 1] = who[j]!
      j--
    }
    values[j + 1] = value
    who[j + 1] = owner
  }
  for (let k = 0; k < count; ) {
    let end = k + 1
    while (end < count && values[end] === values[k]) end++
    const rank = (k + 1 + end) / 2
    for (; k < end; k++) dsts[who[k]!]![i] = asShare ? rank / count : rank
  }
}
