import { formatScaled } from '../../decimal.ts'
import { DAY_MS, dayStart, monthStart, nextOpen } from '../../time.ts'
import { type CandleKind, candlesBetween, formatsOf, minuteCandles } from '../candles.ts'
import { settlements } from '../funding.ts'
import type { Instrument } from '../instrument.ts'
import type { Market } from '../market.ts'
import { candleHeader, writeCandles } from './candleCsv.ts'
import { type ArchiveFile, periodOf } from './keys.ts'
import { writeMetrics } from './metricsCsv.ts'
import type { TextPiece } from './textPiece.ts'
import { createTextWriter } from './textWriter.ts'
import { aggTradeHeader, tradeHeader, writeTrades } from './tradeCsv.ts'

// Old files were never rebuilt: what the bucket holds changed form at these dates.
const SPOT_MICROSECONDS_FROM = dayStart('2025-01-01')
const CANDLE_HEADER_FROM = monthStart('2022-05')
const TRADE_HEADER_FROM = dayStart('2022-08-11')

const fundingHeader = 'calc_time,funding_interval_hours,last_funding_rate\n'

/** The csv of an archive file in pieces of about a day. */
export function* csvPieces(market: Market, instrument: Instrument, file: ArchiveFile): Generator<TextPiece> {
  const { fromTsMs, toTsMs } = periodOf(file)
  const isFuture = file.market === 'usdm'
  const factor = !isFuture && fromTsMs >= SPOT_MICROSECONDS_FROM ? 1000 : 1
  const { kind, interval } = file
  const writer = createTextWriter()
  if (interval !== undefined) {
    if (isFuture && fromTsMs >= CANDLE_HEADER_FROM) writer.text(candleHeader)
    const formats = formatsOf(instrument, kind as CandleKind)
    // Bars of a day and more are few, and may begin before the piece that would look for them.
    const pieceMs = nextOpen(fromTsMs, interval) - fromTsMs >= DAY_MS ? toTsMs - fromTsMs : DAY_MS
    for (let from = fromTsMs; from < toTsMs; from += pieceMs) {
      const candles =
        interval === '1m'
          ? minuteCandles(market, instrument, kind as CandleKind, from)
          : candlesBetween(market, instrument, kind as CandleKind, interval, from, from + pieceMs)
      writeCandles(writer, candles, formats, factor)
      yield writer.take()
    }
    return
  }
  if (kind === 'fundingRate') {
    writer.text(fundingHeader)
    for (const { tsMs, hours, rate } of settlements(market, instrument, fromTsMs, toTsMs - 1)) {
      writer.text(`${tsMs},${hours},${formatScaled(rate, 8)}\n`)
    }
    yield writer.take()
    return
  }
  const isAggregate = kind === 'aggTrades'
  if (isFuture && kind !== 'metrics' && fromTsMs >= TRADE_HEADER_FROM) {
    writer.text(isAggregate ? aggTradeHeader : tradeHeader)
  }
  for (let dayTsMs = fromTsMs; dayTsMs < toTsMs; dayTsMs += DAY_MS) {
    if (kind === 'metrics') writeMetrics(writer, market, instrument, dayTsMs)
    else writeTrades(writer, market, instrument, dayTsMs, isAggregate, factor)
    yield writer.take()
  }
}
