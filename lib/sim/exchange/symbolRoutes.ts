import { DAY_MS } from '../../time.ts'
import type { Instrument } from '../instrument.ts'
import type { Market } from '../market.ts'
import { ApiError, isServed } from './request.ts'

/** The venue's way to say that a perpetual never delivers: 2100-12-25. */
const NEVER_DELIVERS = 4133404800000
const DELISTING_NOTICE_MS = 7 * DAY_MS

export function futuresExchangeInfo(market: Market): unknown {
  return {
    timezone: 'UTC',
    serverTime: market.nowTsMs,
    futuresType: 'U_MARGINED',
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 2400 },
      { rateLimitType: 'ORDERS', interval: 'MINUTE', intervalNum: 1, limit: 1200 },
      { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 300 },
    ],
    exchangeFilters: [],
    assets: [
      { asset: 'USDT', marginAvailable: true, autoAssetExchange: '-10000' },
      { asset: 'BTC', marginAvailable: true, autoAssetExchange: null },
    ],
    symbols: market.instruments
      .filter((one) => one.spec.market === 'usdm' && isServed(market, one))
      .map((one, i) => futuresSymbol(market, one, i)),
  }
}

function futuresSymbol(market: Market, instrument: Instrument, i: number): unknown {
  const { spec, pxDecimals, qtyDecimals } = instrument
  const { nowTsMs } = market
  const isDelisted = spec.delistTsMs !== undefined && nowTsMs >= spec.delistTsMs
  const isAnnounced = spec.delistTsMs !== undefined && nowTsMs >= spec.delistTsMs - DELISTING_NOTICE_MS
  return {
    symbol: spec.symbol,
    pair: spec.symbol.replace(/_\d+$/, ''),
    contractType: spec.contractType,
    deliveryDate: spec.deliveryTsMs ?? (isAnnounced ? spec.delistTsMs : NEVER_DELIVERS),
    onboardDate: spec.onboardTsMs,
    status: nowTsMs < spec.onboardTsMs ? 'PENDING_TRADING' : isDelisted ? 'SETTLING' : 'TRADING',
    maintMarginPercent: '2.5000',
    requiredMarginPercent: '5.0000',
    baseAsset: spec.baseAsset,
    quoteAsset: spec.quoteAsset,
    marginAsset: spec.quoteAsset,
    pricePrecision: pxDecimals,
    quantityPrecision: qtyDecimals,
    baseAssetPrecision: 8,
    quotePrecision: 8,
    underlyingType: spec.underlyingType,
    underlyingSubType: spec.underlyingType === 'COIN' ? ['PoW'] : [],
    settlePlan: 0,
    triggerProtect: '0.0500',
    liquidationFee: '0.012500',
    marketTakeBound: '0.05',
    maxMoveOrderLimit: 10000,
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: spec.tickSize, maxPrice: '10000000', tickSize: spec.tickSize },
      { filterType: 'LOT_SIZE', minQty: spec.stepSize, maxQty: '10000000', stepSize: spec.stepSize },
      { filterType: 'MARKET_LOT_SIZE', minQty: spec.stepSize, maxQty: '1000000', stepSize: spec.stepSize },
      { filterType: 'MAX_NUM_ORDERS', limit: 200 },
      { filterType: 'MAX_NUM_ALGO_ORDERS', limit: 10 },
      { filterType: 'MIN_NOTIONAL', notional: spec.minNotional },
      // The venue writes the same field as text here and as a number there.
      {
        filterType: 'PERCENT_PRICE',
        multiplierUp: '1.0500',
        multiplierDown: '0.9500',
        multiplierDecimal: i % 2 === 0 ? '4' : 4,
      },
      { filterType: 'POSITION_RISK_CONTROL', positionControlSide: 'NONE', endTime: 0 },
    ],
    orderTypes: ['LIMIT', 'MARKET', 'STOP', 'STOP_MARKET', 'TAKE_PROFIT', 'TAKE_PROFIT_MARKET', 'TRAILING_STOP_MARKET'],
    timeInForce: ['GTC', 'IOC', 'FOK', 'GTX', 'GTD', 'RPI'],
  }
}

export function spotExchangeInfo(market: Market, query: URLSearchParams): unknown {
  const asked = query.get('symbol')
  const symbols = market.instruments.filter(
    (one) => one.spec.market === 'spot' && isServed(market, one) && (asked === null || one.spec.symbol === asked),
  )
  if (asked !== null && symbols.length === 0) throw new ApiError(-1121, 'Invalid symbol.')
  return {
    timezone: 'UTC',
    serverTime: market.nowTsMs,
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 6000 },
      { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 61000 },
    ],
    exchangeFilters: [],
    symbols: symbols.map(({ spec }) => ({
      symbol: spec.symbol,
      status:
        spec.onboardTsMs <= market.nowTsMs && market.nowTsMs < (spec.delistTsMs ?? Infinity) ? 'TRADING' : 'BREAK',
      baseAsset: spec.baseAsset,
      baseAssetPrecision: 8,
      quoteAsset: spec.quoteAsset,
      quotePrecision: 8,
      quoteAssetPrecision: 8,
      orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT_LIMIT'],
      icebergAllowed: true,
      isSpotTradingAllowed: true,
      isMarginTradingAllowed: false,
      filters: [
        { filterType: 'PRICE_FILTER', minPrice: spec.tickSize, maxPrice: '1000000.00000000', tickSize: spec.tickSize },
        { filterType: 'LOT_SIZE', minQty: spec.stepSize, maxQty: '9000000.00000000', stepSize: spec.stepSize },
        { filterType: 'NOTIONAL', minNotional: spec.minNotional, applyMinToMarket: true, avgPriceMins: 5 },
      ],
      permissions: [],
      permissionSets: [['SPOT']],
    })),
  }
}
