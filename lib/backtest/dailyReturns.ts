import { ceilTo, DAY_MS } from '../time.ts'

/** Daily closes at 00:00 UTC and simple returns between them. Days before the first midnight of the series and after the
 *  last are not whole and are left out, but for the day on which everything was lost: it ends with what was left. A midnight without a value repeats the one before: nothing was marked. */
export interface DailyReturns {
  /** Midnight that ends day i. */
  readonly closeTsMs: Float64Array
  readonly returns: Float64Array
  /** One more than returns: `values[0]` is where the first day began. */
  readonly values: Float64Array
}

export function dailyReturns(tsMs: Float64Array, values: Float64Array): DailyReturns {
  const closes: number[] = []
  const stamps: number[] = []
  for (let i = 0; i < tsMs.length; i++) {
    if (tsMs[i]! % DAY_MS !== 0) continue
    while (stamps.length > 0 && stamps.at(-1)! + DAY_MS < tsMs[i]!) {
      stamps.push(stamps.at(-1)! + DAY_MS)
      closes.push(closes.at(-1)!)
    }
    if (stamps.at(-1) === tsMs[i]) closes[closes.length - 1] = values[i]!
    else {
      stamps.push(tsMs[i]!)
      closes.push(values[i]!)
    }
  }
  const last = tsMs.length - 1
  if (last >= 0 && values[last]! <= 0 && stamps.length > 0 && tsMs[last]! > stamps.at(-1)!) {
    stamps.push(ceilTo(tsMs[last]!, DAY_MS))
    closes.push(values[last]!)
  }
  const days = Math.max(0, closes.length - 1)
  return {
    closeTsMs: Float64Array.from(stamps.slice(1)),
    returns: Float64Array.from({ length: days }, (_, i) => (closes[i]! > 0 ? closes[i + 1]! / closes[i]! - 1 : NaN)),
    values: Float64Array.from(closes),
  }
}

/** The benchmark's return of each of the run's days, NaN where it has none. */
export function alignDays(days: DailyReturns, to: DailyReturns): Float64Array {
  const byDay = new Map(Array.from(days.closeTsMs, (tsMs, i) => [tsMs, days.returns[i]!]))
  return Float64Array.from(to.closeTsMs, (tsMs) => byDay.get(tsMs) ?? NaN)
}
