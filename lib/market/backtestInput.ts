import { makeInstrument, toUnits } from '../backtest/instrument.ts'
import {
  type BarSeries,
  type FundingSeries,
  type MarketInput,
  type SymbolInput,
  snapSettlementTsMs,
} from '../backtest/market.ts'
import type { fundingTable } from '../tables/funding.ts'
import type { klineTable } from '../tables/klines.ts'
import type { TableOf } from '../tables/table.ts'
import type { ListedSymbol } from './universe.ts'

type Klines = TableOf<typeof klineTable>
type Funding = TableOf<typeof fundingTable>

const storedDecimals = 8

/** Brings tables of bars and settlements, in whatever pieces they come, into the form the backtest engine reads. */
export function backtestInput(
  symbols: readonly ListedSymbol[],
  bars: readonly Klines[],
  settlements: readonly Funding[],
  options: { readonly intervalMs: number; readonly cashDecimals: number },
): MarketInput {
  return {
    intervalMs: options.intervalMs,
    symbols: symbols.flatMap((listed): SymbolInput[] => {
      const instrument = makeInstrument(listed, options.cashDecimals)
      const series = barSeries(piecesOf(bars, listed.symbol), instrument.pxDecimals, instrument.qtyDecimals)
      // A symbol without a single bar cannot be traded, and the engine has nothing to order it by.
      if (series.openTsMs.length === 0) return []
      return [{ instrument, bars: series, funding: fundingSeries(piecesOf(settlements, listed.symbol)) }]
    }),
  }
}

/** Pieces of one symbol in the order of time: whoever collected them may have collected them in any order. */
function piecesOf<T extends Klines | Funding>(tables: readonly T[], symbol: string): T[] {
  const startOf = ({ columns }: T): number => ('openTsMs' in columns ? columns.openTsMs[0]! : columns.tsMs[0]!)
  return tables
    .filter(({ rowCount, columns }) => rowCount > 0 && columns.symbol[0] === symbol)
    .sort((a, b) => startOf(a) - startOf(b))
}

function barSeries(pieces: readonly Klines[], pxDecimals: number, qtyDecimals: number): BarSeries {
  const px = (name: 'open' | 'high' | 'low' | 'close') =>
    joined(pieces, ({ columns }) => unitsOf(columns[name], pxDecimals))
  return {
    openTsMs: joined(pieces, ({ columns }) => columns.openTsMs),
    openPx: px('open'),
    highPx: px('high'),
    lowPx: px('low'),
    closePx: px('close'),
    volumeQty: joined(pieces, ({ columns }) => unitsOf(columns.volume, qtyDecimals)),
    tradeCount: joined(pieces, ({ columns }) => Float64Array.from(columns.count)),
  }
}

/** Archives give no settlement price: NaN, and the engine settles at the mark of the instant and counts it. */
function fundingSeries(pieces: readonly Funding[]): FundingSeries {
  const tsMs = joined(pieces, ({ columns }) => columns.tsMs.map(snapSettlementTsMs))
  return {
    tsMs,
    rateE8: joined(pieces, ({ columns }) => unitsOf(columns.rate, storedDecimals)),
    markPx: new Float64Array(tsMs.length).fill(Number.NaN),
  }
}

/** Stored decimals as whole units of an instrument. */
function unitsOf(stored: BigInt64Array, decimals: number): Float64Array {
  const units = new Float64Array(stored.length)
  for (let i = 0; i < stored.length; i++) units[i] = toUnits(Number(stored[i]!) / 1e8, decimals)
  return units
}

function joined<T>(pieces: readonly T[], columnOf: (piece: T) => Float64Array): Float64Array {
  const columns = pieces.map(columnOf)
  const all = new Float64Array(columns.reduce((rows, column) => rows + column.length, 0))
  let at = 0
  for (const column of columns) {
    all.set(column, at)
    at += column.length
  }
  return all
}
