import { cos, exp } from '../math.ts'
import { drawBits, inverseNormal } from '../rng.ts'

export const MINUTES_A_DAY = 1440

/** Activity by minute of the UTC day: two busy ends and a quiet middle, with mean square 1. */
export const activityCurve: Float64Array = (() => {
  const curve = new Float64Array(MINUTES_A_DAY)
  let squares = 0
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    curve[i] = 1 + 0.35 * cos((2 * Math.PI * i) / MINUTES_A_DAY) + 0.12 * cos((4 * Math.PI * i) / MINUTES_A_DAY)
    squares += curve[i]! * curve[i]!
  }
  const scale = Math.sqrt(MINUTES_A_DAY / squares)
  return curve.map((value) => value * scale)
})()

/** Share of the day's variance that has passed by the end of each minute. */
export const variancePassed: Float64Array = (() => {
  const passed = new Float64Array(MINUTES_A_DAY)
  let sum = 0
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    sum += (activityCurve[i]! * activityCurve[i]!) / MINUTES_A_DAY
    passed[i] = sum
  }
  passed[MINUTES_A_DAY - 1] = 1
  return passed
})()

const VOL_STEP_MINUTES = 5

/** A day of minute shocks with unit variance over the day, and the volatility multiplier each minute had. */
export type ShockDay = { readonly shock: Float64Array; readonly vol: Float64Array }

// One draw to begin with, one for each step of the volatility, two for each minute.
const drawn = new Uint32Array(1 + MINUTES_A_DAY / VOL_STEP_MINUTES + 2 * MINUTES_A_DAY)
/** As `Rng.normal` makes it. */
const normalOf = (bits: number): number => inverseNormal((bits + 0.5) / 4294967296)

/** Shocks cluster: log volatility is an autoregression over five-minute steps. One minute in 33 is drawn wider.
 *  @param room where they go: a reader of a thousand days needs each only until it has summed it up */
export function shockDay(
  seed: number | string,
  name: string,
  day: number,
  room: ShockDay = { shock: new Float64Array(MINUTES_A_DAY), vol: new Float64Array(MINUTES_A_DAY) },
): ShockDay {
  drawBits(drawn, seed, 'minutes', name, day)
  const { shock, vol } = room
  let at = 0
  let logVol = 0.35 * normalOf(drawn[at++]!)
  let level = 1
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    if (i % VOL_STEP_MINUTES === 0) {
      logVol = 0.97 * logVol + 0.085 * normalOf(drawn[at++]!)
      level = exp(logVol - 0.06)
    }
    const v = level * activityCurve[i]!
    vol[i] = v
    const z = normalOf(drawn[at++]!)
    shock[i] = v * 0.026352313834736494 * ((drawn[at++]! & 31) === 0 ? 2 * z : 0.95 * z) // 1440^-0.5
  }
  return room
}
