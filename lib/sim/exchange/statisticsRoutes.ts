import { formatScaled } from '../../decimal.ts'
import { DAY_MS, floorTo, type Interval, intervalMs } from '../../time.ts'
import { candlesBetween } from '../candles.ts'
import type { Instrument } from '../instrument.ts'
import type { Market } from '../market.ts'
import { FIVE_MINUTES_MS, openInterestLots, openInterestValue, ratiosAt, ratioText, takerLots } from '../positions.ts'
import { ApiError, limitParam, rangeParams, servedInstrument } from './request.ts'

const periods = ['5m', '15m', '30m', '1h', '2h', '4h', '6h', '12h', '1d'] as const satisfies Interval[]
const WINDOW_MS = 30 * DAY_MS

/** Instants on the period's grid that the request asks for, ascending. Every statistic is labelled by the end of its
 *  period: stocks are taken at that instant, flows cover the period before it. */
function stamps(market: Market, instrument: Instrument, query: URLSearchParams): { stepMs: number; at: number[] } {
  const period = periods.find((one) => one === query.get('period'))
  if (period === undefined) throw new ApiError(-1130, "Data sent for parameter 'period' is not valid.")
  const limit = limitParam(query, 30, 500)
  const { startTsMs, endTsMs } = rangeParams(query)
  const stepMs = intervalMs(period)
  const oldest = market.nowTsMs - WINDOW_MS
  if (startTsMs !== undefined && startTsMs < oldest) {
    throw new ApiError(-1130, "Data sent for parameter 'startTime' is not valid.")
  }
  const first = Math.max(startTsMs ?? oldest, oldest, instrument.spec.onboardTsMs)
  const last = floorTo(Math.min(endTsMs ?? market.nowTsMs, market.nowTsMs), stepMs)
  const at: number[] = []
  for (let tsMs = Math.ceil(first / stepMs) * stepMs; tsMs <= last; tsMs += stepMs) at.push(tsMs)
  return { stepMs, at: startTsMs === undefined ? at.slice(-limit) : at.slice(0, limit) }
}

const lotsText = (instrument: Instrument, lots: number): string =>
  formatScaled(lots * instrument.lotUnit, instrument.qtyDecimals)

export function openInterest(market: Market, query: URLSearchParams): unknown {
  const instrument = servedInstrument(market, 'usdm', query)
  const lots = openInterestLots(market, instrument, floorTo(market.nowTsMs, FIVE_MINUTES_MS))
  return { symbol: instrument.spec.symbol, openInterest: lotsText(instrument, lots), time: market.nowTsMs }
}

export function openInterestHist(market: Market, query: URLSearchParams): unknown[] {
  const instrument = servedInstrument(market, 'usdm', query)
  return stamps(market, instrument, query).at.map((timestamp) => {
    const lots = openInterestLots(market, instrument, timestamp)
    return {
      symbol: instrument.spec.symbol,
      sumOpenInterest: lotsText(instrument, lots),
      sumOpenInterestValue: openInterestValue(market, instrument, lots, timestamp),
      CMCCirculatingSupply: '165880.538',
      timestamp,
    }
  })
}

export function takerRatio(market: Market, query: URLSearchParams): unknown[] {
  const instrument = servedInstrument(market, 'usdm', query)
  const { at, stepMs } = stamps(market, instrument, query)
  return at.map((timestamp) => {
    const { buy, sell } = takerLots(market, instrument, timestamp - stepMs, timestamp)
    return {
      buySellRatio: ratioText(buy, sell, 4),
      sellVol: lotsText(instrument, sell),
      buyVol: lotsText(instrument, buy),
      timestamp,
    }
  })
}

export function longShortRatio(
  market: Market,
  query: URLSearchParams,
  which: 'topAccounts' | 'topPositions' | 'allAccounts',
): unknown[] {
  const instrument = servedInstrument(market, 'usdm', query)
  return stamps(market, instrument, query).at.map((timestamp) => {
    const ratio = ratiosAt(market, instrument, timestamp)[which]
    return {
      symbol: instrument.spec.symbol,
      longAccount: ratioText(ratio, ratio + 1e8, 4),
      longShortRatio: ratioText(ratio, 1e8, 4),
      shortAccount: ratioText(1e8, ratio + 1e8, 4),
      timestamp,
    }
  })
}

export function basis(market: Market, query: URLSearchParams): unknown[] {
  const contractType = query.get('contractType')
  const pair = query.get('pair')
  const instrument = market.instruments.find(
    ({ spec }) =>
      spec.market === 'usdm' && spec.symbol.replace(/_\d+$/, '') === pair && spec.contractType === contractType,
  )
  if (instrument === undefined) throw new ApiError(-1121, 'Invalid symbol.')
  return stamps(market, instrument, query).at.map((timestamp) => {
    const before = timestamp - 60_000
    const last = candlesBetween(market, instrument, 'klines', '1m', before, timestamp)
    const index = candlesBetween(market, instrument, 'indexPriceKlines', '1m', before, timestamp)
    if (last.rows === 0 || index.rows === 0) return { pair, contractType, timestamp, basis: '', basisRate: '' }
    const futures = last.close[0]! * instrument.tickUnit * Number(`1e${8 - instrument.pxDecimals}`)
    const spot = index.close[0]!
    const difference = futures - spot
    const rate = ratioText(Math.abs(difference), spot, 4)
    return {
      indexPrice: formatScaled(spot, 8),
      contractType,
      basisRate: difference < 0 ? `-${rate}` : rate,
      futuresPrice: formatScaled(futures, 8),
      annualizedBasisRate: '',
      basis: formatScaled(difference, 8),
      pair,
      timestamp,
    }
  })
}
