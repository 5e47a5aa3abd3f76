import { lowerBound } from '../minute/bars.ts'
import type { Rng } from '../rng.ts'
import type { BacktestResult } from './engine.ts'
import type { BarSeries, ColumnSeries, FundingSeries, MarketInput, MarkSeries, SymbolInput } from './market.ts'

/** A part of the market whose future can be drawn anew by itself, or a declared column by its name. */
export const marketParts = ['open', 'high', 'low', 'close', 'volume', 'mark', 'funding', 'universe'] as const
export type MarketPart = (typeof marketParts)[number] | { readonly column: string }

/** Which futures are drawn anew: all of them unless said. */
export interface FutureChoice {
  readonly parts?: readonly MarketPart[]
  readonly symbols?: ReadonlySet<string>
}

/** The same market up to `nowMs`, with another future: whatever was not known by then is drawn anew. A backtest of it must
 *  decide and book the same up to `nowMs`; where it does not, something looked ahead. Stamps, trade counts and delistings
 *  are kept, so that both futures have the same instants. */
export function withOtherFuture(market: MarketInput, nowMs: number, rng: Rng, choice: FutureChoice = {}): MarketInput {
  const wanted = (part: (typeof marketParts)[number]) => choice.parts === undefined || choice.parts.includes(part)
  return {
    ...market,
    symbols: market.symbols.map((symbol) =>
      choice.symbols?.has(symbol.instrument.symbol) === false
        ? symbol
        : otherFuture(symbol, market.intervalMs, nowMs, rng, choice.parts),
    ),
    universe: wanted('universe')
      ? market.universe?.map((change) =>
          change.tsMs <= nowMs ? change : { ...change, symbols: change.symbols.filter(() => rng.below(2) === 0) },
        )
      : market.universe,
  }
}

/** Another market altogether, at the same instants: each price path goes along with a walk of its own, as wild as the path
 *  is; rates, volumes and columns are drawn anew. Whoever decides there as he did here does not look at any of it. */
export function otherMarket(market: MarketInput, rng: Rng): MarketInput {
  return {
    ...market,
    symbols: market.symbols.map((symbol) => {
      const columns = Object.keys(symbol.columns?.values ?? {}).map((column) => ({ column }))
      const never = Number.NEGATIVE_INFINITY
      const other = otherFuture(symbol, market.intervalMs, never, rng, ['volume', 'funding', ...columns])
      return { ...other, bars: walkedBars(other.bars, rng) }
    }),
  }
}

function walkedBars(bars: BarSeries, rng: Rng): BarSeries {
  const { closePx, mark } = bars
  let squares = 0
  for (let row = 1; row < closePx.length; row++) {
    const change = closePx[row]! / closePx[row - 1]! - 1
    squares += change * change
  }
  const stepSize = Math.sqrt(squares / Math.max(1, closePx.length - 1))
  let factor = 1
  const factors = closePx.map(() => (factor *= Math.max(0.5, 1 + stepSize * rng.normal())))
  // NaN, a mark that was never published, stays NaN.
  const walked = (values: Float64Array) =>
    values.map((value, row) => (Number.isNaN(value) ? value : Math.max(1, Math.round(value * factors[row]!))))
  const walkedPrices = <T extends MarkSeries>(prices: T) => ({
    openPx: walked(prices.openPx),
    highPx: walked(prices.highPx),
    lowPx: walked(prices.lowPx),
    closePx: walked(prices.closePx),
  })
  return { ...bars, ...walkedPrices(bars), ...(mark === undefined ? {} : { mark: walkedPrices(mark) }) }
}

