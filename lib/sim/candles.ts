import { DAY_MS, type Interval, intervalMs, MINUTE_MS, nextOpen, openOf, type TsMs } from '../time.ts'
import type { NumberFormat } from './archive/digits.ts'
import { gridFormat } from './archive/textWriter.ts'
import type { MinuteSeries } from './assetDay.ts'
import type { BarDay } from './barDay.ts'
import { type CandleRows, type Candles, candleRows, lastRows, lowerBound } from './candleRows.ts'
import { MINUTES_A_DAY } from './factorDay.ts'
import { hasRows, type Instrument, rowsEndTsMs } from './instrument.ts'
import { type Market, openMinute } from './market.ts'
import type { Trades } from './tradeDay.ts'

export type CandleKind = 'klines' | 'markPriceKlines' | 'indexPriceKlines' | 'premiumIndexKlines'

export type CandleFormats = { readonly price: NumberFormat; readonly lots: NumberFormat; readonly quote: NumberFormat }

/** Spot writes eight decimals whatever the grid; futures write the grid's own. */
export function formatsOf(instrument: Instrument, kind: CandleKind): CandleFormats {
  const { pxDecimals, qtyDecimals, tickUnit, lotUnit, spec } = instrument
  const shown = spec.market === 'spot' ? 8 : 0
  const eight = gridFormat(1, 8)
  if (kind !== 'klines') return { price: eight, lots: eight, quote: eight }
  return {
    price: gridFormat(tickUnit, pxDecimals, Math.max(shown, pxDecimals)),
    lots: gridFormat(lotUnit, qtyDecimals, Math.max(shown, qtyDecimals)),
    quote: gridFormat(tickUnit * lotUnit, pxDecimals + qtyDecimals, Math.max(shown, pxDecimals + qtyDecimals)),
  }
}

/** Candles whose open lies in [fromTsMs, toTsMs), as known now: the last may still be open. At most `limit` of them,
 *  the oldest first. */
export function candlesBetween(
  market: Market,
  instrument: Instrument,
  kind: CandleKind,
  interval: Interval,
  fromTsMs: TsMs,
  toTsMs: TsMs,
  limit = Number.MAX_SAFE_INTEGER,
): Candles {
  const rows = candleRows(interval, kind === 'klines')
  const first = Math.max(fromTsMs, openOf(Math.max(instrument.spec.onboardTsMs, market.config.startTsMs), interval))
  const open = openOf(first, interval)
  // A bar belongs to the answer by its own open: one that opened before the range does not.
  let cursor = open < first ? nextOpen(open, interval) : open
  const end = Math.min(toTsMs, market.nowTsMs + 1, rowsEndTsMs(instrument.spec))
  if (interval === '1s') {
    addSeconds(market, instrument, rows, cursor, end, limit)
    return rows.take()
  }
  while (cursor < end && rows.count() < limit) {
    const next = nextOpen(cursor, interval)
    if (next - cursor >= DAY_MS) {
      for (let tsMs = cursor; tsMs < next; tsMs += DAY_MS) {
        const day = dayCandle(market, instrument, kind, tsMs)
        rows.add(day, 0, day.rows, cursor)
      }
      cursor = next
      continue
    }
    const dayTsMs = openOf(cursor, '1d')
    const day = minuteCandles(market, instrument, kind, dayTsMs)
    const step = intervalMs(interval as Exclude<Interval, '1M'>)
    let row = lowerBound(day.openTsMs, day.rows, cursor)
    for (; cursor < Math.min(end, dayTsMs + DAY_MS) && rows.count() < limit; cursor += step) {
      const from = row
      while (row < day.rows && day.openTsMs[row]! < cursor + step) row++
      rows.add(day, from, row, cursor)
    }
  }
  return rows.take()
}

/** The newest `limit` candles that open at or before `toTsMs`. */
export function newestCandles(
  market: Market,
  instrument: Instrument,
  kind: CandleKind,
  interval: Interval,
  toTsMs: TsMs,
  limit: number,
): Candles {
  const last = openOf(Math.min(toTsMs, market.nowTsMs, rowsEndTsMs(instrument.spec) - 1), interval)
  let span = limit - 1
  for (;;) {
    const step = interval === '1M' ? 31 * DAY_MS : intervalMs(interval)
    const from = openOf(Math.max(last - span * step, market.config.startTsMs), interval)
    const found = candlesBetween(market, instrument, kind, interval, from, last + 1)
    // Missing rows make the first guess too short; before the listing there is nothing more to find.
    if (found.rows >= limit || from <= instrument.spec.onboardTsMs) return lastRows(found, limit)
    span += limit
  }
}

