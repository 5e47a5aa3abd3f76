import { minuteTable } from '../tables/minute.ts'
import { pickColumns } from '../tables/schema.ts'
import type { TableOf } from '../tables/table.ts'
import { HOUR_MS } from '../time.ts'
import type { PriceSeries } from './view.ts'

/** All that a picture needs of the minutes. */
export const closeTable = pickColumns(minuteTable, ['symbol', 'openTsMs', 'close'])

/** The last close of each hour: a picture has no room for minutes. Tables are read one by one, for together they are
 *  large. A bar belongs to the hour it opens in, and its close is shown at the end of that hour. */
export function hourlyCloses(pieces: readonly { read(): TableOf<typeof closeTable> }[]): PriceSeries[] {
  const bySymbol = new Map<string, Map<number, number>>()
  for (const piece of pieces) {
    const { columns, rowCount } = piece.read()
    for (let row = 0; row < rowCount; row++) {
      const hourMs = Math.floor(columns.openTsMs[row]! / HOUR_MS)
      const isLast = row + 1 === rowCount || Math.floor(columns.openTsMs[row + 1]! / HOUR_MS) !== hourMs
      const symbol = columns.symbol[row]!
      if (!isLast && columns.symbol[row + 1] === symbol) continue
      let hours = bySymbol.get(symbol)
      if (hours === undefined) bySymbol.set(symbol, (hours = new Map()))
      hours.set((hourMs + 1) * HOUR_MS, Number(columns.close[row]!) / 1e8)
    }
  }
  return [...bySymbol]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([symbol, hours]) => {
      const inOrder = [...hours].sort(([a], [b]) => a - b)
      return {
        symbol,
        tsMs: Float64Array.from(inOrder, ([tsMs]) => tsMs),
        close: Float64Array.from(inOrder, ([, close]) => close),
      }
    })
}
