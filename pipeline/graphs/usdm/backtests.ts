import type { z } from 'zod'
import type { backtestConfig } from '../../../lib/backtest/config.ts'
import type { Strategy } from '../../../lib/backtest/strategy.ts'
import { Fault } from '../../../lib/fault.ts'
import { didYouMean } from '../../../lib/nearMatch.ts'
import { intervalMs } from '../../../lib/time.ts'
import { report } from '../../../tasks/deliver/report.ts'
import { backtest } from '../../../tasks/replay/backtest.ts'
import { metrics } from '../../../tasks/replay/metrics.ts'
import type { Graph } from '../../engine/graph.ts'
import type { Dataset } from '../dataset.ts'
import type { UsdmConfig } from './config.ts'
import type { Research } from './research.ts'

type Changes = Partial<z.input<typeof backtestConfig>>

/** The run, its benchmark, the same run under other assumptions, and what is made of them. */
export function addBacktests(
  graph: Graph,
  { universe }: Dataset,
  { minutes, funding, qa }: Research,
  config: UsdmConfig,
  strategies: Readonly<Record<string, Strategy>>,
) {
  const { baseInterval, from, to, execution } = config
  const place = (at: readonly string[], strategy: Strategy, params: Record<string, unknown>, changes: Changes = {}) =>
    graph.add(backtest, {
      at,
      params: { baseInterval, from, to, strategy: params, execution: { ...execution, ...changes } },
      inputs: { universe, minutes, funding },
      code: { strategy },
    })
  const { name, params } = config.strategy
  const strategy = strategyOf(name, strategies, 'config, strategy.name')
  const run = place([], strategy, params)
  const benchmark =
    config.benchmark === null
      ? undefined
      : place(['benchmark'], strategyOf(config.benchmark, strategies, 'config, benchmark'), {})
  const variants = config.sensitivity
    ? [
        place(['fees', 'none'], strategy, params, { fees: feesTimes(execution.fees, 0) }),
        place(['fees', 'double'], strategy, params, { fees: feesTimes(execution.fees, 2) }),
        place(['slippage', '5bps'], strategy, params, { slippage: { model: 'fixedBps', bps: 5 } }),
        place(['latency', baseInterval], strategy, params, { latencyMs: execution.latencyMs + intervalMs(baseInterval) }),
      ]
    : []
  const against = benchmark === undefined ? {} : { benchmark }
  const numbers = graph.add(metrics, { inputs: { run, ...against } })
  const page = graph.add(report, {
    inputs: { run, ...against, metrics: numbers, variants, universe, quality: qa },
  })
  return { run, benchmark, metrics: numbers, report: page }
}

const feesTimes = (fees: UsdmConfig['execution']['fees'], factor: number): UsdmConfig['execution']['fees'] =>
  fees.map(({ from, tiers }) => ({
    from,
    tiers: Object.fromEntries(
      Object.entries(tiers).map(([tier, { makerBps, takerBps }]) => [
        tier,
        { makerBps: makerBps * factor, takerBps: takerBps * factor },
      ]),
    ),
  }))

function strategyOf(name: string, strategies: Readonly<Record<string, Strategy>>, where: string): Strategy {
  const found = Object.hasOwn(strategies, name) ? strategies[name] : undefined
  if (found !== undefined) return found
  const names = Object.keys(strategies)
  throw new Fault({
    code: 'usage',
    what: `there is no strategy "${name}"${didYouMean(name, names)}`,
    where,
    todo: `choose among ${names.join(', ')}, or give usdmPipeline one of your own`,
  })
}
