import type { TsMs } from '../../time.ts'
import type { MarketConfig } from '../config.ts'
import { createFaultState, type FaultPlan } from '../faults/plan.ts'
import { spoiledArray } from '../faults/rows.ts'
import { createMarket, type Market, marketAt } from '../market.ts'
import { type Bucket, createBucket, httpDate, noSuchKey } from './bucket.ts'
import { answerOf, wireOf } from './faultAnswers.ts'
import { createLimiter, documentedLimits, type Limits, type Verdict } from './limiter.ts'
import { ApiError, type SimRequest, type SimResponse, timeUnitOf } from './request.ts'
import { routes } from './routes.ts'

export type ExchangeOptions = {
  readonly limits?: Partial<Limits>
  readonly faults?: FaultPlan
  /** Milliseconds since the exchange opened. Limits and bans run on the market's present plus this; data does not:
   *  what the exchange knows stays fixed, so that the same questions get the same answers. */
  readonly elapsedMs?: () => number
}

/** The venue: a market behind its HTTP interface, with the memory that limits and faults need. */
export type Exchange = {
  handle(request: SimRequest): SimResponse
  /** Makes the archive file this asks for in small steps, so that others in the process may have their turn between
   *  them; `handle` then only hands it out. Nothing for other questions. */
  prepare(url: string): Iterable<void>
  /** Moves the present: later rows appear, earlier ones stay as they are. */
  advanceTo(nowTsMs: TsMs): void
  readonly nowTsMs: TsMs
  /** What was asked so far, for tests of politeness. */
  readonly tally: { requests: number; refused: number; weight: number }
}

export function createExchange(config: MarketConfig | Market, options: ExchangeOptions = {}): Exchange {
  let market = 'instruments' in config && 'find' in config ? config : createMarket(config)
  const openedTsMs = market.nowTsMs
  const elapsedMs = options.elapsedMs ?? (() => 0)
  const limiter = createLimiter({ ...documentedLimits, ...options.limits })
  const faults = createFaultState(options.faults ?? { rules: [] })
  let bucket: Bucket = createBucket(market, faults)
  const tally = { requests: 0, refused: 0, weight: 0 }

  return {
    tally,
    get nowTsMs() {
      return market.nowTsMs
    },
    advanceTo(nowTsMs) {
      market = marketAt(market, nowTsMs)
      bucket = createBucket(market, faults)
    },
    prepare(url) {
      const path = pathOf(url)
      return routes[path] === undefined ? bucket.prepare(keyOf(path)) : []
    },
    handle(request) {
      tally.requests++
      const clockTsMs = Math.floor(openedTsMs + elapsedMs())
      const struck = faults.strike(request.url)
      const replaced = struck === undefined ? undefined : answerOf(struck.kind, struck.rule, struck.count, clockTsMs)
      const response = replaced ?? answer(request, clockTsMs)
      const dated = { ...response, headers: { date: httpDate(clockTsMs), ...response.headers } }
      const wire = struck === undefined ? undefined : wireOf(struck.kind, response.body.length)
      return wire === undefined ? dated : { ...dated, wire }
    },
  }

  function answer(request: SimRequest, clockTsMs: TsMs): SimResponse {
    const url = new URL(request.url, 'http://exchange')
    const path = pathOf(request.url)
    const route = routes[path]
    if (route === undefined) return fromBucket(bucket, path, url.searchParams)
    const weight = route.weight(url.searchParams)
    const verdict = limiter.charge(route.pool, weight, clockTsMs)
    const isWeighed = route.pool === 'futures' || route.pool === 'spot'
    const headers: Record<string, string> = isWeighed ? { 'x-mbx-used-weight-1m': String(verdict.used) } : {}
    if (verdict.kind !== 'allowed') {
      tally.refused++
      return refusal(verdict, headers, route.pool === 'spot', clockTsMs)
    }
    tally.weight += isWeighed ? weight : 0
    try {
      const value = route.answer(market, url.searchParams, timeUnitOf(request))
      return json(200, Array.isArray(value) ? spoiledArray(faults, request.url, value) : value, headers)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return json(error.status, { code: error.code, msg: error.message }, headers)
    }
  }
}

/** One question to a market that has no limits, faults or memory. */
export function handleRequest(market: Market, request: SimRequest): SimResponse {
  return createExchange(market).handle(request)
}

const pathOf = (url: string): string => decodeURIComponent(new URL(url, 'http://exchange').pathname)

/** The same keys are served under the bucket's own host and, path style, under the storage host. */
const keyOf = (path: string): string => path.replace(/^\/(data\.binance\.vision(\/|$))?/, '')

function fromBucket(bucket: Bucket, path: string, query: URLSearchParams): SimResponse {
  const key = keyOf(path)
  if (key === '') {
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: Buffer.from(bucket.list(query)) }
  }
  const found = bucket.get(key)
  if (found === undefined) {
    return { status: 404, headers: { 'content-type': 'application/xml' }, body: Buffer.from(noSuchKey(key)) }
  }
  const headers = { 'content-type': found.contentType, 'last-modified': httpDate(found.lastModifiedTsMs) }
  return { status: 200, headers, body: found.body }
}

function refusal(
  verdict: Exclude<Verdict, { kind: 'allowed' }>,
  headers: Record<string, string>,
  isSpot: boolean,
  clockTsMs: TsMs,
): SimResponse {
  const waitMs = verdict.kind === 'banned' ? verdict.untilTsMs - clockTsMs : verdict.retryAfterMs
  // Spot documents Retry-After; the futures page does not mention it.
  const withWait = isSpot ? { ...headers, 'retry-after': String(Math.ceil(waitMs / 1000)) } : headers
  const msg =
    verdict.kind === 'banned'
      ? `Way too many requests; IP(127.0.0.1) banned until ${verdict.untilTsMs}. Please use the websocket for live updates to avoid bans.`
      : 'Too many requests; current limit of IP(127.0.0.1) is used up. Please use the websocket for live updates to avoid polling the API.'
  return json(verdict.kind === 'banned' ? 418 : 429, { code: -1003, msg }, withWait)
}

function json(status: number, value: unknown, headers: Record<string, string>): SimResponse {
  const body = Buffer.from(JSON.stringify(value))
  return { status, headers: { 'content-type': 'application/json;charset=UTF-8', ...headers }, body }
}
