import assert from 'node:assert/strict'
import type { Interval, TsMs } from '../time.ts'

/** Rows of candles in time order. All numbers are integers on the grids that `formatsOf` names. */
export type Candles = {
  readonly interval: Interval
  readonly rows: number
  readonly openTsMs: ArrayLike<number>
  readonly open: ArrayLike<number>
  readonly high: ArrayLike<number>
  readonly low: ArrayLike<number>
  readonly close: ArrayLike<number>
  /** Trades; for mark, index and premium the number of samples, one a second. */
  readonly count: ArrayLike<number>
  /** Absent for mark, index and premium. */
  readonly flow?: {
    readonly lots: ArrayLike<number>
    readonly quote: ArrayLike<number>
    readonly buyLots: ArrayLike<number>
    readonly buyQuote: ArrayLike<number>
  }
}

export type CandleRows = {
  count(): number
  /** Adds one candle made of rows [from, to) of finer ones; none if there are none. A candle that opens where the last
   *  one does extends it. */
  add(finer: Candles, from: number, to: number, openTsMs: TsMs): void
  push(
    openTsMs: TsMs,
    open: number,
    high: number,
    low: number,
    close: number,
    count: number,
    lots: number,
    quote: number,
    buyLots: number,
    buyQuote: number,
  ): void
  take(): Candles
}

export function candleRows(interval: Interval, traded: boolean): CandleRows {
  const openTsMs: number[] = []
  const open: number[] = []
  const high: number[] = []
  const low: number[] = []
  const close: number[] = []
  const count: number[] = []
  const lots: number[] = []
  const quote: number[] = []
  const buyLots: number[] = []
  const buyQuote: number[] = []

  const push: CandleRows['push'] = (ts, o, h, l, c, n, v, q, bv, bq) => {
    assert.ok(q <= Number.MAX_SAFE_INTEGER, 'the turnover is exact')
    const at = openTsMs.length - 1
    if (at >= 0 && openTsMs[at] === ts) {
      high[at] = Math.max(high[at]!, h)
      low[at] = Math.min(low[at]!, l)
      close[at] = c
      count[at]! += n
      lots[at]! += v
      quote[at]! += q
      buyLots[at]! += bv
      buyQuote[at]! += bq
      assert.ok(quote[at]! <= Number.MAX_SAFE_INTEGER, 'the turnover is exact')
      return
    }
    openTsMs.push(ts)
    open.push(o)
    high.push(h)
    low.push(l)
    close.push(c)
    count.push(n)
    lots.push(v)
    quote.push(q)
    buyLots.push(bv)
    buyQuote.push(bq)
  }

  return {
    count: () => openTsMs.length,
    push,
    add(finer, from, to, ts) {
      const flow = finer.flow
      for (let row = from; row < to; row++) {
        push(
          ts,
          finer.open[row]!,
          finer.high[row]!,
          finer.low[row]!,
          finer.close[row]!,
          finer.count[row]!,
          flow === undefined ? 0 : flow.lots[row]!,
          flow === undefined ? 0 : flow.quote[row]!,
          flow === undefined ? 0 : flow.buyLots[row]!,
          flow === undefined ? 0 : flow.buyQuote[row]!,
        )
      }
    },
    take: () => ({
      interval,
      rows: openTsMs.length,
      openTsMs,
      open,
      high,
      low,
      close,
      count,
      ...(traded ? { flow: { lots, quote, buyLots, buyQuote } } : {}),
    }),
  }
}

export function lastRows(candles: Candles, limit: number): Candles {
  if (candles.rows <= limit) return candles
  const cut = (column: ArrayLike<number>) => Array.prototype.slice.call(column, candles.rows - limit) as number[]
  const { flow } = candles
  return {
    interval: candles.interval,
    rows: limit,
    openTsMs: cut(candles.openTsMs),
    open: cut(candles.open),
    high: cut(candles.high),
    low: cut(candles.low),
    close: cut(candles.close),
    count: cut(candles.count),
    ...(flow === undefined
      ? {}
      : {
          flow: {
            lots: cut(flow.lots),
            quote: cut(flow.quote),
            buyLots: cut(flow.buyLots),
            buyQuote: cut(flow.buyQuote),
          },
        }),
  }
}

/** First of the ascending `rows` values at or after `bound`. */
export function lowerBound(values: ArrayLike<number>, rows: number, bound: number): number {
  let low = 0
  let high = rows
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}
