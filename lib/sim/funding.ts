import { createRng } from '../rng.ts'
import { HOUR_MS, MINUTE_MS, type TsMs } from '../time.ts'
import { MINUTES_A_DAY } from './factorDay.ts'
import { rateOf } from './fundingRule.ts'
import type { Instrument } from './instrument.ts'
import { type Market, openMinute } from './market.ts'

/** A published settlement. Rates and prices in 10^-8. */
export type Settlement = {
  /** The instant on the hour it belongs to, and the one it is stamped with: up to 29 ms late. */
  readonly dueTsMs: TsMs
  readonly tsMs: TsMs
  readonly rate: number
  /** Made when asked for: it takes the day's prices, the rest only its premium. */
  mark(): number
  readonly hours: number
}

const JITTER_MS_MOST = 29

/** Settlements stamped within [fromTsMs, toTsMs], as published by now. */
export function settlements(market: Market, instrument: Instrument, fromTsMs: TsMs, toTsMs: TsMs): Settlement[] {
  const found: Settlement[] = []
  const last = Math.min(toTsMs, market.nowTsMs)
  for (let due = nextDue(instrument, Math.max(fromTsMs - JITTER_MS_MOST, instrument.spec.onboardTsMs) - 1); ; ) {
    if (due === undefined || due > last) break
    const one = settlementAt(market, instrument, due)
    if (one.tsMs >= fromTsMs && one.tsMs <= last) found.push(one)
    due = nextDue(instrument, due)
  }
  return found
}

/** First settlement after `tsMs`, or undefined where none is to come. */
function nextDue(instrument: Instrument, tsMs: TsMs): TsMs | undefined {
  const { spec } = instrument
  // A contract settles for the first time at the first due hour after it opened, and for the last before it closes.
  const after = Math.max(tsMs, spec.onboardTsMs)
  for (let i = 0; i < spec.funding.length; i++) {
    const { fromTsMs, hours } = spec.funding[i]!
    const until = spec.funding[i + 1]?.fromTsMs ?? Number.MAX_SAFE_INTEGER
    const step = hours * HOUR_MS
    const due = (Math.floor(Math.max(after, fromTsMs) / step) + 1) * step
    if (due <= until) return due <= (spec.delistTsMs ?? Number.MAX_SAFE_INTEGER) ? due : undefined
  }
  return undefined
}

/** Spacing in force for the settlement at `dueTsMs`, in hours. */
export function fundingHours(instrument: Instrument, dueTsMs: TsMs): number {
  let hours = 8
  for (const regime of instrument.spec.funding) if (regime.fromTsMs < dueTsMs) hours = regime.hours
  return hours
}

const settlementsOf = new WeakMap<Market, Map<string, Settlement>>()

function settlementAt(market: Market, instrument: Instrument, dueTsMs: TsMs): Settlement {
  let kept = settlementsOf.get(market)
  if (kept === undefined) settlementsOf.set(market, (kept = new Map()))
  const key = `${instrument.spec.symbol}:${dueTsMs}`
  let settlement = kept.get(key)
  if (settlement === undefined) {
    const hours = fundingHours(instrument, dueTsMs)
    const rng = createRng(market.config.seed, 'funding stamp', instrument.spec.symbol, dueTsMs)
    // Most stamps are on time or nearly.
    const late = Math.floor((JITTER_MS_MOST + 1) * rng.uniform() ** 3)
    const rate = rateOf(averagePremium(market, instrument, dueTsMs - hours * HOUR_MS, dueTsMs), hours)
    kept.set(
      key,
      (settlement = { dueTsMs, tsMs: dueTsMs + late, rate, mark: () => markAt(market, instrument, dueTsMs), hours }),
    )
  }
  return settlement
}

/** Mean of the period's premium samples (the closes of its minutes), later ones weighing more: 1, 2, 3, … */
function averagePremium(market: Market, instrument: Instrument, fromTsMs: TsMs, toTsMs: TsMs): number {
  const first = Math.max(fromTsMs, instrument.spec.onboardTsMs, market.config.startTsMs)
  let weight = 0
  let sum = 0
  let weights = 0
  for (let tsMs = first; tsMs < toTsMs; ) {
    const d = market.dayNumber(tsMs)
    const { close } = market.premium(instrument, d)
    let minute = (tsMs - market.dayStartTsMs(d)) / MINUTE_MS
    for (; minute < MINUTES_A_DAY && tsMs < toTsMs; minute++, tsMs += MINUTE_MS) {
      weight++
      weights += weight
      sum += weight * close[minute]!
    }
  }
  return weights === 0 ? 0 : Math.round(sum / weights)
}

/** Mark price at an instant on a whole minute. */
export function markAt(market: Market, instrument: Instrument, tsMs: TsMs): number {
  const d = market.dayNumber(tsMs)
  const minute = (tsMs - market.dayStartTsMs(d)) / MINUTE_MS
  const mark = market.mark(instrument, d)
  return minute === 0 ? mark.open : mark.close[minute - 1]!
}

/** What the coming settlement would be by the samples so far, and when it is due. */
export function fundingEstimate(market: Market, instrument: Instrument): { rate: number; dueTsMs: TsMs } | undefined {
  const dueTsMs = nextDue(instrument, market.nowTsMs)
  if (dueTsMs === undefined) return undefined
  const hours = fundingHours(instrument, dueTsMs)
  const sampledTo = openMinute(market).tsMs
  const rate = rateOf(averagePremium(market, instrument, dueTsMs - hours * HOUR_MS, sampledTo), hours)
  return { rate, dueTsMs }
}
