import type { z } from 'zod'
import { makeInstrument } from '../backtest/instrument.ts'
import {
  type FundingSeries,
  type MarketInput,
  type SymbolInput,
  snapSettlementTsMs,
  type UniverseChange,
} from '../backtest/market.ts'
import type { fundingTable } from '../tables/funding.ts'
import type { TableOf } from '../tables/table.ts'
import { type BarRows, barSeries, presentUnits, storedDecimals, unitsOf } from './minuteBars.ts'
import type { universe } from './universe.ts'

type Universe = z.infer<typeof universe.schema>
type Funding = TableOf<typeof fundingTable>

export interface BacktestSources {
  readonly universe: Universe
  readonly minutes: readonly BarRows[]
  readonly funding: readonly Funding[]
}

/** Brings universe, bars and settlements, in whatever pieces they come, into the form the backtest engine reads. */
export function backtestInput(
  { universe: chosen, minutes, funding }: BacktestSources,
  options: { readonly intervalMs: number; readonly cashDecimals: number; readonly toMs: number },
): MarketInput {
  const barsOf = bySymbol(minutes)
  const fundingOf = bySymbol(funding)
  const symbols = chosen.symbols.flatMap((listed): SymbolInput[] => {
    const instrument = makeInstrument(listed, options.cashDecimals)
    const bars = barSeries(barsOf.get(listed.symbol) ?? [], instrument, options.toMs)
    // A symbol without a single bar cannot be traded, and the engine has nothing to order it by.
    if (bars.openTsMs.length === 0) return []
    return [{ instrument, bars, funding: fundingSeries(fundingOf.get(listed.symbol) ?? [], instrument.pxDecimals) }]
  })
  return { intervalMs: options.intervalMs, symbols, ...membership(chosen, symbols) }
}

/** Members from each date on. Those without a bar were never there to be traded. */
function membership({ selection }: Universe, symbols: readonly SymbolInput[]): { universe?: UniverseChange[] } {
  if (selection === undefined) return {}
  const known = new Set(symbols.map(({ instrument }) => instrument.symbol))
  const changes = selection.dates.map((date) => ({
    tsMs: date.tsMs,
    symbols: date.symbols.filter((symbol) => known.has(symbol)),
  }))
  return { universe: changes }
}

/** Settlements at the instants they were due, with the mark they were made at where the venue published one. */
function fundingSeries(tables: readonly Funding[], pxDecimals: number): FundingSeries {
  const rows = tables
    .flatMap(({ columns }) => {
      const rateE8 = unitsOf(columns.rate, storedDecimals)
      const markPx = presentUnits(columns.markPrice, pxDecimals)
      return Array.from(columns.tsMs, (tsMs, i) => ({
        tsMs: snapSettlementTsMs(tsMs),
        rateE8: rateE8[i]!,
        markPx: markPx[i]!,
      }))
    })
    .sort((a, b) => a.tsMs - b.tsMs)
  return {
    tsMs: Float64Array.from(rows, ({ tsMs }) => tsMs),
    rateE8: Float64Array.from(rows, ({ rateE8 }) => rateE8),
    markPx: Float64Array.from(rows, ({ markPx }) => markPx),
  }
}

/** A table is of one symbol. */
function bySymbol<T extends BarRows | Funding>(tables: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const table of tables) {
    if (table.rowCount === 0) continue
    const symbol = table.columns.symbol[0]!
    const group = groups.get(symbol)
    if (group === undefined) groups.set(symbol, [table])
    else group.push(table)
  }
  return groups
}
