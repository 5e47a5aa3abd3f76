import { createRng } from '../../../lib/rng.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import { encodeTable } from '../../../lib/tables/parquet.ts'
import { type AnyColumnData, allocateColumn, makeTable, type TableOf } from '../../../lib/tables/table.ts'
import { setBig, type WideInts } from '../../../lib/tables/wideInts.ts'
import { DAY_MS, MINUTE_MS } from '../../../lib/time.ts'

/** Minutes of one symbol over some days, as buildMinute stores them: walks with marks, and the columns a backtest does not
 *  read besides, so that what is measured is a file of the usual width. */
export function minuteFile(symbol: string, seed: number, fromMs: number, days: number): Uint8Array {
  const rng = createRng(seed, symbol, fromMs)
  const rows = (days * DAY_MS) / MINUTE_MS
  const columns = Object.fromEntries(
    Object.entries(minuteTable.columns).map(([name, column]) => [name, allocateColumn(column, rows)]),
  ) as Record<string, AnyColumnData>
  const plain = (name: string) => columns[name] as BigInt64Array
  const optional = (name: string) => columns[name] as { values: BigInt64Array; valid: Uint8Array }
  const text = (name: string, of: () => string) => {
    columns[name] = Array.from({ length: rows }, of)
  }
  text('symbol', () => symbol)
  text('state', () => 'traded')
  let price = 1000 + rng.below(10_000)
  const units = (ticks: number) => BigInt(ticks) * 1_000_000n // a tick of 0.01
  for (let row = 0; row < rows; row++) {
    const open = price
    const close = Math.max(100, open + rng.below(9) - 4)
    const high = Math.max(open, close) + rng.below(4)
    const low = Math.min(open, close) - rng.below(4)
    price = close
    ;(columns['openTsMs'] as Float64Array)[row] = fromMs + row * MINUTE_MS
    ;(columns['count'] as Int32Array)[row] = 1 + rng.below(500)
    plain('open')[row] = units(open)
    plain('high')[row] = units(high)
    plain('low')[row] = units(low)
    plain('close')[row] = units(close)
    for (const name of ['volume', 'quoteVolume', 'takerBuyVolume', 'takerSellVolume']) {
      setBig(columns[name] as WideInts, row, BigInt(rng.below(1_000_000)) * 100_000n)
    }
    const marks = { markOpen: open, markHigh: high, markLow: low, mark: close, index: close }
    for (const [name, ticks] of Object.entries(marks)) {
      optional(name).values[row] = units(ticks) + BigInt(rng.below(1_000_000))
      optional(name).valid[row] = 1
    }
  }
  return encodeTable(makeTable(minuteTable, columns as TableOf<typeof minuteTable>['columns']))
}