function otherFuture(
  symbol: SymbolInput,
  intervalMs: number,
  nowMs: number,
  rng: Rng,
  parts: readonly MarketPart[] | undefined,
): SymbolInput {
  const { bars, funding, columns } = symbol
  const wants = (part: (typeof marketParts)[number]) => parts === undefined || parts.includes(part)
  const wantsColumn = (name: string) =>
    parts === undefined || parts.some((part) => typeof part === 'object' && part.column === name)
  const [open, high, low, close] = [wants('open'), wants('high'), wants('low'), wants('close')]
  // All together are scaled by one factor a row, which keeps high above low; one alone moves within what the others allow.
  const drawn = open && high && low && close ? scaledBars : boundedBars
  const changed = drawn(bars, intervalMs, nowMs, rng, { open, high, low, close })
  return {
    ...symbol,
    bars: {
      ...changed,
      volumeQty: wants('volume') ? otherVolume(bars, nowMs, rng) : bars.volumeQty,
      ...(bars.mark === undefined ? {} : { mark: wants('mark') ? otherMark(bars, intervalMs, nowMs, rng) : bars.mark }),
    },
    ...(funding === undefined ? {} : { funding: wants('funding') ? otherFunding(funding, nowMs, rng) : funding }),
    ...(columns === undefined ? {} : { columns: otherColumns(columns, nowMs, rng, wantsColumn) }),
  }
}

interface PriceChoice {
  readonly open: boolean
  readonly high: boolean
  readonly low: boolean
  readonly close: boolean
}

/** The first row that is not known at `nowMs`, as it has not closed; and the first that has not even opened. A bar that
 *  is open now has an open that venues fill at: it stays. */
const futureRows = ({ openTsMs }: BarSeries, intervalMs: number, nowMs: number) => ({
  closing: lowerBound(openTsMs, nowMs - intervalMs + 1),
  opening: lowerBound(openTsMs, nowMs + 1),
})

function scaledBars(bars: BarSeries, intervalMs: number, nowMs: number, rng: Rng): BarSeries {
  const { closing, opening } = futureRows(bars, intervalMs, nowMs)
  const openPx = bars.openPx.slice()
  const highPx = bars.highPx.slice()
  const lowPx = bars.lowPx.slice()
  const closePx = bars.closePx.slice()
  for (let row = closing; row < closePx.length; row++) {
    const factor = 0.5 + rng.uniform()
    const scaled = (value: number) => Math.max(1, Math.round(value * factor))
    if (row >= opening) openPx[row] = scaled(openPx[row]!)
    highPx[row] = scaled(highPx[row]!)
    lowPx[row] = scaled(lowPx[row]!)
    closePx[row] = scaled(closePx[row]!)
  }
  return { ...bars, openPx, highPx, lowPx, closePx }
}

function boundedBars(bars: BarSeries, intervalMs: number, nowMs: number, rng: Rng, wants: PriceChoice): BarSeries {
  const { closing, opening } = futureRows(bars, intervalMs, nowMs)
  const within = (row: number) => {
    const low = bars.lowPx[row]!
    return low + rng.below(bars.highPx[row]! - low + 1)
  }
  const drawn = (isWanted: boolean, values: Float64Array, from: number, of: (row: number) => number) => {
    if (!isWanted) return values
    const changed = values.slice()
    for (let row = from; row < changed.length; row++) changed[row] = of(row)
    return changed
  }
  return {
    ...bars,
    openPx: drawn(wants.open, bars.openPx, opening, within),
    highPx: drawn(wants.high, bars.highPx, closing, (row) => Math.round(bars.highPx[row]! * (1 + 0.5 * rng.uniform()))),
    lowPx: drawn(wants.low, bars.lowPx, closing, (row) =>
      Math.max(1, Math.round(bars.lowPx[row]! * (1 - 0.5 * rng.uniform()))),
    ),
    closePx: drawn(wants.close, bars.closePx, closing, within),
  }
}

