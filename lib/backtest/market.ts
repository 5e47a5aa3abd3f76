import assert from 'node:assert/strict'

import { Fault } from '../fault.ts'
import { formatUtc, MINUTE_MS } from '../time.ts'
import type { Instrument } from './instrument.ts'

/** Bars of one symbol in the instrument's units, ascending by open time; a missing bar is a missing row. */
export interface BarSeries {
  readonly openTsMs: Float64Array
  readonly openPx: Float64Array
  readonly highPx: Float64Array
  readonly lowPx: Float64Array
  readonly closePx: Float64Array
  readonly volumeQty: Float64Array
  /** 0 where nothing traded: nobody gets a fill in such a bar. */
  readonly tradeCount: ArrayLike<number>
  /** The mark price over the same rows, NaN where the venue published none. Without it, closes stand in. */
  readonly mark?: MarkSeries
}

export interface MarkSeries {
  readonly openPx: Float64Array
  readonly highPx: Float64Array
  readonly lowPx: Float64Array
  readonly closePx: Float64Array
}

/** Published settlements, ascending. */
export interface FundingSeries {
  /** Snapped already (`snapSettlementTsMs`). */
  readonly tsMs: Float64Array
  /** In 10^-18: venues publish eight decimals, and some up to eighteen. */
  readonly rateE18: BigInt64Array
  /** NaN where the venue gave none: the mark of that instant is taken and the settlement counted as estimated. */
  readonly markPx: Float64Array
}

/** Feature columns of one symbol. A row is in reach from `knownAtMs` and until it is `maxAgeMs` old. */
export interface ColumnSeries {
  readonly knownAtMs: Float64Array
  readonly maxAgeMs: number
  readonly values: Readonly<Record<string, Float64Array>>
}

/** From inclusive, to exclusive. */
export interface TimeSpan {
  readonly fromMs: number
  readonly toMs: number
}

export interface SymbolInput {
  readonly instrument: Instrument
  readonly bars: BarSeries
  readonly funding?: FundingSeries
  readonly columns?: ColumnSeries
  /** In force at the first instant from then on at which anything happens. */
  readonly delistTsMs?: number
  /** QA's verdicts, each from when it was knowable: no new orders and no fills inside, positions stay, funding accrues. */
  readonly quarantine?: readonly TimeSpan[]
}

/** Who may be traded from `tsMs` until the next change. */
export interface UniverseChange {
  readonly tsMs: number
  readonly symbols: readonly string[]
}

export interface MarketInput {
  readonly intervalMs: number
  readonly symbols: readonly SymbolInput[]
  /** Without it, every symbol with data belongs. */
  readonly universe?: readonly UniverseChange[]
}

/** The input in one fixed order, whatever order it came in: symbols by code units, so that no locale has a say. */
export function orderMarket(input: MarketInput): MarketInput {
  const symbols = [...input.symbols].sort((a, b) => (a.instrument.symbol < b.instrument.symbol ? -1 : 1))
  const universe = input.universe && [...input.universe].sort((a, b) => a.tsMs - b.tsMs)
  const known = new Set<string>()
  for (const s of symbols) {
    assert.ok(!known.has(s.instrument.symbol), `${s.instrument.symbol} is given twice`)
    known.add(s.instrument.symbol)
    checkSeries(s, input.intervalMs)
  }
  for (const change of universe ?? []) {
    for (const symbol of change.symbols) {
      if (!known.has(symbol)) {
        throw new Fault({
          code: 'failed',
          what: `the universe of ${formatUtc(change.tsMs)} names ${symbol}, which has no bars`,
          todo: 'ingest the union of all universes',
        })
      }
    }
  }
  return { intervalMs: input.intervalMs, symbols, universe }
}

/** Settlements carry stamps up to some 30 ms late. Unsnapped, they would settle on positions opened at that instant. */
export function snapSettlementTsMs(tsMs: number): number {
  const minute = Math.round(tsMs / MINUTE_MS) * MINUTE_MS
  return Math.abs(tsMs - minute) <= 1000 ? minute : tsMs
}

function checkSeries(input: SymbolInput, intervalMs: number): void {
  const { bars, funding, columns, instrument } = input
  const rows = bars.openTsMs.length
  const { openPx, highPx, lowPx, closePx, volumeQty, tradeCount, mark } = bars
  for (const column of [openPx, highPx, lowPx, closePx, volumeQty, tradeCount]) assert.equal(column.length, rows)
  if (mark) for (const column of [mark.openPx, mark.highPx, mark.lowPx, mark.closePx]) assert.equal(column.length, rows)
  for (let row = 0; row < rows; row++) {
    const sound = openPx[row]! > 0 && lowPx[row]! > 0 && highPx[row]! >= lowPx[row]! && closePx[row]! > 0
    if (!sound) fail(instrument.symbol, bars.openTsMs[row]!, 'has a bar without sound prices')
    if (row > 0 && bars.openTsMs[row]! - bars.openTsMs[row - 1]! < intervalMs) {
      fail(instrument.symbol, bars.openTsMs[row]!, 'has a bar that begins before the one before it ended')
    }
  }
  if (funding) {
    for (let i = 1; i < funding.tsMs.length; i++) {
      if (!(funding.tsMs[i]! > funding.tsMs[i - 1]!)) fail(instrument.symbol, funding.tsMs[i]!, 'settles funding twice')
    }
  }
  for (const name in columns?.values) assert.equal(columns!.values[name]!.length, columns!.knownAtMs.length)
}

function fail(symbol: string, tsMs: number, what: string): never {
  throw new Fault({ code: 'failed', what: `${symbol} ${what}: ${formatUtc(tsMs)}`, where: symbol })
}

/** The first delisting after an instant that is known in advance; Infinity without one. */
export function nextDelistMs({ symbols }: MarketInput, afterMs: number): number {
  let next = Infinity
  for (const { delistTsMs } of symbols) {
    if (delistTsMs !== undefined && delistTsMs > afterMs && delistTsMs < next) next = delistTsMs
  }
  return next
}
