import { formatScaled } from '../../decimal.ts'
import { DAY_MS, MINUTE_MS, openOf } from '../../time.ts'
import { formatNumber } from '../archive/textWriter.ts'
import { candlesBetween, formatsOf, rowsBefore } from '../candles.ts'
import type { MarketKind } from '../config.ts'
import type { Instrument } from '../instrument.ts'
import { type Market, openMinute } from '../market.ts'
import { ratioText } from '../positions.ts'
import { isServed, servedInstrument } from './request.ts'

export function ticker24h(market: Market, query: URLSearchParams, venue: MarketKind): unknown {
  if (query.get('symbol')) return ticker(market, servedInstrument(market, venue, query))
  return market.instruments
    .filter((one) => one.spec.market === venue && isServed(market, one) && one.spec.onboardTsMs <= market.nowTsMs)
    .map((one) => ticker(market, one))
}

/** The last 1,440 minutes, the one in progress as far as it has come. */
function ticker(market: Market, instrument: Instrument): Record<string, unknown> {
  const { price, lots, quote } = formatsOf(instrument, 'klines')
  const toTsMs = openMinute(market).tsMs
  const openTime = toTsMs - DAY_MS + MINUTE_MS
  const found = candlesBetween(market, instrument, 'klines', '1m', openTime, toTsMs + 1)
  const flow = found.flow!
  let [first, last, high, low, volume, turnover, count] = [-1, -1, 0, Number.MAX_SAFE_INTEGER, 0, 0, 0]
  for (let row = 0; row < found.rows; row++) {
    high = Math.max(high, found.high[row]!)
    low = Math.min(low, found.low[row]!)
    volume += flow.lots[row]!
    turnover += flow.quote[row]!
    count += found.count[row]!
    if (found.count[row] === 0) continue
    if (first < 0) first = row
    last = row
  }
  const isEmpty = found.rows === 0
  const open = isEmpty ? 0 : found.open[0]!
  const close = isEmpty ? 0 : found.close[found.rows - 1]!
  const lastTrade = last < 0 ? { lots: 0, id: -1 } : lastTradeOf(market, instrument, found.openTsMs[last]!)
  const change = close - open
  const percent = ratioText(Math.abs(change) * 100, open, 3)
  const { tickUnit, pxDecimals } = instrument
  const shared = {
    symbol: instrument.spec.symbol,
    priceChange: formatNumber(change, price),
    priceChangePercent: percent === '' ? '0.000' : change < 0 ? `-${percent}` : percent,
    weightedAvgPrice: volume === 0 ? formatNumber(0, price) : averageText(turnover, volume, tickUnit, pxDecimals),
    lastPrice: formatNumber(close, price),
    lastQty: formatNumber(lastTrade.lots, lots),
    openPrice: formatNumber(open, price),
    highPrice: formatNumber(high, price),
    lowPrice: formatNumber(isEmpty ? 0 : low, price),
    volume: formatNumber(volume, lots),
    quoteVolume: formatNumber(turnover, quote),
    openTime,
    closeTime: market.nowTsMs,
    firstId: lastTrade.id < 0 ? -1 : lastTrade.id - count + 1,
    lastId: lastTrade.id,
    count,
  }
  if (instrument.spec.market === 'usdm') return shared
  return {
    ...shared,
    prevClosePrice: formatNumber(open, price),
    bidPrice: formatNumber(Math.max(0, close - 1), price),
    bidQty: formatNumber(lastTrade.lots + 1, lots),
    askPrice: formatNumber(close + 1, price),
    askQty: formatNumber(lastTrade.lots + 2, lots),
  }
}

function averageText(turnover: number, volume: number, tickUnit: number, pxDecimals: number): string {
  return formatScaled((BigInt(turnover) * BigInt(tickUnit)) / BigInt(volume), pxDecimals)
}

function lastTradeOf(market: Market, instrument: Instrument, minuteTsMs: number): { lots: number; id: number } {
  const d = market.dayNumber(minuteTsMs)
  const minute = (minuteTsMs - openOf(minuteTsMs, '1d')) / MINUTE_MS
  const trades = market.trades(instrument, d, minute, minute + 1)
  const rows = rowsBefore(trades, market.nowTsMs)
  return { lots: trades.qtyLots[rows - 1]!, id: market.firstTradeId(instrument, d, minute) + rows - 1 }
}
