import { minuteTable } from '../tables/minute.ts'
import { pickColumns } from '../tables/schema.ts'
import type { TableOf } from '../tables/table.ts'
import { HOUR_MS } from '../time.ts'
import type { PriceSeries } from './view.ts'

/** What the report reads of the minutes: closes for pictures, and how far prices went between them. */
export const priceTable = pickColumns(minuteTable, ['symbol', 'openTsMs', 'high', 'low', 'close'])
type PriceRows = TableOf<typeof priceTable>

/** The last close of each hour, or of each bar where bars are longer: a picture has no room for minutes. Tables are read
 *  one by one, for together they are large, and handed to `see` as well. A close is shown at the end of the hour it was
 *  known in. */
export function hourlyCloses(
  pieces: readonly { read(): PriceRows }[],
  barMs: number,
  see: (bars: PriceRows) => void = () => {},
): PriceSeries[] {
  const hourOf = (openTsMs: number): number => Math.ceil((openTsMs + barMs) / HOUR_MS)
  const bySymbol = new Map<string, Map<number, number>>()
  for (const piece of pieces) {
    const bars = piece.read()
    see(bars)
    const { columns, rowCount } = bars
    for (let row = 0; row < rowCount; row++) {
      const hour = hourOf(columns.openTsMs[row]!)
      const isLast = row + 1 === rowCount || hourOf(columns.openTsMs[row + 1]!) !== hour
      const symbol = columns.symbol[row]!
      if (!isLast && columns.symbol[row + 1] === symbol) continue
      let hours = bySymbol.get(symbol)
      if (hours === undefined) bySymbol.set(symbol, (hours = new Map()))
      hours.set(hour * HOUR_MS, Number(columns.close[row]!) / 1e8)
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
