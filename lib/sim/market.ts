import assert from 'node:assert/strict'
import { DAY_MS, floorTo, MINUTE_MS, type TsMs } from '../time.ts'
import { type AssetDay, assetDay, emptyRoom, type MinuteSeries, premiumDay } from './assetDay.ts'
import { type BarDay, barDay, emptyBars, emptyRecipes, tradeCounts } from './barDay.ts'
import type { MarketConfig, MarketKind } from './config.ts'
import { MINUTES_A_DAY, shockDay } from './factorDay.ts'
import { createInstrument, type Instrument } from './instrument.ts'
import { type AssetPath, assetPath, marketPath } from './path.ts'
import { recentCache } from './recentCache.ts'
import { ordersOver, type Trades, tradesOf } from './tradeDay.ts'

/** A simulated market, coarse to fine: the period's path is made at once, days and trades when somebody looks. The
 *  day number `d` counts from the market's first day. Nothing here knows of time passing: see `nowTsMs`. */
export type Market = {
  readonly config: MarketConfig
  readonly nowTsMs: TsMs
  readonly instruments: readonly Instrument[]
  find(market: MarketKind, symbol: string): Instrument | undefined
  dayNumber(tsMs: TsMs): number
  dayStartTsMs(d: number): TsMs
  assetDay(instrument: Instrument, d: number): AssetDay
  /** The day's minutes as traded; after a delisting the last price with count 0. */
  bars(instrument: Instrument, d: number): BarDay
  /** The same, until the next question: for a reader of many days that only sums each of them up. */
  passingBars(instrument: Instrument, d: number): BarDay
  /** Mark price and premium as published for this contract: frozen after its delisting. */
  mark(instrument: Instrument, d: number): MinuteSeries
  premium(instrument: Instrument, d: number): MinuteSeries
  /** Trades of minutes [fromMinute, toMinute) of day d. */
  trades(instrument: Instrument, d: number, fromMinute: number, toMinute: number): Trades
  /** Id of the first trade of a minute. */
  firstTradeId(instrument: Instrument, d: number, minute: number): number
  /** Id of the first taker order of a minute. The first answer counts the orders of all days before. */
  firstOrderId(instrument: Instrument, d: number, minute: number): number
}

// Ten days of every symbol at once would do for a reader that walks symbol by symbol; this leaves room for several.
const ASSET_DAYS_KEPT = 160
const BAR_DAYS_KEPT = 320

