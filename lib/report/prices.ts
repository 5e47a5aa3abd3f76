import type { klineTable } from '../tables/klines.ts'
import type { TableOf } from '../tables/table.ts'
import type { PriceSeries } from './view.ts'

/** Closes by symbol, in the order of time, from tables in whatever pieces they come. A bar's close is known at its end. */
export function pricesOf(pieces: readonly TableOf<typeof klineTable>[]): PriceSeries[] {
  const bySymbol = new Map<string, TableOf<typeof klineTable>[]>()
  for (const piece of pieces) {
    if (piece.rowCount === 0) continue
    const symbol = piece.columns.symbol[0]!
    bySymbol.set(symbol, [...(bySymbol.get(symbol) ?? []), piece])
  }
  return [...bySymbol]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([symbol, tables]) => {
      const inOrder = tables.sort((a, b) => a.columns.openTsMs[0]! - b.columns.openTsMs[0]!)
      return {
        symbol,
        tsMs: Float64Array.from(inOrder.flatMap(({ columns }) => Array.from(columns.closeTsMs, (ts) => ts + 1))),
        close: Float64Array.from(inOrder.flatMap(({ columns }) => Array.from(columns.close, (c) => Number(c) / 1e8))),
      }
    })
}
