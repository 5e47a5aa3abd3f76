import type { Interval, TsMs } from '../time.ts'
import type { VenueRequest } from './ask.ts'
import { fundingRequests, statisticsRequests, usdmWeight } from './budgets.ts'

/** Bars of the contract, and of the prices behind it. */
export const barKinds = ['klines', 'markPriceKlines', 'indexPriceKlines', 'premiumIndexKlines'] as const
export type BarKind = (typeof barKinds)[number]

/** Inclusive on both sides, as the venue takes them; no more rows than `limit`, oldest first. */
export type PageQuery = {
  readonly symbol: string
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
  readonly limit: number
}

/** Rows for the weight are best at 99 and 499: sources differ on where a bracket ends, so its last row is left alone. */
export const barsPerRequest = 499
/** A settlement an hour is the most there is: so many cover forty days. */
export const fundingRatesPerRequest = 999
export const statisticsPerRequest = 499
export const aggTradesPerRequest = 1000

const queryText = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')

const range = ({ fromTsMs, toTsMs, limit }: PageQuery) => ({ startTime: fromTsMs, endTime: toTsMs, limit })

const barWeight = (limit: number): number => (limit < 100 ? 1 : limit < 500 ? 2 : limit <= 1000 ? 5 : 10)

export const serverTimeRequest: VenueRequest = {
  host: 'usdm',
  path: '/fapi/v1/time',
  expects: 'json',
  budget: { pool: usdmWeight, weight: 1 },
}

export const exchangeInfoRequest: VenueRequest = {
  host: 'usdm',
  path: '/fapi/v1/exchangeInfo',
  expects: 'json',
  budget: { pool: usdmWeight, weight: 1 },
}

export const tickerRequest: VenueRequest = {
  host: 'usdm',
  path: '/fapi/v1/ticker/24hr',
  expects: 'json',
  budget: { pool: usdmWeight, weight: 40 },
}

/** Index prices are asked for by pair, which for perpetuals is spelled like the symbol. */
export function barsRequest(kind: BarKind, interval: Interval, query: PageQuery): VenueRequest {
  const name = kind === 'indexPriceKlines' ? 'pair' : 'symbol'
  return {
    host: 'usdm',
    path: `/fapi/v1/${kind}?${queryText({ [name]: query.symbol, interval, ...range(query) })}`,
    expects: 'json',
    budget: { pool: usdmWeight, weight: barWeight(query.limit) },
  }
}

export function fundingRateRequest(query: PageQuery): VenueRequest {
  return {
    host: 'usdm',
    path: `/fapi/v1/fundingRate?${queryText({ symbol: query.symbol, ...range(query) })}`,
    expects: 'json',
    budget: { pool: fundingRequests, weight: 1 },
  }
}

/** From an instant, or from a row on: the venue takes one or the other. */
export function aggTradesQuery({ symbol, limit, ...from }: AggTradesQuery): string {
  const start: Readonly<Record<string, number>> =
    'fromId' in from ? { fromId: from.fromId } : { startTime: from.fromTsMs, endTime: from.toTsMs }
  return queryText({ symbol, ...start, limit })
}

export const aggTradesRequest = (query: AggTradesQuery): VenueRequest => ({
  host: 'usdm',
  path: `/fapi/v1/aggTrades?${aggTradesQuery(query)}`,
  expects: 'json',
  budget: { pool: usdmWeight, weight: 20 },
})
export type AggTradesQuery = PageQuery | { readonly symbol: string; readonly limit: number; readonly fromId: number }

export const statisticsKinds = ['openInterestHist', 'takerlongshortRatio'] as const
export type StatisticsKind = (typeof statisticsKinds)[number]

export function statisticsRequest(kind: StatisticsKind, period: string, query: PageQuery): VenueRequest {
  return {
    host: 'usdm',
    path: `/futures/data/${kind}?${queryText({ symbol: query.symbol, period, ...range(query) })}`,
    expects: 'json',
    budget: { pool: statisticsRequests, weight: 1 },
  }
}
