import { createRng } from '../../../lib/rng.ts'
import { fundingTable } from '../../../lib/tables/funding.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import { makeTable, type TableOf } from '../../../lib/tables/table.ts'
import { HOUR_MS } from '../../../lib/time.ts'

// The first bar of the random market.
const sweepStartMs = Date.UTC(2024, 0, 1)

const sweepSymbol = (index: number): string => `S${String(index).padStart(2, '0')}USDT`

/** Bars of one symbol with marks: a random walk in whole cents and whole hundredths of a coin. */
export function randomBars(index: number, bars: number, intervalMs: number): TableOf<typeof minuteTable> {
  const rng = createRng(1, 'bars', index)
  const e8 = () => new BigInt64Array(bars)
  const floats = () => new Float64Array(bars)
  const present = () => ({ values: e8(), valid: new Uint8Array(bars).fill(1) })
  const absent = () => ({ values: e8(), valid: new Uint8Array(bars) })
  const columns = {
    symbol: new Array<string>(bars).fill(sweepSymbol(index)),
    openTsMs: Float64Array.from({ length: bars }, (_, i) => sweepStartMs + i * intervalMs),
    open: e8(),
    high: e8(),
    low: e8(),
    close: e8(),
    volume: e8(),
    quoteVolume: e8(),
    count: new Int32Array(bars),
    takerBuyVolume: e8(),
    takerSellVolume: e8(),
    takerBuyQuoteVolume: e8(),
    takerSellQuoteVolume: e8(),
    vwap: floats(),
    markOpen: present(),
    markHigh: present(),
    markLow: present(),
    mark: present(),
    index: absent(),
    premium: absent(),
    basis: floats().fill(Number.NaN),
    fundingTsMs: { values: floats(), valid: new Uint8Array(bars) },
    fundingRate: absent(),
    fundingIntervalHours: { values: new Int32Array(bars), valid: new Uint8Array(bars) },
    fundingEstimate: floats().fill(Number.NaN),
    openInterest: absent(),
    openInterestAgeMs: floats().fill(Number.NaN),
    spotQuoteVolume: absent(),
    spotTakerBuyQuoteVolume: absent(),
    state: new Array<string>(bars).fill('traded'),
    stalenessMs: floats(),
    indexDeviation: floats().fill(Number.NaN),
    lostTrades: new Int32Array(bars),
    differs: { values: new Uint8Array(bars), valid: new Uint8Array(bars) },
    dataOk: new Uint8Array(bars).fill(1),
  }
  const cents = (price: number) => BigInt(Math.round(price * 100)) * 1_000_000n
  let price = 20 + 100 * rng.uniform()
  for (let i = 0; i < bars; i++) {
    const open = price
    price = Math.max(1, open * (1 + 0.01 * rng.normal()))
    columns.open[i] = columns.markOpen.values[i] = cents(open)
    columns.close[i] = columns.mark.values[i] = cents(price)
    columns.high[i] = columns.markHigh.values[i] = cents(Math.max(open, price) * (1 + 0.005 * rng.uniform()))
    columns.low[i] = columns.markLow.values[i] = cents(Math.min(open, price) * (1 - 0.005 * rng.uniform()))
    columns.volume[i] = cents(1000 + 2000 * rng.uniform())
    columns.quoteVolume[i] = cents(50_000 + 100_000 * rng.uniform())
    columns.count[i] = 100 + rng.below(1000)
    columns.vwap[i] = (open + price) / 2
  }
  return makeTable(minuteTable, columns)
}

/** A settlement every eight hours. */
export function randomFunding(index: number, bars: number, intervalMs: number): TableOf<typeof fundingTable> {
  const rng = createRng(1, 'funding', index)
  const everyMs = 8 * HOUR_MS
  const rows = Math.floor((bars * intervalMs) / everyMs)
  const tsMs = Float64Array.from({ length: rows }, (_, i) => sweepStartMs + (i + 1) * everyMs)
  return makeTable(fundingTable, {
    symbol: new Array<string>(rows).fill(sweepSymbol(index)),
    tsMs,
    settledTsMs: tsMs.slice(),
    intervalHours: { values: new Int32Array(rows).fill(8), valid: new Uint8Array(rows).fill(1) },
    rate: BigInt64Array.from({ length: rows }, () => BigInt(Math.round(20_000 * rng.normal()))),
    markPrice: { values: new BigInt64Array(rows), valid: new Uint8Array(rows) },
  })
}

export const randomListing = (symbols: number) =>
  Array.from({ length: symbols }, (_, index) => ({
    symbol: sweepSymbol(index),
    tickSize: '0.01',
    stepSize: '0.01',
    minNotional: '5',
    onboardTsMs: sweepStartMs,
  }))
