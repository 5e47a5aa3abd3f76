import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import type { backtestConfig } from '../../../lib/backtest/config.ts'
import type { Strategy } from '../../../lib/backtest/strategy.ts'
import { Fault } from '../../../lib/fault.ts'
import { strategyParams } from '../../../lib/market/runs/strategyParams.ts'
import { didYouMean } from '../../../lib/nearMatch.ts'
import type { TimeSpan } from '../../../lib/sweep/folds.ts'
import { dayOf, dayStart, intervalMs, monthStart } from '../../../lib/time.ts'
import { report } from '../../../tasks/deliver/report.ts'
import { backtest } from '../../../tasks/replay/backtest.ts'
import { checkStrategy } from '../../../tasks/replay/checkStrategy.ts'
import { metrics } from '../../../tasks/replay/metrics.ts'
import { trial } from '../../../tasks/replay/trial.ts'
import type { Graph } from '../../engine/graph.ts'
import type { Dataset } from '../dataset.ts'
import { addSweep, type PlacedSweep, type TrialAt } from '../research/sweep.ts'
import { addWalkForward } from '../research/walkForward.ts'
import type { UsdmConfig } from './config.ts'
import type { ByMonth, GroupFeatures, Research } from './research.ts'

type Changes = Partial<z.input<typeof backtestConfig>>

/** The run, its benchmark, the same run under other assumptions and with other params, and what is made of them. */
export function addBacktests(
  graph: Graph,
  { universe }: Dataset,
  research: Research,
  config: UsdmConfig,
  strategies: Readonly<Record<string, Strategy>>,
) {
  const { baseInterval, execution, sensitivity } = config
  const range = { fromMs: dayStart(config.from), toMs: dayStart(config.to) }
  const { name, params } = config.strategy
  const strategy = strategyOf(name, strategies, 'config, strategy.name')
  // A wrong param is told before anything is fetched, and not once all data are there.
  strategyParams(strategy, params)

  /** Of all data up to the range's end, so that a run over the past stays what it is when days are added. */
  const inputsOf = (which: Strategy, { toMs }: TimeSpan) => ({
    universe,
    minutes: upTo(research.minutes, toMs),
    funding: upTo(research.funding, toMs),
    qa: upTo(research.qa, toMs),
    // Only groups it declares columns of: an edited feature runs its users again and nobody else.
    features: declaredGroups(which, research).flatMap(({ months }) => upTo(months, toMs)),
  })
  const paramsOf = (given: Readonly<Record<string, unknown>>, { fromMs, toMs }: TimeSpan, changes: Changes) => ({
    baseInterval,
    from: dayOf(fromMs),
    to: dayOf(toMs),
    strategy: given,
    execution: { ...execution, ...changes },
  })
  const place = (
    at: readonly string[],
    which: Strategy,
    given: Readonly<Record<string, unknown>>,
    changes: Changes = {},
  ) =>
    graph.add(backtest, {
      at,
      params: paramsOf(given, range, changes),
      inputs: { ...inputsOf(which, range), replay: research.replay },
      code: { strategy: which },
    })

  const run = place([], strategy, params)
  const benchmark =
    config.benchmark === null
      ? undefined
      : place(['benchmark'], strategyOf(config.benchmark, strategies, 'config, benchmark'), {})
  const variants = sensitivity
    ? [
        place(['fees', 'none'], strategy, params, { fees: feesTimes(execution.fees, 0) }),
        place(['fees', 'double'], strategy, params, { fees: feesTimes(execution.fees, 2) }),
        place(['slippage', '5bps'], strategy, params, { slippage: { model: 'fixedBps', bps: 5 } }),
        place(['latency', baseInterval], strategy, params, {
          latencyMs: execution.latencyMs + intervalMs(baseInterval),
        }),
      ]
    : []
  const trialAt: TrialAt = (at, given, span) =>
    graph.add(trial, {
      at,
      params: paramsOf(given, span, {}),
      inputs: inputsOf(strategy, span),
      code: { strategy },
    })
  const tried = { strategy, sweep: config.sweep, base: params, range, trialAt }
  const sweep = Object.keys(config.sweep).length === 0 ? undefined : addSweep(graph, tried)
  const walkForward =
    config.walkForward === undefined
      ? undefined
      : addWalkForward(graph, {
          ...tried,
          folds: config.walkForward,
          runAt: (at, given, span) =>
            graph.add(backtest, {
              at,
              params: paramsOf(given, span, {}),
              inputs: inputsOf(strategy, span),
              code: { strategy },
            }),
        })
  const against = benchmark === undefined ? {} : { benchmark }
  // Who tried several configurations and shows one says how many there were, and what each gave.
  const ownPoint = sweep === undefined ? undefined : pointOf(params, strategy, sweep)
  const numbers = graph.add(metrics, {
    inputs: {
      run,
      ...against,
      ...(sweep === undefined ? {} : { sweep: sweep.summary }),
    },
    // The run need not be one of the points.
    ...(ownPoint === undefined ? {} : { params: { ownPoint } }),
  })
  const page = graph.add(report, {
    inputs: {
      run,
      ...against,
      metrics: numbers,
      variants,
      universe,
      minutes: upTo(research.minutes, range.toMs),
      quality: upTo(research.qa, range.toMs),
      replay: research.replay,
      ...(sweep === undefined ? {} : { sweep: sweep.summary }),
      ...(walkForward === undefined ? {} : { walkForward: walkForward.summary }),
    },
  })
  const check = graph.add(checkStrategy, {
    params: paramsOf(params, range, {}),
    inputs: inputsOf(strategy, range),
    code: { strategy },
  })
  return {
    backtests: [run, ...(benchmark === undefined ? [] : [benchmark])],
    sweep: sweep?.summary,
    walkForward: walkForward?.summary,
    metrics: numbers,
    report: page,
    check,
  }
}

