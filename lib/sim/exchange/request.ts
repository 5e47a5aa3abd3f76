import { type Interval, isInterval } from '../../time.ts'
import type { MarketKind } from '../config.ts'
import { type Instrument, rowsEndTsMs } from '../instrument.ts'
import type { Market } from '../market.ts'

export type SimRequest = {
  readonly method: string
  /** Path and query as sent: `/fapi/v1/klines?symbol=BTCUSDT`. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string | undefined>>
}

/** How the coin API counts the times it answers with: milliseconds, unless the request's header asks for more. */
export type TimeUnit = 'ms' | 'us'

export const timeUnitOf = ({ headers }: SimRequest): TimeUnit =>
  headers?.['x-mbx-time-unit']?.toUpperCase() === 'MICROSECOND' ? 'us' : 'ms'

export type SimResponse = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** What the wire does to the answer, where a fault says so. */
  readonly wire?: Wire
}

export type Wire =
  | { readonly kind: 'reset'; readonly afterBytes: number }
  | { readonly kind: 'slow'; readonly chunkBytes: number; readonly pauseMs: number }
  /** The length header promises the whole body, the connection ends before it. */
  | { readonly kind: 'truncated'; readonly afterBytes: number }

/** An answer of the venue that is no data: status and `{code,msg}`. */
export class ApiError extends Error {
  readonly status: number
  readonly code: number
  constructor(code: number, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

const missing = (name: string) =>
  new ApiError(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`)

/** Symbols the API knows: announced ones too, but none whose rows have ended. */
export function isServed(market: Market, { spec }: Instrument): boolean {
  return market.nowTsMs < rowsEndTsMs(spec)
}

export function servedInstrument(
  market: Market,
  kind: MarketKind,
  query: URLSearchParams,
  name: 'symbol' | 'pair' = 'symbol',
): Instrument {
  const symbol = query.get(name)
  if (!symbol) throw missing(name)
  const instrument = market.find(kind, symbol)
  if (instrument === undefined || !isServed(market, instrument)) throw new ApiError(-1121, 'Invalid symbol.')
  return instrument
}

export function intParam(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^[0-9]{1,16}$/.test(text)) {
    throw new ApiError(-1100, `Illegal characters found in parameter '${name}'; legal range is '^[0-9]{1,20}$'.`)
  }
  return Number(text)
}

export function limitParam(query: URLSearchParams, fallback: number, most: number): number {
  const limit = intParam(query, 'limit') ?? fallback
  if (limit < 1 || limit > most) throw new ApiError(-1130, "Data sent for parameter 'limit' is not valid.")
  return limit
}

export function intervalParam(query: URLSearchParams, allowed: (interval: Interval) => boolean): Interval {
  const text = query.get('interval')
  if (!text) throw missing('interval')
  if (!isInterval(text) || !allowed(text)) throw new ApiError(-1120, 'Invalid interval.')
  return text
}

export function rangeParams(query: URLSearchParams): { startTsMs: number | undefined; endTsMs: number | undefined } {
  const startTsMs = intParam(query, 'startTime')
  const endTsMs = intParam(query, 'endTime')
  if (startTsMs !== undefined && endTsMs !== undefined && startTsMs > endTsMs) {
    throw new ApiError(-1023, 'Start time is greater than end time.')
  }
  return { startTsMs, endTsMs }
}
