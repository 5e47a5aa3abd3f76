import { backtestConfig } from '../../../lib/backtest/config.ts'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import type { MarketInput } from '../../../lib/backtest/market.ts'
import { computeMetrics } from '../../../lib/backtest/metrics.ts'
import type { BacktestRun, NamedBytes } from '../../../lib/market/backtestFiles.ts'
import { metricsJson } from '../../../lib/market/metricsJson.ts'
import type { ReportInput, SymbolQuality } from '../../../lib/report/view.ts'
import { createRng } from '../../../lib/rng.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
import { randomControl } from '../../../lib/strategies/randomControl.ts'
import { DAY_MS, dayOf } from '../../../lib/time.ts'
import { marketOf, randomMarket, startMs } from '../backtest/markets.ts'

export const filesOf = (all: readonly NamedBytes[]) => ({
  names: all.map(({ name }) => name),
  read: (name: string) => all.find((file) => file.name === name)!.bytes,
})

interface Wishes {
  readonly days?: number
  /** Instead of the first symbol's and the strategy's own. */
  readonly symbol?: string
  readonly strategyName?: string
  readonly execution?: Record<string, unknown>
}

/** A report's input from a random market, with everything a page can show. */
export function sampleReport({ days = 120, symbol = 'S00USDT', strategyName, execution }: Wishes = {}): ReportInput {
  const random = randomMarket(5, 6, days * 24)
  const market = marketOf(
    Object.fromEntries(
      random.symbols.map(({ instrument, ...rest }, i) => [i === 0 ? symbol : instrument.symbol, rest] as const),
    ),
  )
  const run = runOf(market, days, { execution }, strategyName)
  const benchmark = benchmarkOf(market, days, symbol)
  const { tsMs, equity } = benchmark.result.equity
  return {
    run,
    benchmark,
    metrics: metricsJson(
      computeMetrics(run.result, {
        benchmark: { tsMs, values: equity },
        trialSharpes: Float64Array.of(0.01, -0.03, 0.05),
        rng: createRng(1, 'report'),
        draws: 200,
      }),
    ),
    variants: [runOf(market, days, { execution: { ...execution, slippage: { model: 'fixedBps', bps: 5 } } })],
    prices: market.symbols.map(({ instrument, bars }) => ({
      symbol: instrument.symbol,
      tsMs: bars.openTsMs.map((ts) => ts + 3_600_000),
      close: bars.closePx.map((units) => units / 1e6),
    })),
    members: [
      { tsMs: startMs, symbols: market.symbols.slice(0, 4).map((s) => s.instrument.symbol) },
      { tsMs: startMs + 30 * DAY_MS, symbols: market.symbols.slice(2).map((s) => s.instrument.symbol) },
    ],
    quality: [symbol, 'S01USDT'].map((name) => qualityOf(name, days)),
    rejected: [{ symbol: 'OLDUSDT', reason: 'its status is SETTLING' }],
    files: [{ name: 'run.json', sizeBytes: 12_345, sha256: 'ab'.repeat(32) }],
  }
}

function qualityOf(symbol: string, days: number): SymbolQuality {
  const statuses = ['ok', 'ok', 'ok', 'tagged', 'quarantined', 'ok', 'rejected', 'absent'] as const
  return {
    symbol,
    days: Array.from({ length: days }, (_, i) => {
      const status = statuses[i % statuses.length]!
      return { day: dayOf(startMs + i * DAY_MS), status, findings: status === 'ok' ? [] : [{ kind: 'outage' }] }
    }),
    masks: [{ fromMs: startMs + DAY_MS, toMs: startMs + 1.5 * DAY_MS }],
  }
}

function runOf(
  market: MarketInput,
  days: number,
  { execution = {} }: { execution?: Record<string, unknown> },
  name: string = randomControl.name,
): BacktestRun {
  const config = backtestConfig.parse(execution)
  const params = { perSide: 2, gross: 1 }
  const range = { fromMs: startMs, toMs: startMs + days * DAY_MS }
  const result = runBacktest({ market, strategy: randomControl, params, config, ...range })
  return { request: { strategy: { name, params }, interval: '1h', ...range, execution: config }, result }
}

function benchmarkOf(market: MarketInput, days: number, symbol: string): BacktestRun {
  const config = backtestConfig.parse({})
  const params = { symbol, weight: 0.3 }
  const range = { fromMs: startMs, toMs: startMs + days * DAY_MS }
  const result = runBacktest({ market, strategy: btcBuyAndHold, params, config, ...range })
  return {
    request: { strategy: { name: 'btcBuyAndHold', params }, interval: '1h', ...range, execution: config },
    result,
  }
}
