import { formatScaled } from '../decimal.ts'
import { exp } from '../math.ts'
import { createRng, type Rng } from '../rng.ts'
import { DAY_MS, MINUTE_MS, type TsMs } from '../time.ts'
import { markAt } from './funding.ts'
import type { Instrument } from './instrument.ts'
import type { Market } from './market.ts'

export const FIVE_MINUTES_MS = 5 * MINUTE_MS
const STEPS_A_DAY = DAY_MS / FIVE_MINUTES_MS

/** Long/short ratios the venue publishes, in 10^-8. */
export type Ratios = {
  readonly topAccounts: number
  readonly topPositions: number
  readonly allAccounts: number
}

/** Open interest in lots at an instant on the five-minute grid. */
export function openInterestLots(market: Market, instrument: Instrument, tsMs: TsMs): number {
  const { spec } = instrument
  // Everybody has left at the delisting.
  if (tsMs < spec.onboardTsMs || (spec.delistTsMs !== undefined && tsMs >= spec.delistTsMs)) return 0
  const d = market.dayNumber(tsMs)
  const step = (tsMs - market.dayStartTsMs(d)) / FIVE_MINUTES_MS
  return interestDay(market, instrument, d)[step]!
}

const interestOf = new WeakMap<Market, Map<string, Float64Array>>()

/** The day's open interest on the grid, a bridge between the path's levels at its two midnights. */
function interestDay(market: Market, instrument: Instrument, d: number): Float64Array {
  let kept = interestOf.get(market)
  if (kept === undefined) interestOf.set(market, (kept = new Map()))
  const key = `${instrument.spec.symbol}:${d}`
  let day = kept.get(key)
  if (day === undefined) {
    const rng = createRng(market.config.seed, 'open interest', instrument.spec.symbol, d)
    const from = lotsAtMidnight(instrument, d)
    const to = lotsAtMidnight(instrument, d + 1)
    day = new Float64Array(STEPS_A_DAY)
    let noise = 0
    for (let step = 0; step < STEPS_A_DAY; step++) {
      const bow = (step * (STEPS_A_DAY - step) * 4) / (STEPS_A_DAY * STEPS_A_DAY)
      day[step] = Math.max(1, Math.round((from + ((to - from) * step) / STEPS_A_DAY) * (1 + noise * bow)))
      noise = 0.99 * noise + 0.0015 * rng.normal()
    }
    if (kept.size > 400) kept.clear()
    kept.set(key, day)
  }
  return day
}

function lotsAtMidnight({ path, spec, lotUnit, qtyDecimals }: Instrument, d: number): number {
  const lotUsd = (path.indexAt[d]! / 1e8) * (lotUnit / Number(`1e${qtyDecimals}`))
  return Math.max(1, Math.round((path.openInterestUsdAt[d]! * spec.volumeShare) / lotUsd))
}

/** Value of so many lots at the mark of that instant, as text with eight decimals, rounded down. */
export function openInterestValue(market: Market, instrument: Instrument, lots: number, tsMs: TsMs): string {
  const product = BigInt(lots) * BigInt(instrument.lotUnit) * BigInt(markAt(market, instrument, tsMs))
  return formatScaled(product / 10n ** BigInt(instrument.qtyDecimals), 8)
}

export function ratiosAt(market: Market, instrument: Instrument, tsMs: TsMs): Ratios {
  const d = market.dayNumber(tsMs)
  const part = (tsMs - market.dayStartTsMs(d)) / DAY_MS
  const from = levels(market, instrument, d)
  const to = levels(market, instrument, d + 1)
  const noise = createRng(market.config.seed, 'ratio noise', instrument.spec.symbol, tsMs)
  const at = (i: number) => Math.round(1e8 * exp(from[i]! + (to[i]! - from[i]!) * part + 0.01 * noise.normal()))
  return { topAccounts: at(0), topPositions: at(1), allAccounts: at(2) }
}

/** Log ratios at a midnight: the crowd is longer than the big accounts. */
function levels(market: Market, instrument: Instrument, d: number): [number, number, number] {
  const rng: Rng = createRng(market.config.seed, 'ratio level', instrument.spec.symbol, d)
  return [0.35 + 0.15 * rng.normal(), 0.2 + 0.15 * rng.normal(), 0.5 + 0.2 * rng.normal()]
}

/** Taker buys and sells, in lots, of the minutes in [fromTsMs, toTsMs). */
export function takerLots(
  market: Market,
  instrument: Instrument,
  fromTsMs: TsMs,
  toTsMs: TsMs,
): { buy: number; sell: number } {
  let buy = 0
  let sell = 0
  for (let tsMs = fromTsMs; tsMs < toTsMs; tsMs += MINUTE_MS) {
    const d = market.dayNumber(tsMs)
    if (d < 0) continue
    const bars = market.bars(instrument, d)
    const minute = (tsMs - market.dayStartTsMs(d)) / MINUTE_MS
    buy += bars.buyLots[minute]!
    sell += bars.lots[minute]! - bars.buyLots[minute]!
  }
  return { buy, sell }
}

/** a / b as text with so many decimals, rounded to nearest; '' where there is nothing to divide by. */
export function ratioText(a: number, b: number, decimals: number): string {
  if (b === 0) return ''
  const scale = 10n ** BigInt(decimals)
  return formatScaled((BigInt(a) * scale * 2n + BigInt(b)) / (2n * BigInt(b)), decimals)
}
