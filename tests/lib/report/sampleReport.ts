import { backtestConfig } from '../../../lib/backtest/config.ts'
import { runBacktest } from '../../../lib/backtest/engine.ts'
import type { MarketInput } from '../../../lib/backtest/market.ts'
import { computeMetrics } from '../../../lib/backtest/metrics.ts'
import type { BacktestRun, NamedBytes } from '../../../lib/market/runs/backtestFiles.ts'
import { metricsJson } from '../../../lib/market/runs/metricsJson.ts'
import { trialOf } from '../../../lib/market/runs/trialFiles.ts'
import { HeldRanges } from '../../../lib/report/heldRanges.ts'
import { positionsOf } from '../../../lib/report/positions.ts'
import { hourlyCloses, priceTable } from '../../../lib/report/prices.ts'
import type { ReportInput } from '../../../lib/report/view.ts'
import { createRng } from '../../../lib/rng.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
import { randomControl } from '../../../lib/strategies/randomControl.ts'
import { planFolds, type TimeSpan, type WalkForwardConfig } from '../../../lib/sweep/folds.ts'
import { joinFolds } from '../../../lib/sweep/joinFolds.ts'
import { expandSweep, type SweepGrid } from '../../../lib/sweep/points.ts'
import { selectPoint } from '../../../lib/sweep/selectPoint.ts'
import { summariseSweep } from '../../../lib/sweep/summariseSweep.ts'
import type { QaReport } from '../../../lib/tables/qa.ts'
import { makeTable } from '../../../lib/tables/table.ts'
import { DAY_MS, dayOf, HOUR_MS } from '../../../lib/time.ts'
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
  /** With a sweep and a walk-forward, which take a while. */
  readonly isSwept?: boolean
}

/** A report's input from a random market, with everything a page can show. */
export function sampleReport(wishes: Wishes = {}): ReportInput {
  const { days = 120, symbol = 'S00USDT', strategyName, execution, isSwept = false } = wishes
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
    ...pricedSample(market, run),
    members: [
      { tsMs: startMs, symbols: market.symbols.slice(0, 4).map((s) => s.instrument.symbol) },
      { tsMs: startMs + 30 * DAY_MS, symbols: market.symbols.slice(2).map((s) => s.instrument.symbol) },
    ],
    quality: [symbol, 'S01USDT'].map((name) => qualityOf(name, days)),
    ...(isSwept ? sweptSample(market, run.request, run.request.strategy.name) : {}),
    replay: {
      fromMs: startMs,
      chainFromMs: startMs,
      toMs: startMs + days * DAY_MS,
      intervalMs: 3_600_000,
      symbols: run.result.symbols.slice(),
      events: days * 100,
      digest: 'cd'.repeat(32),
      byClass: { bar: 12_000, funding: 345 },
      days: Array.from({ length: days }, (_, i) => ({
        day: dayOf(startMs + i * DAY_MS),
        events: 100,
        digest: 'ef'.repeat(32),
        chain: 'ab'.repeat(32),
      })),
    },
    rejected: [{ symbol: 'OLDUSDT', reason: 'its status is SETTLING' }],
    files: [{ name: 'run.json', sizeBytes: 12_345, sha256: 'ab'.repeat(32) }],
  }
}

/** Prices and positions, as the task makes them of stored bars. */
function pricedSample(market: MarketInput, run: BacktestRun): Pick<ReportInput, 'prices' | 'positions'> {
  const stored = (units: Float64Array) => BigInt64Array.from(units, (px) => BigInt(px) * 100n)
  const tables = market.symbols.map(({ instrument: { symbol }, bars }) => {
    const prices = { high: stored(bars.highPx), low: stored(bars.lowPx), close: stored(bars.closePx) }
    const own = Array.from(bars.openTsMs, () => symbol)
    return makeTable(priceTable, { symbol: own, openTsMs: bars.openTsMs, ...prices })
  })
  const held = new HeldRanges(run, HOUR_MS)
  const pieces = tables.map((table) => ({ read: () => table }))
  const prices = hourlyCloses(pieces, HOUR_MS, (bars) => held.see(bars))
  return { prices, positions: positionsOf(run, prices, held) }
}

const sweptGrid = { perSide: [1, 2, 3], gross: [0.25, 0.5, 1, 2] }

/** What the sweep and the walk-forward tasks would hand on. */
function sweptSample(
  market: MarketInput,
  { fromMs, toMs }: TimeSpan,
  strategyName: string,
  grid: SweepGrid = sweptGrid,
): Required<Pick<ReportInput, 'sweep' | 'walkForward'>> {
  const runAt = (params: Readonly<Record<string, unknown>>, span: TimeSpan): BacktestRun => {
    const config = backtestConfig.parse({})
    const parsed = randomControl.params.parse(params)
    const result = runBacktest({ market, strategy: randomControl, params: parsed, config, ...span })
    const strategy = { name: strategyName, params: parsed }
    return { request: { strategy, interval: '1h', ...span, execution: config }, result }
  }
  const range = { fromMs, toMs }
  const points = expandSweep(grid, randomControl)
  const values = points.map((point) => point.values)
  const folds: WalkForwardConfig = { training: 'rolling', train: '15d', test: '10d', purge: '1d' }
  const few = points.slice(0, 3)
  const selections = planFolds(folds, range).map((fold) =>
    selectPoint(
      fold,
      few.map((point) => point.values),
      few.map(({ params }) => runAt(params, fold.train[0]!)),
    ),
  )
  return {
    sweep: summariseSweep(
      values,
      points.map(({ params }) => trialOf(runAt(params, range))),
    ),
    walkForward: joinFolds(
      folds,
      selections,
      selections.map(({ chosen, test }) => runAt(chosen.values, test)),
    ),
  }
}

function qualityOf(symbol: string, days: number): QaReport {
  const statuses = ['ok', 'ok', 'ok', 'tagged', 'quarantined', 'ok', 'rejected', 'absent'] as const
  const because: QaReport['masks'][number]['because'] = ['outage']
  return {
    symbol,
    policy: 'quarantine',
    intervalMs: 60_000,
    fromMs: startMs,
    toMs: startMs + days * DAY_MS,
    carried: [],
    days: Array.from({ length: days }, (_, i) => {
      const status = statuses[i % statuses.length]!
      const [fromMs, toMs] = [startMs + i * DAY_MS, startMs + (i + 1) * DAY_MS]
      const finding = { kind: 'outage' as const, fromMs, toMs: fromMs + HOUR_MS, knownAtMs: fromMs + HOUR_MS, bars: 60 }
      const metrics = {
        expectedBars: 1440,
        presentBars: status === 'absent' ? 0 : 1440,
        missingBars: status === 'absent' ? 1440 : 0,
        quietBars: 3,
        outageBars: status === 'quarantined' ? 60 : 0,
        unsoundBars: 0,
        staleBars: 0,
        deviatingBars: 0,
        lostTrades: 0,
        differingBars: 0,
        outlierBars: 1,
        maskedBars: 0,
        quoteVolume: 1e6,
      }
      return { day: dayOf(fromMs), knownAtMs: toMs, status, metrics, findings: status === 'ok' ? [] : [finding] }
    }),
    masks: [{ fromMs: startMs + DAY_MS, toMs: startMs + 1.5 * DAY_MS, action: 'quarantine', because }],
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
