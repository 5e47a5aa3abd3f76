import type { Rng } from '../rng.ts'
import type { BacktestResult } from './engine.ts'
import type { FundingSeries, MarketInput, SymbolInput } from './market.ts'

/** The same market up to `nowMs`, with another future: whatever was not known by then is drawn anew. A backtest of it must
 *  decide and book the same up to `nowMs`; where it does not, something looked ahead. Stamps, trade counts and delistings
 *  are kept, so that both futures have the same instants. */
export function withOtherFuture(market: MarketInput, nowMs: number, rng: Rng): MarketInput {
  return {
    ...market,
    symbols: market.symbols.map((symbol) => otherFuture(symbol, market.intervalMs, nowMs, rng)),
    universe: market.universe?.map((change) =>
      change.tsMs <= nowMs ? change : { ...change, symbols: change.symbols.filter(() => rng.below(2) === 0) },
    ),
  }
}

function otherFuture(symbol: SymbolInput, intervalMs: number, nowMs: number, rng: Rng): SymbolInput {
  const { bars, funding, columns } = symbol
  const isFuture = (row: number): boolean => bars.openTsMs[row]! + intervalMs > nowMs
  // One factor a row keeps high above low. A bar that is open now has an open that venues fill at; it stays.
  const factors = Float64Array.from(bars.openTsMs, (_, row) => (isFuture(row) ? 0.5 + rng.uniform() : 1))
  const scaled = (values: Float64Array): Float64Array =>
    values.map((value, row) => (factors[row] === 1 ? value : Math.max(1, Math.round(value * factors[row]!))))
  const opens = (values: Float64Array): Float64Array =>
    scaled(values).map((value, row) => (bars.openTsMs[row]! <= nowMs ? values[row]! : value))
  const mark = bars.mark && {
    openPx: opens(bars.mark.openPx),
    highPx: scaled(bars.mark.highPx),
    lowPx: scaled(bars.mark.lowPx),
    closePx: scaled(bars.mark.closePx),
  }
  const changedBars = {
    ...bars,
    openPx: opens(bars.openPx),
    highPx: scaled(bars.highPx),
    lowPx: scaled(bars.lowPx),
    closePx: scaled(bars.closePx),
    // The bar open now keeps its volume: the share cap of fills at its open is the venue's knowledge, not the strategy's.
    volumeQty: bars.volumeQty.map((volume, row) =>
      bars.openTsMs[row]! > nowMs ? Math.round(volume * factors[row]!) : volume,
    ),
    mark,
  }
  return {
    ...symbol,
    bars: changedBars,
    funding: funding && otherFunding(funding, nowMs, rng),
    columns: columns && {
      ...columns,
      values: Object.fromEntries(
        Object.entries(columns.values).map(([name, values]) => [
          name,
          values.map((value, row) => (columns.knownAtMs[row]! > nowMs ? rng.normal() : value)),
        ]),
      ),
    },
  }
}

function otherFunding(funding: FundingSeries, nowMs: number, rng: Rng): FundingSeries {
  const rateE8 = funding.rateE8.map((rate, i) => (funding.tsMs[i]! > nowMs ? Math.round(1e5 * rng.normal()) : rate))
  return { ...funding, rateE8 }
}

/** What two runs did differently up to `nowMs`: the first row of the fills, the equity or the log that is not the same,
 *  or undefined. */
export function firstDifference(a: BacktestResult, b: BacktestResult, nowMs: number): string | undefined {
  const rows = (r: BacktestResult): number => r.fills.tsMs.findLastIndex((tsMs) => tsMs <= nowMs) + 1
  const columns = Object.keys(a.fills).filter((name) => name !== 'rows') as Exclude<keyof typeof a.fills, 'rows'>[]
  for (let i = 0; i < Math.max(rows(a), rows(b)); i++) {
    for (const name of columns) {
      if (!Object.is(a.fills[name][i], b.fills[name][i])) return `fills row ${i}, column ${name}`
    }
  }
  for (let i = 0; i < a.equity.rows && a.equity.tsMs[i]! <= nowMs; i++) {
    if (a.equity.equity[i] !== b.equity.equity[i]) return `equity row ${i}`
  }
  const log = (r: BacktestResult): string => JSON.stringify(r.log.filter((line) => line.tsMs <= nowMs))
  return log(a) === log(b) ? undefined : 'the log'
}
