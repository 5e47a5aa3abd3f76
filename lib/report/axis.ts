import { DAY_MS, dayOf, HOUR_MS, monthOf, monthStart, nextMonth } from '../time.ts'

export interface Tick {
  /** Along the axis, from 0 to 1. */
  readonly place: number
  readonly value: number
}

export interface Axis {
  readonly low: number
  readonly high: number
  readonly ticks: readonly Tick[]
  /** Digits behind the point that tell neighbouring ticks apart. */
  readonly digits: number
}

/** Round numbers that enclose the values: steps of 1, 2 or 5 times a power of ten. */
export function valueAxis(low: number, high: number, ticksMax = 5): Axis {
  // A flat line gets room on both sides: an axis needs a length.
  if (!(high > low)) return valueAxis(low - (Math.abs(low) * 0.1 || 1), low + (Math.abs(low) * 0.1 || 1), ticksMax)
  const { step, digits } = roundStep((high - low) / ticksMax)
  const first = Math.floor(low / step)
  const last = Math.ceil(high / step)
  const ticks: Tick[] = []
  for (let k = first; k <= last; k++) ticks.push({ value: k * step, place: (k - first) / (last - first) })
  return { low: first * step, high: last * step, ticks, digits }
}

/** The smallest round step that is not below `raw`. Powers by multiplication: a logarithm's last digit could differ. */
function roundStep(raw: number): { step: number; digits: number } {
  let power = 1
  let digits = 0
  while (power * 10 <= raw) power *= 10
  while (power > raw && digits < 12) {
    digits++
    power = Number(`1e-${digits}`)
  }
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= raw * (1 - 1e-9)) ?? 10
  return { step: factor * power, digits: factor === 10 ? Math.max(0, digits - 1) : digits }
}

export interface TimeTick {
  readonly place: number
  readonly label: string
}

/** Beginnings of months, or of days or hours where the range is short: at most `ticksMax` of them. */
export function timeTicks(fromMs: number, toMs: number, ticksMax = 6): TimeTick[] {
  if (!(toMs > fromMs)) return []
  const at = (tsMs: number, label: string): TimeTick => ({ place: (tsMs - fromMs) / (toMs - fromMs), label })
  const spanMs = toMs - fromMs

  const steady = [HOUR_MS, 6 * HOUR_MS, DAY_MS, 2 * DAY_MS, 7 * DAY_MS, 14 * DAY_MS].find(
    (step) => spanMs / step <= ticksMax,
  )
  if (steady !== undefined) {
    const ticks: TimeTick[] = []
    for (let tsMs = Math.ceil(fromMs / steady) * steady; tsMs <= toMs; tsMs += steady) {
      ticks.push(at(tsMs, steady < DAY_MS ? clockOf(tsMs) : dayOf(tsMs).slice(5)))
    }
    return ticks
  }

  const months: string[] = []
  for (let month = monthOf(fromMs); monthStart(month) <= toMs; month = nextMonth(month)) {
    if (monthStart(month) >= fromMs) months.push(month)
  }
  const every = [1, 2, 3, 6, 12, 24, 60, 120].find((step) => months.length / step <= ticksMax) ?? 240
  // Counted from January, so that a yearly tick is a new year.
  const index = (month: string): number => Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1
  return months.filter((month) => index(month) % every === 0).map((month) => at(monthStart(month), month))
}

const clockOf = (tsMs: number): string => {
  const hour = Math.floor((tsMs % DAY_MS) / HOUR_MS)
  return hour === 0 ? dayOf(tsMs).slice(5) : `${String(hour).padStart(2, '0')}:00`
}
