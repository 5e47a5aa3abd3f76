import { nextOpen } from '../../time.ts'
import { formatNumber } from '../archive/textWriter.ts'
import type { Candles } from '../candleRows.ts'
import { type CandleFormats, type CandleKind, candlesBetween, formatsOf, newestCandles } from '../candles.ts'
import type { MarketKind } from '../config.ts'
import type { Market } from '../market.ts'
import { intervalParam, limitParam, rangeParams, servedInstrument } from './request.ts'

/** Weight of a futures candle request by its limit: 99 and 499 give the most rows for the weight. */
export function candleWeight(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? 500)
  if (limit < 100) return 1
  if (limit < 500) return 2
  return limit <= 1000 ? 5 : 10
}

/** Rows by open time, both ends included; only a start: the oldest from there; else the newest. */
export function candles(market: Market, query: URLSearchParams, venue: MarketKind, kind: CandleKind): unknown[][] {
  const instrument = servedInstrument(market, venue, query, kind === 'indexPriceKlines' ? 'pair' : 'symbol')
  const interval = intervalParam(query, (one) => one !== '1s' || venue === 'spot')
  const limit = limitParam(query, 500, venue === 'spot' ? 1000 : 1500)
  const { startTsMs, endTsMs } = rangeParams(query)
  const found =
    startTsMs === undefined
      ? newestCandles(market, instrument, kind, interval, endTsMs ?? market.nowTsMs, limit)
      : candlesBetween(market, instrument, kind, interval, startTsMs, (endTsMs ?? market.nowTsMs) + 1, limit)
  return candleRowsJson(found, formatsOf(instrument, kind))
}

function candleRowsJson(candles: Candles, { price, lots, quote }: CandleFormats): unknown[][] {
  const { interval, openTsMs, open, high, low, close, count, flow } = candles
  return Array.from({ length: candles.rows }, (_, row) => [
    openTsMs[row],
    formatNumber(open[row]!, price),
    formatNumber(high[row]!, price),
    formatNumber(low[row]!, price),
    formatNumber(close[row]!, price),
    flow === undefined ? '0' : formatNumber(flow.lots[row]!, lots),
    nextOpen(openTsMs[row]!, interval) - 1,
    flow === undefined ? '0' : formatNumber(flow.quote[row]!, quote),
    count[row],
    flow === undefined ? '0' : formatNumber(flow.buyLots[row]!, lots),
    flow === undefined ? '0' : formatNumber(flow.buyQuote[row]!, quote),
    '0',
  ])
}
