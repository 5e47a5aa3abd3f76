import { int64ToFloat64, int64Words } from '../tables/columnChecks.ts'
import { type BigInts, bigAt, bigsToFloat64, isWide } from '../tables/wideInts.ts'
import type { Bars } from './bars.ts'

/** Bar by bar 1 where it does not contradict itself, else 0. Column by column: a bigint for each of ten values of a bar
 *  took more time than all else that a minute is made of. */
export function soundBars(bars: Bars): Uint8Array {
  const { open, high, low, close, volume, quoteVolume, count } = bars
  const sound = new Uint8Array(count.length).fill(1)
  keepAtMost(sound, low, open)
  keepAtMost(sound, open, high)
  keepAtMost(sound, low, close)
  keepAtMost(sound, close, high)
  keepAtMost(sound, bars.takerBuyVolume, volume)
  keepAtMost(sound, bars.takerBuyQuoteVolume, quoteVolume)
  // Rounding to a double leaves the sign as it is, and makes zero of nothing else.
  const [lowest, base, quote] = [int64ToFloat64(low), bigsToFloat64(volume), bigsToFloat64(quoteVolume)]
  for (let i = 0; i < sound.length; i++) {
    const isFlat = () => base[i] === 0 && quote[i] === 0 && low[i] === high[i]
    if (!(lowest[i]! > 0) || !(count[i] === 0 ? isFlat() : base[i]! > 0)) sound[i] = 0
  }
  return sound
}

/** Clears the rows whose `a` is more than their `b`. */
function keepAtMost(kept: Uint8Array, a: BigInts, b: BigInts): void {
  if (isWide(a) || isWide(b)) {
    for (let i = 0; i < kept.length; i++) if (bigAt(a, i) > bigAt(b, i)) kept[i] = 0
    return
  }
  const [x, y] = [int64Words(a), int64Words(b)]
  for (let i = 0; i < kept.length; i++) {
    const [xHigh, yHigh] = [x[2 * i + 1]!, y[2 * i + 1]!]
    if (xHigh > yHigh || (xHigh === yHigh && x[2 * i]! >>> 0 > y[2 * i]! >>> 0)) kept[i] = 0
  }
}
