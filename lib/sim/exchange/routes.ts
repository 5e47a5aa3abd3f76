import type { Market } from '../market.ts'
import { candles, candleWeight } from './candleRoutes.ts'
import { fundingInfo, fundingRate, premiumIndex } from './fundingRoutes.ts'
import type { Pool } from './limiter.ts'
import type { TimeUnit } from './request.ts'
import { basis, longShortRatio, openInterest, openInterestHist, takerRatio } from './statisticsRoutes.ts'
import { futuresExchangeInfo, spotExchangeInfo } from './symbolRoutes.ts'
import { ticker24h } from './tickerRoutes.ts'
import { aggTrades } from './tradeRoutes.ts'

/** One endpoint: the pool it draws on, how much, and what it answers as a JSON value. */
export type Route = {
  readonly pool: Pool
  readonly weight: (query: URLSearchParams) => number
  readonly answer: (market: Market, query: URLSearchParams, timeUnit: TimeUnit) => unknown
}

type Answer = Route['answer']

const fixed =
  (pool: Pool) =>
  (weight: number, answer: Answer): Route => ({ pool, weight: () => weight, answer })
const futures = fixed('futures')
const funding = fixed('funding')
const statistics = fixed('statistics')
const spot = fixed('spot')

const bySymbol =
  (one: number, all: number) =>
  (query: URLSearchParams): number =>
    query.get('symbol') ? one : all

const time: Answer = (market) => ({ serverTime: market.nowTsMs })
const ping: Answer = () => ({})

/** The whole API. Requests of the funding and statistics pools count one each, outside the weight. */
export const routes: Readonly<Record<string, Route>> = {
  '/fapi/v1/ping': futures(1, ping),
  '/fapi/v1/time': futures(1, time),
  '/fapi/v1/exchangeInfo': futures(1, futuresExchangeInfo),
  '/fapi/v1/ticker/24hr': { pool: 'futures', weight: bySymbol(1, 40), answer: (m, q) => ticker24h(m, q, 'usdm') },
  '/fapi/v1/klines': { pool: 'futures', weight: candleWeight, answer: (m, q) => candles(m, q, 'usdm', 'klines') },
  '/fapi/v1/markPriceKlines': {
    pool: 'futures',
    weight: candleWeight,
    answer: (m, q) => candles(m, q, 'usdm', 'markPriceKlines'),
  },
  '/fapi/v1/indexPriceKlines': {
    pool: 'futures',
    weight: candleWeight,
    answer: (m, q) => candles(m, q, 'usdm', 'indexPriceKlines'),
  },
  '/fapi/v1/premiumIndexKlines': {
    pool: 'futures',
    weight: candleWeight,
    answer: (m, q) => candles(m, q, 'usdm', 'premiumIndexKlines'),
  },
  '/fapi/v1/premiumIndex': { pool: 'futures', weight: bySymbol(1, 10), answer: premiumIndex },
  '/fapi/v1/aggTrades': futures(20, (m, q) => aggTrades(m, q, 'usdm')),
  '/fapi/v1/openInterest': futures(1, openInterest),
  '/fapi/v1/fundingRate': funding(1, fundingRate),
  '/fapi/v1/fundingInfo': funding(1, fundingInfo),
  '/futures/data/openInterestHist': statistics(1, openInterestHist),
  '/futures/data/takerlongshortRatio': statistics(1, takerRatio),
  '/futures/data/globalLongShortAccountRatio': statistics(1, (m, q) => longShortRatio(m, q, 'allAccounts')),
  '/futures/data/topLongShortAccountRatio': statistics(1, (m, q) => longShortRatio(m, q, 'topAccounts')),
  '/futures/data/topLongShortPositionRatio': statistics(1, (m, q) => longShortRatio(m, q, 'topPositions')),
  '/futures/data/basis': statistics(1, basis),
  '/api/v3/ping': spot(1, ping),
  '/api/v3/time': spot(1, time),
  '/api/v3/exchangeInfo': spot(20, spotExchangeInfo),
  '/api/v3/klines': spot(2, (m, q) => candles(m, q, 'spot', 'klines')),
  '/api/v3/aggTrades': spot(4, (m, q, unit) => aggTrades(m, q, 'spot', unit)),
  '/api/v3/ticker/24hr': { pool: 'spot', weight: bySymbol(2, 80), answer: (m, q) => ticker24h(m, q, 'spot') },
}
