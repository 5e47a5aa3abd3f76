import assert from 'node:assert/strict'
import { decimalPlaces, parseScaled } from '../decimal.ts'
import { exp } from '../math.ts'
import { createRng } from '../rng.ts'
import { DAY_MS, MINUTE_MS, type TsMs } from '../time.ts'
import type { AssetSpec, HaltSpec, InstrumentSpec } from './config.ts'
import { activityCurve, MINUTES_A_DAY } from './factorDay.ts'
import type { AssetPath } from './path.ts'

/** A spec with its grid as integers, and the coarse path of its activity. Prices are integer ticks, quantities integer
 *  lots, turnover is ticks × lots; the three `...Unit`s lead from there to the decimal text the venue writes. */
export type Instrument = {
  readonly spec: InstrumentSpec
  readonly asset: AssetSpec
  readonly path: AssetPath
  readonly pxDecimals: number
  readonly qtyDecimals: number
  /** 10^-pxDecimals in one tick, 10^-qtyDecimals in one lot. */
  readonly tickUnit: number
  readonly lotUnit: number
  /** 10^-8 index USD in one tick of this instrument. */
  readonly indexPerTick: number
  /** Trades and lots of each day, and the id of each day's first trade. */
  readonly tradesOver: Float64Array
  readonly lotsOver: Float64Array
  readonly firstTradeIdAt: Float64Array
  /** For each day with a minute in which it does not trade: 1 where it does, else all minutes do. */
  readonly partDays: ReadonlyMap<number, Uint8Array>
  /** Day and minute of the first trade, and the day of delivery, all counted from the market's first day. */
  readonly onboardDay: number
  readonly onboardMinute: number
  readonly deliveryDay: number
  /** Minutes whose rows are missing, as [from, to) spans of time. */
  readonly gaps: readonly { readonly fromTsMs: TsMs; readonly toTsMs: TsMs }[]
}

export function createInstrument(
  seed: number | string,
  startTsMs: TsMs,
  spec: InstrumentSpec,
  asset: AssetSpec,
  path: AssetPath,
  halts: readonly HaltSpec[],
): Instrument {
  const pxDecimals = decimalPlaces(spec.tickSize)
  const qtyDecimals = decimalPlaces(spec.stepSize)
  const tickUnit = parseScaled(spec.tickSize, pxDecimals)!
  const lotUnit = parseScaled(spec.stepSize, qtyDecimals)!
  const indexPerTick = parseScaled(spec.tickSize, 8)! / spec.priceFactor
  assert.ok(pxDecimals + qtyDecimals <= 8, `${spec.symbol}: turnover would need more than 8 decimals`)
  assert.ok(Number.isSafeInteger(Math.round(indexPerTick)), `${spec.symbol}: the tick is finer than the index`)
  const mine = halts.filter(
    (halt) => halt.market === spec.market && (halt.symbols === 'all' || halt.symbols.includes(spec.symbol)),
  )
  const days = path.volumeUsdOver.length
  const partDays = partTradingDays(spec, startTsMs, days, mine)
  const tradesOver = new Float64Array(days)
  const lotsOver = new Float64Array(days)
  const firstTradeIdAt = new Float64Array(days + 1)
  const rng = createRng(seed, 'activity path', spec.market, spec.symbol)
  firstTradeIdAt[0] = 1 + rng.below(1_000_000_000)
  const lotUsdPerIndex = parseScaled(spec.stepSize, 8)! / 1e8
  for (let d = 0; d < days; d++) {
    const usd = path.volumeUsdOver[d]! * spec.volumeShare * exp(0.1 * rng.normal())
    const open = partDays.get(d)
    const share = open === undefined ? 1 : activityShare(open)
    // A day that trades at all has a first and a last trade: both its borders need one.
    const trades = share === 0 ? 0 : Math.max(2, Math.round((usd * share) / spec.averageTradeUsd))
    const lotUsd = (path.indexAt[d]! / 1e8) * spec.priceFactor * lotUsdPerIndex
    tradesOver[d] = trades
    lotsOver[d] = trades === 0 ? 0 : trades + Math.round((usd * share) / lotUsd)
    firstTradeIdAt[d + 1] = firstTradeIdAt[d]! + trades
  }
  const gaps = mine.filter((halt) => halt.rows === 'missing')
  return {
    spec,
    asset,
    path,
    pxDecimals,
    qtyDecimals,
    tickUnit,
    lotUnit,
    indexPerTick,
    tradesOver,
    lotsOver,
    firstTradeIdAt,
    partDays,
    onboardDay: Math.floor((spec.onboardTsMs - startTsMs) / DAY_MS),
    onboardMinute: Math.floor((spec.onboardTsMs % DAY_MS) / MINUTE_MS),
    deliveryDay: Math.ceil(((spec.deliveryTsMs ?? startTsMs) - startTsMs) / DAY_MS),
    gaps,
  }
}

/** True while the instrument trades: between its listing and its end, outside halts. */
export function hasRows(instrument: Instrument, minuteTsMs: TsMs): boolean {
  const { onboardTsMs, delistTsMs, frozenUntilTsMs } = instrument.spec
  if (minuteTsMs < onboardTsMs) return false
  if (delistTsMs !== undefined && minuteTsMs >= (frozenUntilTsMs ?? delistTsMs)) return false
  return !instrument.gaps.some((gap) => minuteTsMs >= gap.fromTsMs && minuteTsMs < gap.toTsMs)
}

/** First instant after the last row that will ever be. */
export function rowsEndTsMs(spec: InstrumentSpec): TsMs {
  return spec.frozenUntilTsMs ?? spec.delistTsMs ?? Number.MAX_SAFE_INTEGER
}

function activityShare(open: Uint8Array): number {
  let sum = 0
  let all = 0
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    const weight = activityCurve[i]! * activityCurve[i]!
    all += weight
    sum += weight * open[i]!
  }
  return sum / all
}

function partTradingDays(
  spec: InstrumentSpec,
  startTsMs: TsMs,
  days: number,
  halts: readonly HaltSpec[],
): Map<number, Uint8Array> {
  const part = new Map<number, Uint8Array>()
  const close = (fromTsMs: TsMs, toTsMs: TsMs) => {
    const from = Math.max(0, Math.ceil((fromTsMs - startTsMs) / MINUTE_MS))
    const to = Math.min(days * MINUTES_A_DAY, Math.ceil((toTsMs - startTsMs) / MINUTE_MS))
    for (let minute = from; minute < to; minute++) {
      const d = Math.floor(minute / MINUTES_A_DAY)
      let open = part.get(d)
      if (open === undefined) part.set(d, (open = new Uint8Array(MINUTES_A_DAY).fill(1)))
      open[minute - d * MINUTES_A_DAY] = 0
    }
  }
  close(startTsMs, spec.onboardTsMs)
  if (spec.delistTsMs !== undefined) close(spec.delistTsMs, Number.MAX_SAFE_INTEGER)
  for (const halt of halts) {
    // The close of a day's last minute is the path's: the next day starts from it without looking at this one.
    const lastMinute = Math.floor((halt.toTsMs - 1) / DAY_MS)
    assert.ok(
      Math.floor(halt.fromTsMs / DAY_MS) === lastMinute && halt.toTsMs % DAY_MS !== 0,
      'a halt lies inside one day and ends before midnight',
    )
    close(halt.fromTsMs, halt.toTsMs)
  }
  return part
}
