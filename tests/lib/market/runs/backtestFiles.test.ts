import { describe, expect, test } from 'vitest'

import { backtestConfig } from '../../../../lib/backtest/config.ts'
import { runBacktest } from '../../../../lib/backtest/engine.ts'
import { makeInstrument } from '../../../../lib/backtest/instrument.ts'
import type { MarketInput } from '../../../../lib/backtest/market.ts'
import { computeMetrics } from '../../../../lib/backtest/metrics.ts'
import { decodeBacktest, encodeBacktest } from '../../../../lib/market/runs/backtestFiles.ts'
import { metricsJson } from '../../../../lib/market/runs/metricsJson.ts'
import { randomControl } from '../../../../lib/strategies/randomControl.ts'
import { decodeAnyTable } from '../../../../lib/tables/parquet.ts'
import { DAY_MS } from '../../../../lib/time.ts'
import { randomMarket, startMs } from '../../backtest/markets.ts'
import { filesOf } from '../../report/sampleReport.ts'

const runOf = (market: MarketInput, days: number, seed = 1) => {
  const execution = backtestConfig.parse({ seed, volumeShareMax: 0.02 })
  const range = { fromMs: startMs, toMs: startMs + days * DAY_MS }
  const params = { perSide: 2, gross: 1 }
  const result = runBacktest({ market, strategy: randomControl, params, config: execution, ...range })
  return { request: { strategy: { name: 'randomControl', params }, interval: '1h', ...range, execution }, result }
}

describe('the files of a backtest', () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`give back the run to the last digit (seed ${seed})`, () => {
      const run = runOf(randomMarket(seed, 5, 20 * 24), 20, seed)
      expect(run.result.fills.rows).toBeGreaterThan(20)
      const back = decodeBacktest(filesOf(encodeBacktest(run)))
      expect(back.request).toEqual(run.request)
      expect(withoutNegativeZero(back.result)).toEqual(withoutNegativeZero(run.result))
    })
  }

  test('symbols of different precision share columns without losing a digit', () => {
    const market = randomMarket(7, 4, 10 * 24)
    const coarse = makeInstrument({ symbol: 'S01USDT', tickSize: '0.0000001', stepSize: '1', minNotional: '5' }, 8)
    const mixed = {
      ...market,
      symbols: market.symbols.map((s) => (s.instrument.symbol === 'S01USDT' ? { ...s, instrument: coarse } : s)),
    }
    const run = runOf(mixed, 10)
    expect(new Set(run.result.instruments.map(({ qtyDecimals }) => qtyDecimals)).size).toBe(2)
    const back = decodeBacktest(filesOf(encodeBacktest(run)))
    expect(withoutNegativeZero(back.result.fills)).toEqual(withoutNegativeZero(run.result.fills))
  })

  test('are the same bytes for the same run, and other bytes for another', () => {
    const bytes = (seed: number) =>
      encodeBacktest(runOf(randomMarket(1, 3, 240), 10, seed)).map(({ bytes: all }) => Buffer.from(all).toString('hex'))
    expect(bytes(1)).toEqual(bytes(1))
    expect(bytes(2)).not.toEqual(bytes(1))
  })

  test('hold money as exact decimals that any reader of Parquet understands', () => {
    const run = runOf(randomMarket(1, 3, 240), 10)
    const table = decodeAnyTable(filesOf(encodeBacktest(run)).read('equity.parquet'))
    expect(table.schema.columns['equity']).toMatchObject({ kind: 'decimal', scale: 8, unit: 'USDT' })
    expect(Array.from(table.columns['equity'] as BigInt64Array, Number)).toEqual(Array.from(run.result.equity.equity))
  })

  test('a run that never traded has tables without rows, and metrics that do not exist', () => {
    const run = runOf(randomMarket(1, 1, 5 * 24), 5)
    expect(run.result.fills.rows).toBe(0)
    const { result } = decodeBacktest(filesOf(encodeBacktest(run)))
    const metrics = metricsJson(computeMetrics(result))
    expect(metrics).toMatchObject({ fills: 0, totalReturn: 0, capacityUsdt: null, isAnnualised: false })
    expect(metrics.sharpe.annual).toBeNull()
  })
})

/** JSON and integers have one zero. */
function withoutNegativeZero(value: unknown): unknown {
  if (value instanceof Float64Array) return value.map((x) => (x === 0 ? 0 : x))
  if (value === 0) return 0
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (Array.isArray(value)) return value.map(withoutNegativeZero)
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, withoutNegativeZero(entry)]))
}