export function createMarket(config: MarketConfig): Market {
  assert.equal(config.startTsMs % DAY_MS, 0, 'a market starts at a UTC midnight')
  assert.ok(config.nowTsMs > config.startTsMs, 'a market has a past')
  const { seed, startTsMs, nowTsMs } = config
  // The last day is the one that contains the present.
  const days = Math.floor((nowTsMs - startTsMs) / DAY_MS) + 1
  const wholeMarket = marketPath(seed, config.effects, days)
  const paths = new Map<string, AssetPath>()
  for (const asset of config.assets) paths.set(asset.name, assetPath(seed, config.effects, asset, wholeMarket))
  const instruments = config.instruments.map((spec) => {
    const asset = config.assets.find(({ name }) => name === spec.asset)
    assert.ok(asset !== undefined, `${spec.symbol} names an unknown asset ${spec.asset}`)
    return createInstrument(seed, startTsMs, spec, asset, paths.get(asset.name)!, config.halts)
  })
  const byName = new Map(instruments.map((one) => [`${one.spec.market}:${one.spec.symbol}`, one]))
  const cachedFactor = recentCache<ReturnType<typeof shockDay>>(40)
  const cachedAsset = recentCache<AssetDay>(ASSET_DAYS_KEPT)
  const cachedPremium = recentCache<MinuteSeries>(ASSET_DAYS_KEPT)
  const cachedBars = recentCache<BarDay>(BAR_DAYS_KEPT)
  const orderIds = new Map<Instrument, Float64Array>()
  const recipes = emptyRecipes()
  const passing = { day: emptyRoom(), bars: emptyBars() }

  const dayNumber = (tsMs: TsMs) => Math.floor((tsMs - startTsMs) / DAY_MS)
  const dayStartTsMs = (d: number) => startTsMs + d * DAY_MS
  const factorDay = (d: number) => cachedFactor(String(d), () => shockDay(seed, 'whole market', d))
  const keyOf = ({ spec }: Instrument, d: number) => `${spec.market}:${spec.symbol}:${d}`

  const market: Market = {
    config,
    nowTsMs,
    instruments,
    find: (kind, symbol) => byName.get(`${kind}:${symbol}`),
    dayNumber,
    dayStartTsMs,
    assetDay(instrument, d) {
      assert.ok(d >= 0 && d < days, `day ${d} lies outside the market's ${days}`)
      const { asset, path } = instrument
      return cachedAsset(`${asset.name}:${d}`, () => assetDay(seed, asset.name, path, d, factorDay(d)))
    },
    bars(instrument, d) {
      return cachedBars(keyOf(instrument, d), () => {
        const endDay = delistDay(instrument)
        if (d <= endDay) return barDay(seed, instrument, d, market.assetDay(instrument, d))
        return frozenBars(market.bars(instrument, endDay).close[MINUTES_A_DAY - 1]!)
      })
    },
    passingBars(instrument, d) {
      if (d > delistDay(instrument)) return market.bars(instrument, d)
      const { asset, path } = instrument
      const day = assetDay(seed, asset.name, path, d, factorDay(d), passing.day)
      return barDay(seed, instrument, d, day, undefined, passing.bars)
    },
    mark: (instrument, d) => frozenAfterEnd(instrument, d, (day) => market.assetDay(instrument, day).mark()),
    premium: (instrument, d) => frozenAfterEnd(instrument, d, (day) => premiumOf(instrument, day)),
    trades(instrument, d, fromMinute, toMinute) {
      const day = market.assetDay(instrument, d)
      if (d > delistDay(instrument)) fromMinute = toMinute
      const bars = barDay(seed, instrument, Math.min(d, delistDay(instrument)), day, recipes)
      return tradesOf(seed, instrument, d, dayStartTsMs(d), bars, recipes, fromMinute, toMinute)
    },
    firstTradeId(instrument, d, minute) {
      const { count } = market.bars(instrument, d)
      let trade = instrument.firstTradeIdAt[d]!
      for (let i = 0; i < minute; i++) trade += count[i]!
      return trade
    },
    firstOrderId(instrument, d, minute) {
      return firstOrderIdAt(instrument, d) + ordersOver(market.bars(instrument, d).count.subarray(0, minute))
    },
  }

  function delistDay({ spec }: Instrument): number {
    return spec.delistTsMs === undefined ? Number.MAX_SAFE_INTEGER : dayNumber(spec.delistTsMs - 1)
  }

  /** Taker orders are numbered by counting them from the first day: cheap, because it takes trade counts only. */
  function firstOrderIdAt(instrument: Instrument, d: number): number {
    let ids = orderIds.get(instrument)
    if (ids === undefined) {
      ids = new Float64Array(days + 1).fill(-1)
      ids[0] = Math.floor(instrument.firstTradeIdAt[0]! / 2)
      orderIds.set(instrument, ids)
    }
    let known = d
    while (ids[known]! < 0) known--
    for (; known < d; known++) {
      const counts =
        instrument.tradesOver[known] === 0
          ? undefined
          : tradeCounts(seed, instrument, known, market.assetDay(instrument, known).vol)
      ids[known + 1] = ids[known]! + (counts === undefined ? 0 : ordersOver(counts))
    }
    return ids[d]!
  }

  function premiumOf({ asset, path }: Instrument, d: number): MinuteSeries {
    assert.ok(d >= 0 && d < days, `day ${d} lies outside the market's ${days}`)
    return cachedPremium(`${asset.name}:${d}`, () => premiumDay(seed, asset.name, path, d))
  }

  function frozenAfterEnd(instrument: Instrument, d: number, live: (day: number) => MinuteSeries): MinuteSeries {
    const { delistTsMs } = instrument.spec
    if (delistTsMs === undefined || dayStartTsMs(d + 1) <= delistTsMs) return live(d)
    const endDay = delistDay(instrument)
    const minutes = Math.ceil((delistTsMs - dayStartTsMs(endDay)) / MINUTE_MS)
    const last = live(endDay).close[minutes - 1]!
    const from = d > endDay ? 0 : minutes
    const { open, high, low, close } = live(d)
    return {
      open: d > endDay ? last : open,
      high: high.slice().fill(last, from),
      low: low.slice().fill(last, from),
      close: close.slice().fill(last, from),
    }
  }
  return market
}

/** The same market at another present: what both know, they agree on. */
export function marketAt(market: Market, nowTsMs: TsMs): Market {
  return createMarket({ ...market.config, nowTsMs })
}

/** The minute in progress, and how many whole minutes of its day have passed. */
export function openMinute(market: Market): { d: number; minute: number; tsMs: TsMs } {
  const tsMs = floorTo(market.nowTsMs, MINUTE_MS)
  const d = market.dayNumber(tsMs)
  return { d, minute: (tsMs - market.dayStartTsMs(d)) / MINUTE_MS, tsMs }
}

function frozenBars(closeTicks: number): BarDay {
  const flat = () => new Int32Array(MINUTES_A_DAY).fill(closeTicks)
  const none = () => new Float64Array(MINUTES_A_DAY)
  return {
    open: flat(),
    high: flat(),
    low: flat(),
    close: flat(),
    count: new Int32Array(MINUTES_A_DAY),
    lots: none(),
    quote: none(),
    buyLots: none(),
    buyQuote: none(),
  }
}
