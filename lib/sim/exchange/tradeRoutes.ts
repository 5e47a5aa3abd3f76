import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../time.ts'
import { formatNumber } from '../archive/textWriter.ts'
import { aggregatesOf } from '../barDay.ts'
import { formatsOf } from '../candles.ts'
import type { MarketKind } from '../config.ts'
import { MINUTES_A_DAY } from '../factorDay.ts'
import type { Instrument } from '../instrument.ts'
import type { Market } from '../market.ts'
import { orderMicros } from '../orderMicros.ts'
import { ApiError, intParam, limitParam, rangeParams, servedInstrument, type TimeUnit } from './request.ts'

type Place = { d: number; minute: number }

/** Taker orders by id or time. The futures API keeps one day of them; the coin API all, and it tells their microseconds
 *  to whoever asks for them. */
export function aggTrades(
  market: Market,
  query: URLSearchParams,
  venue: MarketKind,
  timeUnit: TimeUnit = 'ms',
): unknown[] {
  const rows = millisecondRows(market, query, venue)
  return rows.map(({ micros, ...row }) => (timeUnit === 'us' ? { ...row, T: row.T * 1000 + micros } : row))
}

type Row = { readonly T: number; readonly micros: number; readonly [field: string]: unknown }

function millisecondRows(market: Market, query: URLSearchParams, venue: MarketKind): Row[] {
  const instrument = servedInstrument(market, venue, query)
  const limit = limitParam(query, 500, 1000)
  const fromId = intParam(query, 'fromId')
  const { startTsMs, endTsMs } = rangeParams(query)
  if (startTsMs !== undefined && endTsMs !== undefined && endTsMs - startTsMs >= HOUR_MS) {
    throw new ApiError(-1127, 'More than 1 hours between startTime and endTime.')
  }
  const oldest = venue === 'usdm' ? market.nowTsMs - DAY_MS : market.config.startTsMs
  const floor = Math.max(oldest, market.config.startTsMs, instrument.spec.onboardTsMs)
  const to = Math.min(endTsMs ?? market.nowTsMs, market.nowTsMs - 1)
  if (fromId !== undefined)
    return rowsFrom(market, instrument, placeOfId(market, instrument, fromId), floor, to, limit, fromId)
  if (startTsMs !== undefined) {
    return rowsFrom(
      market,
      instrument,
      placeOfTime(market, Math.max(startTsMs, floor)),
      Math.max(startTsMs, floor),
      to,
      limit,
      0,
    )
  }
  return newest(market, instrument, floor, to, limit)
}

function placeOfTime(market: Market, tsMs: number): Place {
  const d = Math.max(0, market.dayNumber(tsMs))
  return { d, minute: Math.max(0, Math.floor((tsMs - market.dayStartTsMs(d)) / MINUTE_MS)) }
}

function placeOfId(market: Market, instrument: Instrument, id: number): Place {
  let low = 0
  let high = market.dayNumber(market.nowTsMs)
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (market.firstOrderId(instrument, middle, 0) <= id) low = middle
    else high = middle - 1
  }
  const { count } = market.bars(instrument, low)
  let next = market.firstOrderId(instrument, low, 0)
  for (let minute = 0; minute < MINUTES_A_DAY; minute++) {
    next += aggregatesOf(count[minute]!)
    if (next > id) return { d: low, minute }
  }
  return { d: low + 1, minute: 0 }
}

function newest(market: Market, instrument: Instrument, fromTsMs: number, toTsMs: number, limit: number): Row[] {
  let place = placeOfTime(market, toTsMs)
  let found: Row[] = []
  for (;;) {
    const tsMs = market.dayStartTsMs(place.d) + place.minute * MINUTE_MS
    if (found.length >= limit || tsMs + MINUTE_MS <= fromTsMs) return found.slice(-limit)
    found = rowsOfMinute(market, instrument, place, fromTsMs, toTsMs, 0).concat(found)
    place = place.minute > 0 ? { d: place.d, minute: place.minute - 1 } : { d: place.d - 1, minute: MINUTES_A_DAY - 1 }
    if (place.d < 0) return found.slice(-limit)
  }
}

function rowsFrom(
  market: Market,
  instrument: Instrument,
  start: Place,
  fromTsMs: number,
  toTsMs: number,
  limit: number,
  fromId: number,
): Row[] {
  const found: Row[] = []
  const first = placeOfTime(market, fromTsMs)
  const isEarlier = start.d < first.d || (start.d === first.d && start.minute < first.minute)
  let { d, minute } = isEarlier ? first : start
  while (found.length < limit && market.dayStartTsMs(d) + minute * MINUTE_MS <= toTsMs) {
    found.push(...rowsOfMinute(market, instrument, { d, minute }, fromTsMs, toTsMs, fromId))
    if (++minute === MINUTES_A_DAY) {
      minute = 0
      d++
    }
  }
  return found.slice(0, limit)
}

function rowsOfMinute(
  market: Market,
  instrument: Instrument,
  { d, minute }: Place,
  fromTsMs: number,
  toTsMs: number,
  fromId: number,
): Row[] {
  if (market.bars(instrument, d).count[minute] === 0) return []
  const trades = market.trades(instrument, d, minute, minute + 1)
  const firstOrder = market.firstOrderId(instrument, d, minute)
  const firstTrade = market.firstTradeId(instrument, d, minute)
  const { price, lots } = formatsOf(instrument, 'klines')
  const isSpot = instrument.spec.market === 'spot'
  const micros = isSpot ? orderMicros(market, instrument, d) : undefined
  const firstOfDay = isSpot ? market.firstOrderId(instrument, d, 0) : 0
  const rows: Row[] = []
  for (let row = 0; row < trades.rows; ) {
    let next = row
    let qty = 0
    for (; next < trades.rows && trades.order[next] === trades.order[row]; next++) qty += trades.qtyLots[next]!
    const id = firstOrder + trades.order[row]!
    const tsMs = trades.tsMs[row]!
    if (tsMs >= fromTsMs && tsMs <= toTsMs && id >= fromId) {
      const q = formatNumber(qty, lots)
      rows.push({
        a: id,
        p: formatNumber(trades.pxTicks[row]!, price),
        q,
        ...(isSpot ? {} : { nq: q }),
        f: firstTrade + row,
        l: firstTrade + next - 1,
        T: tsMs,
        m: trades.buyerIsMaker[row] === 1,
        ...(isSpot ? { M: true } : {}),
        micros: micros?.[id - firstOfDay] ?? 0,
      })
    }
    row = next
  }
  return rows
}
