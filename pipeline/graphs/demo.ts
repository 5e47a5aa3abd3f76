import { z } from 'zod'
import type { backtestConfig } from '../../lib/backtest/config.ts'
import { btcBuyAndHold } from '../../lib/strategies/btcBuyAndHold.ts'
import { crossSectionalMomentum } from '../../lib/strategies/crossSectionalMomentum.ts'
import { HOUR_MS, intervals, monthStart, nextMonth } from '../../lib/time.ts'
import { report } from '../../tasks/deliver/report.ts'
import { fetchFundingMonth } from '../../tasks/ingest/funding/fetchFundingMonth.ts'
import { ingestFunding } from '../../tasks/ingest/funding/ingestFunding.ts'
import { fetchBars } from '../../tasks/ingest/klines/fetchBars.ts'
import { ingestKlines } from '../../tasks/ingest/klines/ingestKlines.ts'
import { backtest } from '../../tasks/replay/backtest.ts'
import { metrics } from '../../tasks/replay/metrics.ts'
import { buildUniverse } from '../../tasks/universe/buildUniverse.ts'
import { fetchExchangeInfo } from '../../tasks/universe/fetchExchangeInfo.ts'
import { definePipeline } from '../engine/graph.ts'

const month = z.string().regex(/^\d{4}-\d{2}$/, 'a month such as 2026-03')

const demoConfig = z.object({
  symbols: z.array(z.string()).min(1),
  interval: z.enum(intervals).default('1h'),
  fromMonth: month,
  toMonth: month,
  capitalUsdt: z.number().positive().default(100_000),
  takerBps: z.number().default(5),
  lookbackBars: z.number().int().positive().default(168),
  /** The other lookbacks that were tried: the metrics take them into account. */
  lookbackTrials: z.array(z.number().int().positive()).default([24, 72, 336, 672]),
})

/** Archives of the embedded exchange, through the same tasks real archives take, to a small backtest. */
export const demo = definePipeline('demo', demoConfig, (graph, config) => {
  const { symbols, interval, fromMonth, toMonth, capitalUsdt } = config
  const months = monthsOf(fromMonth, toMonth)
  const universe = graph.add(buildUniverse, {
    params: { symbols },
    inputs: { exchangeInfo: graph.add(fetchExchangeInfo) },
  })
  const klines = graph.each(
    universe,
    (value) => value.symbols,
    ({ symbol }) =>
      months.map((period) => {
        const at = [symbol, interval, period]
        const archive = graph.add(fetchBars, { at, params: { symbol, interval, period } })
        const params = { symbol, interval, ...spanOf(period) }
        return graph.add(ingestKlines, { at, params, inputs: { raw: [archive] } })
      }),
  )
  const funding = graph.each(
    universe,
    (value) => value.symbols,
    ({ symbol }) =>
      months.map((period) => {
        const at = [symbol, period]
        const archive = graph.add(fetchFundingMonth, { at, params: { symbol, period } })
        return graph.add(ingestFunding, { at, params: { symbol, ...spanOf(period) }, inputs: { raw: [archive] } })
      }),
  )
  const assumptions = { capitalUsdt, fees: feesOf(2, config.takerBps) }
  const inputs = { universe, klines, funding }
  const momentum = (at: readonly (string | number)[], lookbackBars: number, changes: Changes = {}) =>
    graph.add(backtest, {
      at,
      params: { interval, fromMonth, toMonth, strategy: { lookbackBars }, execution: { ...assumptions, ...changes } },
      inputs,
      code: { strategy: crossSectionalMomentum },
    })
  const run = momentum([], config.lookbackBars)
  const benchmark = graph.add(backtest, {
    at: ['benchmark'],
    params: { interval, fromMonth, toMonth, execution: assumptions },
    inputs,
    code: { strategy: btcBuyAndHold },
  })
  // Who tried several configurations and shows one says how many there were, and what each gave.
  const others = config.lookbackTrials.filter((bars) => bars !== config.lookbackBars)
  const trials = [run, ...others.map((bars) => momentum(['lookbackBars', bars], bars))]
  const sensitivity = [
    momentum(['fees', 'none'], config.lookbackBars, { fees: feesOf(0, 0) }),
    momentum(['fees', 'double'], config.lookbackBars, { fees: feesOf(4, 2 * config.takerBps) }),
    momentum(['slippage', '5bps'], config.lookbackBars, { slippage: { model: 'fixedBps', bps: 5 } }),
    momentum(['latency', '1h'], config.lookbackBars, { latencyMs: HOUR_MS }),
  ]
  const numbers = graph.add(metrics, { inputs: { run, benchmark, trials } })
  const page = graph.add(report, {
    inputs: { run, benchmark, metrics: numbers, variants: [...sensitivity, ...trials.slice(1)], klines, universe },
  })
  graph.target('dataset', klines, funding)
  graph.target('backtest', run, benchmark)
  graph.target('metrics', numbers)
  graph.target('report', page)
})

type Changes = Partial<z.input<typeof backtestConfig>>

const feesOf = (makerBps: number, takerBps: number) => [
  { from: '2019-09-01', tiers: { regular: { makerBps, takerBps } } },
]

const spanOf = (period: string) => ({ fromTsMs: monthStart(period), toTsMs: monthStart(nextMonth(period)) })

function monthsOf(from: string, to: string): string[] {
  const months: string[] = []
  for (let period = from; monthStart(period) <= monthStart(to); period = nextMonth(period)) months.push(period)
  return months
}