/** The bar open now keeps its volume: the share cap of fills at its open is the venue's knowledge, not the strategy's. */
function otherVolume(bars: BarSeries, nowMs: number, rng: Rng): Float64Array {
  const volumeQty = bars.volumeQty.slice()
  for (let row = lowerBound(bars.openTsMs, nowMs + 1); row < volumeQty.length; row++) {
    volumeQty[row] = Math.round(volumeQty[row]! * (0.5 + rng.uniform()))
  }
  return volumeQty
}

function otherMark(bars: BarSeries, intervalMs: number, nowMs: number, rng: Rng): BarSeries['mark'] {
  const { mark, ...rest } = bars
  const { openPx, highPx, lowPx, closePx } = scaledBars({ ...rest, ...mark! }, intervalMs, nowMs, rng)
  // NaN is a mark that was never published; the factor keeps it, the rounding to at least 1 does not.
  const kept = (values: Float64Array, before: Float64Array) => {
    for (let row = 0; row < values.length; row++) if (Number.isNaN(before[row]!)) values[row] = Number.NaN
    return values
  }
  return {
    openPx: kept(openPx, mark!.openPx),
    highPx: kept(highPx, mark!.highPx),
    lowPx: kept(lowPx, mark!.lowPx),
    closePx: kept(closePx, mark!.closePx),
  }
}

function otherFunding(funding: FundingSeries, nowMs: number, rng: Rng): FundingSeries {
  const rateE18 = funding.rateE18.map((rate, i) =>
    funding.tsMs[i]! > nowMs ? BigInt(Math.round(1e5 * rng.normal())) * 10_000_000_000n : rate,
  )
  return { ...funding, rateE18 }
}

function otherColumns(columns: ColumnSeries, nowMs: number, rng: Rng, wants: (name: string) => boolean): ColumnSeries {
  const values = Object.entries(columns.values).map(([name, before]) => {
    if (!wants(name)) return [name, before] as const
    const after = before.slice()
    for (let row = lowerBound(columns.knownAtMs, nowMs + 1); row < after.length; row++) after[row] = rng.normal()
    return [name, after] as const
  })
  return { ...columns, values: Object.fromEntries(values) }
}

/** Where two runs part. */
export interface Difference {
  readonly tsMs: number
  /** Absent where it is about the account, or the log. */
  readonly symbol?: string
  /** `fills row 3, column qty`, `equity row 7`, `the log`. */
  readonly what: string
}

/** What two runs did differently up to `nowMs`: the first row of the fills, the equity or the log that is not the same,
 *  or undefined. */
export function firstDifference(a: BacktestResult, b: BacktestResult, nowMs: number): Difference | undefined {
  const rows = (r: BacktestResult): number => r.fills.tsMs.findLastIndex((tsMs) => tsMs <= nowMs) + 1
  const columns = Object.keys(a.fills).filter((name) => name !== 'rows') as Exclude<keyof typeof a.fills, 'rows'>[]
  for (let i = 0; i < Math.max(rows(a), rows(b)); i++) {
    for (const name of columns) {
      if (Object.is(a.fills[name][i], b.fills[name][i])) continue
      const { fills, symbols } = i < rows(a) ? a : b
      return { tsMs: fills.tsMs[i]!, symbol: symbols[fills.symbol[i]!]!, what: `fills row ${i}, column ${name}` }
    }
  }
  for (let i = 0; i < a.equity.rows && a.equity.tsMs[i]! <= nowMs; i++) {
    if (a.equity.equity[i] !== b.equity.equity[i]) return { tsMs: a.equity.tsMs[i]!, what: `equity row ${i}` }
  }
  const logOf = (r: BacktestResult) => r.log.filter((line) => line.tsMs <= nowMs)
  const [said, saidToo] = [logOf(a), logOf(b)]
  for (let i = 0; i < Math.max(said.length, saidToo.length); i++) {
    if (said[i]?.message === saidToo[i]?.message && said[i]?.tsMs === saidToo[i]?.tsMs) continue
    return { tsMs: (said[i] ?? saidToo[i])!.tsMs, what: 'the log' }
  }
  return undefined
}