/** The day's minutes that have rows now, the one in progress included. */
export function minuteCandles(market: Market, instrument: Instrument, kind: CandleKind, dayTsMs: TsMs): Candles {
  const d = market.dayNumber(dayTsMs)
  const present = openMinute(market)
  if (d < 0 || d > present.d) return candleRows('1m', kind === 'klines').take()
  const openTsMs = new Float64Array(MINUTES_A_DAY)
  for (let i = 0; i < MINUTES_A_DAY; i++) openTsMs[i] = dayTsMs + i * MINUTE_MS
  const whole: Candles =
    kind === 'klines'
      ? ofBars(market.bars(instrument, d), openTsMs)
      : ofSeries(seriesOf(market, instrument, kind, d), openTsMs)
  if (isWholeDay(market, instrument, dayTsMs)) return whole
  const rows = candleRows('1m', kind === 'klines')
  const minutes = d < present.d ? MINUTES_A_DAY : present.minute
  for (let i = 0; i < minutes; i++) {
    // A gap is in what the venue recorded of trading; mark and index went on.
    const tsMs = openTsMs[i]!
    const shown = kind === 'klines' ? hasRows(instrument, tsMs) : isListed(instrument, tsMs)
    if (shown) rows.add(whole, i, i + 1, tsMs)
  }
  if (d === present.d && isListed(instrument, present.tsMs)) {
    const soFar = kind === 'klines' ? tradedSoFar(market, instrument) : sampledSoFar(market, whole, present.minute)
    rows.add(soFar, 0, 1, present.tsMs)
  }
  return rows.take()
}

/** Over, and with a row for each of its minutes. */
const isWholeDay = (market: Market, { gaps, spec }: Instrument, dayTsMs: TsMs): boolean =>
  market.dayNumber(dayTsMs) < openMinute(market).d &&
  gaps.length === 0 &&
  dayTsMs >= spec.onboardTsMs &&
  dayTsMs + DAY_MS <= rowsEndTsMs(spec)

const isListed = ({ spec }: Instrument, tsMs: TsMs): boolean => tsMs >= spec.onboardTsMs && tsMs < rowsEndTsMs(spec)

// Day candles are asked for again by every weekly and monthly bar, every ticker and every universe: a line each.
const dayCandlesOf = new WeakMap<Market, Map<string, Candles>>()

function dayCandle(market: Market, instrument: Instrument, kind: CandleKind, dayTsMs: TsMs): Candles {
  let kept = dayCandlesOf.get(market)
  if (kept === undefined) dayCandlesOf.set(market, (kept = new Map()))
  const key = `${kind}:${instrument.spec.market}:${instrument.spec.symbol}:${dayTsMs}`
  let candle = kept.get(key)
  if (candle === undefined) {
    const rows = candleRows('1d', kind === 'klines')
    if (kind === 'klines' && isWholeDay(market, instrument, dayTsMs)) {
      addWholeDay(rows, market.passingBars(instrument, market.dayNumber(dayTsMs)), dayTsMs)
    } else {
      const minutes = minuteCandles(market, instrument, kind, dayTsMs)
      rows.add(minutes, 0, minutes.rows, dayTsMs)
    }
    kept.set(key, (candle = rows.take()))
  }
  return candle
}

/** All minutes of a day at once: row by row takes longer than making them. */
function addWholeDay(rows: CandleRows, bars: BarDay, openTsMs: TsMs): void {
  let high = bars.high[0]!
  let low = bars.low[0]!
  let count = 0
  let lots = 0
  let quote = 0
  let buyLots = 0
  let buyQuote = 0
  for (let i = 0; i < MINUTES_A_DAY; i++) {
    high = Math.max(high, bars.high[i]!)
    low = Math.min(low, bars.low[i]!)
    count += bars.count[i]!
    lots += bars.lots[i]!
    quote += bars.quote[i]!
    buyLots += bars.buyLots[i]!
    buyQuote += bars.buyQuote[i]!
  }
  rows.push(openTsMs, bars.open[0]!, high, low, bars.close[MINUTES_A_DAY - 1]!, count, lots, quote, buyLots, buyQuote)
}

function seriesOf(market: Market, instrument: Instrument, kind: CandleKind, d: number): MinuteSeries {
  if (kind === 'markPriceKlines') return market.mark(instrument, d)
  if (kind === 'premiumIndexKlines') return market.premium(instrument, d)
  return market.assetDay(instrument, d).index
}

