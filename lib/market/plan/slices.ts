import { blake2b } from '@noble/hashes/blake2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { floorTo, HOUR_MS, type Interval, nextOpen, openOf, type TsMs } from '../../time.ts'

/** One request window of a paged endpoint: so many rows from a fixed grid. */
export type Slice = {
  /** `BTCUSDT:1m:1609459200000-1609519199999:1000`, both ends inclusive. */
  readonly key: string
  /** BLAKE2b-128 of endpoint, version and key, in hex. */
  readonly id: string
  readonly fromTsMs: TsMs
  /** The last millisecond. */
  readonly toTsMs: TsMs
  readonly limit: number
}

/** An endpoint as far as its paging goes. Another limit is another version: it makes other slices. */
export type SliceGrid = {
  readonly endpoint: string
  readonly version: number
  readonly limit: number
}

/** What is known of a slice. An empty slice that is `ok` is a fact about the market; a pending one is a gap in what we know. */
export type SliceRecord = {
  readonly key: string
  readonly id: string
  readonly status: 'pending' | 'ok' | 'failed'
  readonly httpStatus?: number
  readonly items?: number
  readonly firstTsMs?: TsMs
  readonly lastTsMs?: TsMs
  readonly attempts: number
  readonly error?: string
}

/**
 * The slices that cover [fromTsMs, toTsMs). They are anchored at the epoch, so that whatever range is asked for, the same
 * instant always lies in the same slice; and they tile: each begins in the millisecond after the one before it.
 */
export function slicesOf(grid: SliceGrid, symbol: string, interval: Interval, fromTsMs: TsMs, toTsMs: TsMs): Slice[] {
  const slices: Slice[] = []
  if (fromTsMs >= toTsMs) return slices
  const anchor = openOf(fromTsMs, interval)
  for (let from = sliceStart(anchor, interval, grid.limit); from < toTsMs; ) {
    const next = sliceEnd(from, interval, grid.limit)
    slices.push(sliceOf(grid, symbol, interval, from, next))
    from = next
  }
  return slices
}

/** Whole hours, for rows that come when they come: how many an hour holds nobody knows before, so that `limit` is the
 *  rows of a page and an hour may take several. */
export function hoursOf(grid: SliceGrid, symbol: string, fromTsMs: TsMs, toTsMs: TsMs): Slice[] {
  const slices: Slice[] = []
  for (let from = floorTo(fromTsMs, HOUR_MS); from < toTsMs; from += HOUR_MS) {
    slices.push(sliceOf(grid, symbol, '1h', from, from + HOUR_MS))
  }
  return slices
}

function sliceOf(
  { endpoint, version, limit }: SliceGrid,
  symbol: string,
  interval: Interval,
  from: TsMs,
  next: TsMs,
): Slice {
  const key = `${symbol}:${interval}:${from}-${next - 1}:${limit}`
  const digest = blake2b(utf8ToBytes(`${endpoint}@${version}:${key}`), { dkLen: 16 })
  return { key, id: bytesToHex(digest), fromTsMs: from, toTsMs: next - 1, limit }
}

/** Bars are counted from the one that holds the epoch; months from January 1970. */
function sliceStart(openTsMs: TsMs, interval: Interval, limit: number): TsMs {
  if (interval === '1M') {
    const count = monthCount(openTsMs)
    return monthAt(count - (count % limit))
  }
  const first = openOf(0, interval)
  const stepMs = nextOpen(first, interval) - first
  const bar = Math.round((openTsMs - first) / stepMs)
  return first + (bar - (((bar % limit) + limit) % limit)) * stepMs
}

function sliceEnd(fromTsMs: TsMs, interval: Interval, limit: number): TsMs {
  if (interval === '1M') return monthAt(monthCount(fromTsMs) + limit)
  return fromTsMs + (nextOpen(fromTsMs, interval) - fromTsMs) * limit
}

function monthCount(openTsMs: TsMs): number {
  let count = Math.max(0, Math.floor(openTsMs / (31 * 86_400_000)) - 1)
  while (monthAt(count) < openTsMs) count++
  return count
}

const monthStarts: TsMs[] = [0]
function monthAt(count: number): TsMs {
  while (monthStarts.length <= count) monthStarts.push(nextOpen(monthStarts.at(-1)!, '1M'))
  return monthStarts[count]!
}
