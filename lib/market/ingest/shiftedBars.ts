import { HOUR_MS, type Interval, MINUTE_MS, nextOpen, type TsMs } from '../../time.ts'
import { periodOf } from './filePeriod.ts'

/** Zones differ by quarters of an hour, and from UTC by fourteen hours at most. */
const zoneStepMs = 15 * MINUTE_MS
const zoneMsMax = 14 * HOUR_MS

/**
 * By how much the clock of a file of bars is shifted, as its edges tell: rows stand beyond one end of the period its name
 * says, and as much is missing at the other. Zero where nothing speaks for it.
 */
export function clockShiftMs(
  file: string,
  openTsMs: Float64Array,
  interval: Interval,
  partition: { readonly fromTsMs: TsMs; readonly toTsMs: TsMs },
): number {
  const period = periodOf(file)
  if (period === undefined || openTsMs.length === 0 || interval === '1M') return 0
  let [first, last] = [openTsMs[0]!, openTsMs[0]!]
  for (const at of openTsMs) {
    if (at < first) first = at
    if (at > last) last = at
  }
  const lateMs = nextOpen(last, interval) - period.toTsMs
  // A contract that began or ended within the period has no rows before or after.
  if (isZone(lateMs) && first - Math.max(period.fromTsMs, partition.fromTsMs) >= lateMs) return lateMs
  const earlyMs = period.fromTsMs - first
  const end = Math.min(period.toTsMs, partition.toTsMs)
  if (isZone(earlyMs) && end - nextOpen(last, interval) >= earlyMs) return -earlyMs
  return 0
}

const isZone = (shiftMs: number): boolean => shiftMs > 0 && shiftMs <= zoneMsMax && shiftMs % zoneStepMs === 0
