import { DAY_MS, floorTo, HOUR_MS } from '../time.ts'

/** How far back outliers look: the scale is that of the day before the bar's own hour, and a return needs a bar before. */
export const outlierWarmupMs = 2 * DAY_MS

/** Fewer values than these say nothing about what is usual. */
const fewestValues = 360

/**
 * For each value how many times its size is that of the usual one, the mean size over the 24 hours before the hour it is
 * known in. NaN where too few are known. Each hour's scale is summed afresh, so that it does not depend on where the rows
 * begin.
 */
export function multiplesOfUsual(
  values: Float64Array,
  startTsMs: number,
  intervalMs: number,
  fewest = Math.min(fewestValues, (DAY_MS / intervalMs) >> 2),
): Float64Array {
  const result = new Float64Array(values.length).fill(Number.NaN)
  let scaleHourMs = Number.NaN
  let usual = Number.NaN
  for (let i = 0; i < values.length; i++) {
    const hourMs = floorTo(startTsMs + i * intervalMs, HOUR_MS)
    if (hourMs !== scaleHourMs) {
      scaleHourMs = hourMs
      const to = Math.ceil((hourMs - startTsMs) / intervalMs)
      usual = meanSize(values, to - DAY_MS / intervalMs, to, fewest)
    }
    result[i] = Math.abs(values[i]!) / usual
  }
  return result
}

function meanSize(values: Float64Array, from: number, to: number, fewest: number): number {
  let sum = 0
  let count = 0
  for (let i = Math.max(0, from); i < to; i++) {
    if (Number.isNaN(values[i]!)) continue
    sum += Math.abs(values[i]!)
    count++
  }
  return count < fewest || sum === 0 ? Number.NaN : sum / count
}
