import { type DailyReturns, dailyReturns } from '../backtest/dailyReturns.ts'
import { computeMetrics } from '../backtest/metrics.ts'
import { pow10 } from '../backtest/scaled.ts'
import type { BacktestRun } from '../market/runs/backtestFiles.ts'
import type { MetricsJson } from '../market/runs/backtestOutputs.ts'
import { metricsJson } from '../market/runs/metricsJson.ts'
import { joinReports, type SymbolQuality } from '../qa/joinReports.ts'
import type { SweepSummary, WalkForward } from '../sweep/outputs.ts'
import type { ReplaySummary } from '../tables/events.ts'
import type { QaReport } from '../tables/qa.ts'
import type { Position } from './positions.ts'

/** Everything the page is made of: plain data, and nothing of the machine that makes it. */
export interface ReportInput {
  readonly run: BacktestRun
  readonly metrics: MetricsJson
  readonly benchmark?: BacktestRun
  /** The same run under other assumptions or parameters. */
  readonly variants: readonly BacktestRun[]
  /** All configurations that were tried, and what choosing among them by the past would have given. */
  readonly sweep?: SweepSummary
  readonly walkForward?: WalkForward
  /** The identity of the event stream the run saw. */
  readonly replay?: ReplaySummary
  /** Closes of the symbols, to draw the trades on. */
  readonly prices: readonly PriceSeries[]
  /** Its round trips. */
  readonly positions: readonly Position[]
  /** Members of the universe from each date on; absent where they never change. */
  readonly members?: readonly { readonly tsMs: number; readonly symbols: readonly string[] }[]
  /** True where the universe lets today's survivors stand for the past. */
  readonly hasSurvivorship?: boolean
  /** Of any pieces of time. */
  readonly quality: readonly QaReport[]
  readonly rejected: readonly { readonly symbol: string; readonly reason: string }[]
  /** The files of the run, by which the page can be tied to what is stored. */
  readonly files: readonly StoredFile[]
}

export interface PriceSeries {
  readonly symbol: string
  readonly tsMs: Float64Array
  readonly close: Float64Array
}

export interface StoredFile {
  readonly name: string
  readonly sizeBytes: number
  readonly sha256: string
}

/** The input with what several sections draw from it. */
export interface ReportView extends Omit<ReportInput, 'quality'> {
  readonly quality: readonly SymbolQuality[]
  readonly daily: DailyReturns
  readonly against: { readonly name: string; readonly daily: DailyReturns; readonly metrics: MetricsJson } | undefined
  /** Factor from units of cash to USDT. */
  readonly usdt: number
}

export function viewOf(input: ReportInput): ReportView {
  const { run, benchmark } = input
  return {
    ...input,
    quality: joinReports(input.quality),
    daily: dailyReturns(run.result.equity.tsMs, run.result.equity.equity),
    against: benchmark && {
      name: benchmark.request.strategy.name,
      daily: dailyReturns(benchmark.result.equity.tsMs, benchmark.result.equity.equity),
      metrics: metricsJson(computeMetrics(benchmark.result)),
    },
    usdt: 1 / pow10(run.result.cashDecimals),
  }
}
