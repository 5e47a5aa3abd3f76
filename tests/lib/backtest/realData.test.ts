import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'

import { backtestConfig } from '../../../lib/backtest/config.ts'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import { columnToUnits, makeInstrument } from '../../../lib/backtest/instrument.ts'
import type { MarketInput, SymbolInput } from '../../../lib/backtest/market.ts'
import { snapSettlementTsMs } from '../../../lib/backtest/market.ts'
import { computeMetrics } from '../../../lib/backtest/metrics.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
import { crossSectionalMomentum } from '../../../lib/strategies/crossSectionalMomentum.ts'

const root = process.env['TICKPIPE_MARKET_DATA'] ?? join(import.meta.dirname, '../../../../shared/market-data')
const folder = join(root, 'ohlcv/derived-csv/freqtrade-um-feather')
const hourMs = 3_600_000

/** Columns date, open, high, low, close, volume. */
function readColumns(name: string): Float64Array[] {
  const lines = gunzipSync(readFileSync(join(folder, name)))
    .toString()
    .trim()
    .split('\n')
    .slice(1)
  const rows = lines.map((line) => line.split(',').map(Number))
  return [0, 1, 2, 3, 4, 5].map((c) => Float64Array.from(rows, (row) => row[c]!))
}

function readSymbol(file: string, symbol: string, tickSize: string, stepSize: string): SymbolInput {
  const instrument = makeInstrument({ symbol, tickSize, stepSize, minNotional: '5' }, 8)
  const [openTsMs, open, high, low, close, volume] = readColumns(`${file}_USDT_USDT-1h-futures.csv.gz`)
  const [settledTsMs, rate] = readColumns(`${file}_USDT_USDT-8h-funding_rate.csv.gz`)
  const units = (values: Float64Array) => columnToUnits(values, instrument.pxDecimals)
  return {
    instrument,
    bars: {
      openTsMs: openTsMs!,
      openPx: units(open!),
      highPx: units(high!),
      lowPx: units(low!),
      closePx: units(close!),
      volumeQty: columnToUnits(volume!, instrument.qtyDecimals),
      // The file has no trade counts: a bar traded if it has volume.
      tradeCount: volume!.map((v) => (v > 0 ? 1 : 0)),
    },
    funding: {
      tsMs: settledTsMs!.map(snapSettlementTsMs),
      rateE18: BigInt64Array.from(columnToUnits(rate!, 8), (units) => BigInt(units) * 10_000_000_000n),
      markPx: new Float64Array(rate!.length).fill(Number.NaN),
    },
  }
}

describe.skipIf(!existsSync(folder))(
  'real data: BTC, LTC and 1000PEPE by the hour (skipped where it is absent)',
  () => {
    const load = (): MarketInput => ({
      intervalMs: hourMs,
      symbols: [
        readSymbol('BTC', 'BTCUSDT', '0.1', '0.001'),
        readSymbol('LTC', 'LTCUSDT', '0.01', '0.001'),
        readSymbol('1000PEPE', '1000PEPEUSDT', '0.0000001', '1'),
      ],
    })
    const fromMs = Date.UTC(2023, 0, 2)
    const toMs = Date.UTC(2024, 4, 1)

    test('buy and hold earns the price, less one fill and the funding, to the last unit', () => {
      const market = load()
      const config = backtestConfig.parse({ volumeShareMax: 1 })
      const params = btcBuyAndHold.params.parse({})
      const result = runBacktest({ market, strategy: btcBuyAndHold, params, config, fromMs, toMs })
      const [btc] = result.perSymbol.filter((s) => s.symbol === 'BTCUSDT')
      const { bars, funding } = market.symbols[0]!
      const bought = bars.openTsMs.indexOf(fromMs)
      const last = bars.openTsMs.indexOf(toMs - hourMs)
      expect(btc!.pricePnl).toBe(btc!.positionQty * (bars.closePx[last]! - bars.openPx[bought]!))

      // Funding from the settlements themselves, in bigints.
      let expected = 0n
      funding!.tsMs.forEach((tsMs, i) => {
        if (tsMs <= fromMs || tsMs > toMs) return
        const mark = BigInt(bars.closePx[bars.openTsMs.indexOf(tsMs - hourMs)]!)
        const product = BigInt(btc!.positionQty) * mark * (funding!.rateE18[i]! / 10_000_000_000n)
        const half = product < 0n ? -50_000_000n : 50_000_000n
        expected -= (product + half) / 100_000_000n
      })
      expect(BigInt(btc!.funding)).toBe(expected)
      expect(result.fills.rows).toBe(1)

      const metrics = computeMetrics(result)
      expect(metrics.totalReturn).toBeGreaterThan(2) // 16,600 to 60,600 dollars
      expect(metrics.parts.funding).toBeLessThan(0) // longs paid in that year
      expect(metrics.maxDrawdown).toBeLessThan(-0.15)
    })

    test('every stamp of funding snaps to its hour: late ones would settle on what was bought at that instant', () => {
      for (const { funding } of load().symbols) expect(funding!.tsMs.every((tsMs) => tsMs % hourMs === 0)).toBe(true)
    })

    test('a symbol listed later joins when it has a bar; the ledger is exact after every event', () => {
      const market = load()
      let events = 0
      const result = runBacktest({
        market,
        strategy: crossSectionalMomentum,
        params: { lookback: '7d', perSide: 1, gross: 1 },
        config: backtestConfig.parse({ slippage: { model: 'sqrtImpact' } }),
        fromMs,
        toMs,
        observe: (_, ledger) => {
          if (events++ % 7 === 0) ledger.audit()
        },
      })
      const pepe = result.symbols.indexOf('1000PEPEUSDT')
      const listedMs = market.symbols[2]!.bars.openTsMs[0]!
      const first = result.fills.symbol.indexOf(pepe)
      expect(result.fills.tsMs[first]).toBeGreaterThanOrEqual(listedMs + 168 * hourMs)
      expect(result.outcome).toBe('completed')
    })
  },
)
