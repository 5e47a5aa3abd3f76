import type { BacktestConfig } from '../../../lib/backtest/config.ts'
import { backtestConfig } from '../../../lib/backtest/config.ts'
import { makeInstrument } from '../../../lib/backtest/instrument.ts'
import type { BarSeries, MarketInput, SymbolInput } from '../../../lib/backtest/market.ts'
import { createRng } from '../../../lib/rng.ts'

export const hourMs = 3_600_000
export const startMs = Date.UTC(2024, 0, 1)
/** A price of 100.00 in the units of `coin`. */
export const px = (price: number) => Math.round(price * 1e6)
export const qty = (amount: number) => Math.round(amount * 100)
export const cash = (usdt: number) => Math.round(usdt * 1e8)

export const coin = (symbol: string) =>
  makeInstrument({ symbol, tickSize: '0.01', stepSize: '0.01', minNotional: '5' }, 8)

/** [open, high, low, close], with 1,000 coins in 100 trades unless said otherwise. */
export type BarRow = readonly [number, number, number, number, { volume?: number; trades?: number; tsMs?: number }?]

export function barsOf(rows: readonly BarRow[], marks?: readonly (readonly [number, number, number, number])[]) {
  const column = (pick: (row: BarRow, i: number) => number) => Float64Array.from(rows, pick)
  const mark = (i: number) => Float64Array.from(marks!, (row) => px(row[i]!))
  const bars: BarSeries = {
    openTsMs: column((row, i) => row[4]?.tsMs ?? startMs + i * hourMs),
    openPx: column((row) => px(row[0])),
    highPx: column((row) => px(row[1])),
    lowPx: column((row) => px(row[2])),
    closePx: column((row) => px(row[3])),
    volumeQty: column((row) => qty(row[4]?.volume ?? 1000)),
    tradeCount: column((row) => row[4]?.trades ?? 100),
    mark: marks && { openPx: mark(0), highPx: mark(1), lowPx: mark(2), closePx: mark(3) },
  }
  return bars
}

export const flatBar = (price: number): BarRow => [price, price, price, price]

export function marketOf(symbols: Record<string, Partial<SymbolInput> & { bars: BarSeries }>): MarketInput {
  return {
    intervalMs: hourMs,
    symbols: Object.entries(symbols).map(([symbol, input]) => ({ instrument: coin(symbol), ...input })),
  }
}

/** No costs and no caps, so that a test sees only what it is about. */
export function freeConfig(changes: Record<string, unknown> = {}): BacktestConfig {
  return backtestConfig.parse({
    capitalUsdt: 10_000,
    latencyMs: 0,
    fees: [{ from: '2019-01-01', tiers: { regular: { makerBps: 0, takerBps: 0 } } }],
    slippage: { model: 'fixedBps', bps: 0 },
    volumeShareMax: 1,
    leverageMax: 100,
    liquidationFeeBps: 0,
    ...changes,
  })
}

/** Random walks with gaps, bars without trades, funding and marks: rough enough to meet every branch. */
export function randomMarket(seed: number, symbolCount: number, bars: number): MarketInput {
  const symbols: Record<string, Partial<SymbolInput> & { bars: BarSeries }> = {}
  for (let s = 0; s < symbolCount; s++) {
    const rng = createRng(seed, 'market', s)
    const rows: BarRow[] = []
    const marks: [number, number, number, number][] = []
    let price = 20 + 100 * rng.uniform()
    const firstBar = rng.below(4) === 0 ? rng.below(Math.max(1, bars >> 2)) : 0
    for (let i = firstBar; i < bars; i++) {
      const open = price
      const close = Math.max(1, open * (1 + 0.02 * rng.normal()))
      const high = Math.max(open, close) * (1 + 0.01 * rng.uniform())
      const low = Math.min(open, close) * (1 - 0.01 * rng.uniform())
      price = close
      if (rng.below(50) === 0) continue
      const tsMs = startMs + i * hourMs
      if (rng.below(25) === 0) rows.push([open, open, open, open, { tsMs, volume: 0, trades: 0 }])
      else rows.push([open, high, low, close, { tsMs, volume: 10 + 200 * rng.uniform() }])
      marks.push([open * 1.0001, high * 1.001, low * 0.999, close * 0.9999])
    }
    const settlements = Math.floor(bars / 8)
    const funding = {
      tsMs: Float64Array.from({ length: settlements }, (_, i) => startMs + (i + 1) * 8 * hourMs),
      rateE18: BigInt64Array.from(
        { length: settlements },
        () => BigInt(Math.round(20_000 * rng.normal())) * 10_000_000_000n,
      ),
      markPx: Float64Array.from({ length: settlements }, () => (rng.below(3) === 0 ? Number.NaN : px(price))),
    }
    symbols[`S${String(s).padStart(2, '0')}USDT`] = { bars: barsOf(rows, marks), funding }
  }
  return marketOf(symbols)
}