function ofBars(bars: BarDay, openTsMs: Float64Array): Candles {
  const { open, high, low, close, count, lots, quote, buyLots, buyQuote } = bars
  return {
    interval: '1m',
    rows: MINUTES_A_DAY,
    openTsMs,
    open,
    high,
    low,
    close,
    count,
    flow: { lots, quote, buyLots, buyQuote },
  }
}

const SAMPLES_A_MINUTE = 60
const wholeMinutes = new Int32Array(MINUTES_A_DAY).fill(SAMPLES_A_MINUTE)

function ofSeries(series: MinuteSeries, openTsMs: Float64Array): Candles {
  const open = new Float64Array(MINUTES_A_DAY)
  open[0] = series.open
  open.set(series.close.subarray(0, MINUTES_A_DAY - 1), 1)
  const { high, low, close } = series
  return { interval: '1m', rows: MINUTES_A_DAY, openTsMs, open, high, low, close, count: wholeMinutes }
}

/** The minute in progress, from the trades that have happened. */
function tradedSoFar(market: Market, instrument: Instrument): Candles {
  const { d, minute, tsMs } = openMinute(market)
  const trades = market.trades(instrument, d, minute, minute + 1)
  const rows = candleRows('1m', true)
  const before = minute === 0 ? undefined : market.bars(instrument, d).close[minute - 1]!
  addTraded(rows, trades, 0, rowsBefore(trades, market.nowTsMs), tsMs, before ?? market.bars(instrument, d).open[0]!)
  return rows.take()
}

export function rowsBefore(trades: Trades, tsMs: TsMs): number {
  return lowerBound(trades.tsMs, trades.rows, tsMs)
}

/** The minute in progress of a sampled price: the part of its way that the seconds passed account for. */
function sampledSoFar(market: Market, whole: Candles, minute: number): Candles {
  const samples = Math.floor((market.nowTsMs - whole.openTsMs[minute]!) / 1000)
  const open = whole.open[minute]!
  const close = Math.round(open + ((whole.close[minute]! - open) * samples) / SAMPLES_A_MINUTE)
  return {
    interval: '1m',
    rows: 1,
    openTsMs: [whole.openTsMs[minute]!],
    open: [open],
    high: [Math.max(open, close)],
    low: [Math.min(open, close)],
    close: [close],
    count: [samples],
  }
}

function addTraded(rows: CandleRows, trades: Trades, from: number, to: number, openTsMs: TsMs, before: number): void {
  let open = before
  let high = before
  let low = before
  let close = before
  let lots = 0
  let quote = 0
  let buyLots = 0
  let buyQuote = 0
  for (let row = from; row < to; row++) {
    const px = trades.pxTicks[row]!
    const qty = trades.qtyLots[row]!
    if (row === from) open = high = low = px
    high = Math.max(high, px)
    low = Math.min(low, px)
    close = px
    lots += qty
    quote += px * qty
    if (trades.buyerIsMaker[row] === 0) {
      buyLots += qty
      buyQuote += px * qty
    }
  }
  rows.push(openTsMs, open, high, low, close, to - from, lots, quote, buyLots, buyQuote)
}

function addSeconds(
  market: Market,
  instrument: Instrument,
  rows: CandleRows,
  fromTsMs: TsMs,
  toTsMs: TsMs,
  limit: number,
): void {
  for (let minuteTsMs = openOf(fromTsMs, '1m'); minuteTsMs < toTsMs && rows.count() < limit; minuteTsMs += MINUTE_MS) {
    if (!hasRows(instrument, minuteTsMs)) continue
    const d = market.dayNumber(minuteTsMs)
    const minute = (minuteTsMs - market.dayStartTsMs(d)) / MINUTE_MS
    const trades = market.trades(instrument, d, minute, minute + 1)
    const bars = market.bars(instrument, d)
    // The first second of a day with no trade repeats yesterday's close, which is where today's bars begin.
    let before =
      minute > 0 ? bars.close[minute - 1]! : d > 0 ? market.bars(instrument, d - 1).close[1439]! : bars.open[0]!
    let row = 0
    for (let tsMs = minuteTsMs; tsMs < minuteTsMs + MINUTE_MS && rows.count() < limit; tsMs += 1000) {
      const from = row
      while (row < trades.rows && trades.tsMs[row]! < Math.min(tsMs + 1000, market.nowTsMs)) row++
      if (tsMs >= fromTsMs && tsMs < toTsMs) addTraded(rows, trades, from, row, tsMs, before)
      if (row > from) before = trades.pxTicks[row - 1]!
    }
  }
}
