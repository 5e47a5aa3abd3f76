import { formatScaled } from '../../decimal.ts'
import { DAY_MS } from '../../time.ts'
import { type CandleKind, newestCandles } from '../candles.ts'
import { fundingEstimate, fundingHours, type Settlement, settlements } from '../funding.ts'
import { FUNDING_CAP } from '../fundingRule.ts'
import type { Instrument } from '../instrument.ts'
import type { Market } from '../market.ts'
import { isServed, limitParam, rangeParams, servedInstrument } from './request.ts'

const RECENT_RECORDS = 200

/** Published settlements, oldest first. Without times the most recent ones. */
export function fundingRate(market: Market, query: URLSearchParams): unknown[] {
  const asked = query.get('symbol') ? [servedInstrument(market, 'usdm', query)] : funded(market)
  const { startTsMs, endTsMs } = rangeParams(query)
  const isRecent = startTsMs === undefined && endTsMs === undefined
  const limit = limitParam(query, isRecent ? RECENT_RECORDS : 100, 1000)
  const to = endTsMs ?? market.nowTsMs
  // Without a start the newest `limit` count: no symbol settles more often than every hour.
  const from = startTsMs ?? Math.max(market.config.startTsMs, to - Math.ceil((limit / 3 + 2) * DAY_MS))
  const found: (Settlement & { symbol: string })[] = []
  for (const one of asked) {
    for (const row of settlements(market, one, from, to)) found.push({ ...row, symbol: one.spec.symbol })
  }
  found.sort((a, b) => a.tsMs - b.tsMs || (a.symbol < b.symbol ? -1 : 1))
  const page = startTsMs === undefined ? found.slice(-limit) : found.slice(0, limit)
  return page.map(({ symbol, tsMs, rate, mark }) => ({
    symbol,
    fundingTime: tsMs,
    fundingRate: formatScaled(rate, 8),
    markPrice: formatScaled(mark(), 8),
    rateType: 'Regular',
  }))
}

const funded = (market: Market): Instrument[] =>
  market.instruments.filter((one) => one.spec.funding.length > 0 && isServed(market, one))

/** Only contracts whose funding was ever adjusted are listed. */
export function fundingInfo(market: Market): unknown[] {
  return funded(market)
    .filter((one) => one.spec.funding.length > 1)
    .map((one) => ({
      symbol: one.spec.symbol,
      adjustedFundingRateCap: formatScaled(FUNDING_CAP, 8),
      adjustedFundingRateFloor: formatScaled(-FUNDING_CAP, 8),
      fundingIntervalHours: fundingHours(one, market.nowTsMs),
      disclaimer: false,
    }))
}

export function premiumIndex(market: Market, query: URLSearchParams): unknown {
  if (query.get('symbol')) return premiumOf(market, servedInstrument(market, 'usdm', query))
  return market.instruments
    .filter((one) => one.spec.market === 'usdm' && isServed(market, one) && one.spec.onboardTsMs <= market.nowTsMs)
    .map((one) => premiumOf(market, one))
}

function premiumOf(market: Market, instrument: Instrument): unknown {
  const latest = (kind: CandleKind): string => {
    const { close, rows } = newestCandles(market, instrument, kind, '1m', market.nowTsMs, 1)
    return rows === 0 ? '0' : formatScaled(close[0]!, 8)
  }
  const estimate = fundingEstimate(market, instrument)
  const isFunded = instrument.spec.funding.length > 0
  const index = latest('indexPriceKlines')
  return {
    symbol: instrument.spec.symbol,
    markPrice: latest('markPriceKlines'),
    indexPrice: index,
    estimatedSettlePrice: index,
    lastFundingRate: estimate === undefined ? '' : formatScaled(estimate.rate, 8),
    interestRate: isFunded ? '0.00010000' : '',
    nextFundingTime: estimate?.dueTsMs ?? 0,
    time: market.nowTsMs,
  }
}
