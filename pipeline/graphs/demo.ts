import { z } from 'zod'
import { crossSectionalMomentum } from '../../lib/strategies/crossSectionalMomentum.ts'
import { monthStart, nextMonth } from '../../lib/time.ts'
import { fetchFunding } from '../../tasks/ingest/fetchFunding.ts'
import { fetchKlines } from '../../tasks/ingest/fetchKlines.ts'
import { ingestFunding } from '../../tasks/ingest/ingestFunding.ts'
import { ingestKlines } from '../../tasks/ingest/ingestKlines.ts'
import { backtest } from '../../tasks/replay/backtest.ts'
import { metrics } from '../../tasks/replay/metrics.ts'
import { buildUniverse } from '../../tasks/universe/buildUniverse.ts'
import { fetchExchangeInfo } from '../../tasks/universe/fetchExchangeInfo.ts'
import { definePipeline } from '../engine/graph.ts'

const month = z.string().regex(/^\d{4}-\d{2}$/, 'a month such as 2026-03')

const demoConfig = z.object({
  symbols: z.array(z.string()).min(1),
  interval: z.string().default('1h'),
  fromMonth: month,
  toMonth: month,
  capitalUsdt: z.number().positive().default(100_000),
  takerBps: z.number().default(5),
  lookbackBars: z.number().int().positive().default(168),
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
        const archive = graph.add(fetchKlines, {
          at: [symbol, interval, period],
          params: { symbol, interval, month: period },
        })
        return graph.add(ingestKlines, { at: [symbol, interval, period], params: { symbol }, inputs: { archive } })
      }),
  )
  const funding = graph.each(
    universe,
    (value) => value.symbols,
    ({ symbol }) =>
      months.map((period) => {
        const archive = graph.add(fetchFunding, { at: [symbol, period], params: { symbol, month: period } })
        return graph.add(ingestFunding, { at: [symbol, period], params: { symbol }, inputs: { archive } })
      }),
  )
  const equity = graph.add(backtest, {
    params: {
      interval,
      fromMonth,
      toMonth,
      strategy: { lookbackBars: config.lookbackBars },
      execution: {
        capitalUsdt,
        fees: [{ from: '2019-09-01', tiers: { regular: { makerBps: 2, takerBps: config.takerBps } } }],
      },
    },
    inputs: { universe, klines, funding },
    code: { strategy: crossSectionalMomentum },
  })
  graph.target('dataset', klines, funding)
  graph.target('backtest', equity)
  graph.target('metrics', graph.add(metrics, { params: { capitalUsdt }, inputs: { equity } }))
})

function monthsOf(from: string, to: string): string[] {
  const months: string[] = []
  for (let period = from; monthStart(period) <= monthStart(to); period = nextMonth(period)) months.push(period)
  return months
}