/** The groups that offer what a strategy declares. A column that the config leaves out, or that nobody has, is told before
 *  anything is fetched. */
function declaredGroups({ name, columns = [] }: Strategy, { features, leftOut }: Research): GroupFeatures[] {
  const offering = features.filter(({ names }) => names.some((column) => columns.includes(column)))
  const offered = new Set(offering.flatMap(({ names }) => names))
  const lost = leftOut.find(({ column }) => columns.includes(column) && !offered.has(column))
  const known = new Set(features.flatMap(({ names }) => names))
  const unknown = columns.find((column) => !known.has(column))
  if (lost === undefined && unknown !== undefined) {
    throw new Fault({
      code: 'usage',
      what: `the strategy ${name} declares the column "${unknown}", which no group of features has${didYouMean(unknown, known)}`,
      where: `strategy ${name}`,
      todo: `correct its "columns", or give usdmPipeline a group that has it; there are ${[...known].sort().join(', ')}`,
      details: { column: unknown },
    })
  }
  if (lost === undefined) return offering
  const { column, group, why, todo } = lost
  throw new Fault({
    code: 'usage',
    what: `the strategy ${name} declares the column "${column}" of the group "${group}", which is left out: ${why}`,
    where: 'config',
    todo: `${todo}, or take another strategy`,
    details: { column, group },
  })
}

const upTo = <T>(all: ByMonth<T>, toMs: number): T[] =>
  [...all].filter(([period]) => monthStart(period) < toMs).map(([, one]) => one)

/** Which point of a sweep the run itself is. */
function pointOf(params: Readonly<Record<string, unknown>>, strategy: Strategy, { points }: PlacedSweep) {
  const own = strategy.params.safeParse(params).data
  const found = points.findIndex((point) => isDeepStrictEqual(strategy.params.safeParse(point.params).data, own))
  return found < 0 ? undefined : found
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
