import { type BarRows, barTable } from '../../../lib/market/runs/minuteBars.ts'
import type { ListedSymbol } from '../../../lib/market/universe/universe.ts'
import { fundingTable } from '../../../lib/tables/funding.ts'
import { makeTable } from '../../../lib/tables/table.ts'
import { HOUR_MS } from '../../../lib/time.ts'

export const startMs = Date.UTC(2026, 2, 1)

const units = (value: number): bigint => BigInt(Math.round(value * 1e6)) * 100n

/** Open, high, low, close, trades; a mark where given. A row that is undefined is a missing bar. */
export interface Bar {
  readonly prices: readonly [number, number, number, number]
  readonly count?: number
  readonly mark?: readonly [number, number, number, number]
}

export const flat = (price: number, more: Partial<Bar> = {}): Bar => ({ prices: [price, price, price, price], ...more })

export function minuteRows(
  symbol: string,
  bars: readonly (Bar | undefined)[],
  { fromMs = startMs, intervalMs = HOUR_MS }: { fromMs?: number; intervalMs?: number } = {},
): BarRows {
  const rows = bars.flatMap((bar, i) => (bar === undefined ? [] : [{ ...bar, openTsMs: fromMs + i * intervalMs }]))
  const px = (i: number) => BigInt64Array.from(rows, ({ prices }) => units(prices[i]!))
  const mark = (i: number) => ({
    values: BigInt64Array.from(rows, (row) => (row.mark === undefined ? 0n : units(row.mark[i]!))),
    valid: Uint8Array.from(rows, (row) => (row.mark === undefined ? 0 : 1)),
  })
  return makeTable(barTable, {
    symbol: rows.map(() => symbol),
    openTsMs: Float64Array.from(rows, (row) => row.openTsMs),
    open: px(0),
    high: px(1),
    low: px(2),
    close: px(3),
    volume: BigInt64Array.from(rows, ({ count }) => (count === 0 ? 0n : units(1000))),
    count: Int32Array.from(rows, ({ count }) => count ?? 10),
    markOpen: mark(0),
    markHigh: mark(1),
    markLow: mark(2),
    mark: mark(3),
  })
}

export function fundingRows(symbol: string, settlements: readonly { tsMs: number; rate: number; markPx?: number }[]) {
  return makeTable(fundingTable, {
    symbol: settlements.map(() => symbol),
    tsMs: Float64Array.from(settlements, ({ tsMs }) => tsMs),
    settledTsMs: Float64Array.from(settlements, ({ tsMs }) => Math.floor(tsMs / 1000) * 1000),
    intervalHours: {
      values: new Int32Array(settlements.length).fill(8),
      valid: new Uint8Array(settlements.length).fill(1),
    },
    rate: BigInt64Array.from(settlements, ({ rate }) => BigInt(Math.round(rate * 1e8)) * 10n ** 10n),
    markPrice: {
      values: BigInt64Array.from(settlements, ({ markPx }) => (markPx === undefined ? 0n : units(markPx))),
      valid: Uint8Array.from(settlements, ({ markPx }) => (markPx === undefined ? 0 : 1)),
    },
  })
}

export const listed = (symbol: string, more: Partial<ListedSymbol> = {}): ListedSymbol => ({
  symbol,
  tickSize: '0.01',
  stepSize: '0.001',
  minNotional: '5',
  onboardTsMs: 0,
  ...more,
})
