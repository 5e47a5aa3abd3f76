import { type FeatureGroup, historyMs } from '../../../lib/features/feature.ts'
import type { Partition } from '../../../lib/market/plan/partitions.ts'
import type { DatasetPlan } from '../../../lib/market/plan/planDataset.ts'
import { type SymbolMonth, symbolMonths } from '../../../lib/market/plan/symbolMonths.ts'
import { assertWholeDays } from '../../../lib/market/plan/wholeDays.ts'
import { minuteWarmupMs } from '../../../lib/minute/buildMinute.ts'
import { outlierWarmupMs } from '../../../lib/qa/outliers.ts'
import type { funding } from '../../../lib/tables/funding.ts'
import {
  dayOf,
  dayStart,
  MINUTE_MS,
  type Month,
  monthOf,
  monthStart,
  monthsBetween,
  nextMonth,
} from '../../../lib/time.ts'
import { buildMinute } from '../../../tasks/minute/buildMinute.ts'
import { qa } from '../../../tasks/minute/qa.ts'
import { replay } from '../../../tasks/replay/replay.ts'
import { checkFeatures } from '../../../tasks/research/checkFeatures.ts'
import { featureColumns } from '../../../tasks/research/featureColumns.ts'
import { features } from '../../../tasks/research/features.ts'
import type { Collection, Graph, NodeHandle } from '../../engine/graph.ts'
import { placedOnce } from '../dataset/placedOnce.ts'
import type { Dataset } from '../dataset.ts'
import { datasetOf, type UsdmConfig } from './config.ts'
import { columnsOfGroup, type LeftOutColumn } from './groupColumns.ts'

/** What a backtest reads, month by month. */
export interface Research {
  readonly minutes: ByMonth<Collection<typeof buildMinute.output>>
  readonly funding: ByMonth<Collection<typeof funding>>
  readonly qa: ByMonth<Collection<typeof qa.output>>
  readonly features: readonly GroupFeatures[]
  /** Columns that the config's bars or data sets do not give. */
  readonly leftOut: readonly LeftOutColumn[]
  /** Says of all columns whether they are there, and why not. */
  readonly columns: NodeHandle<typeof featureColumns.output>
  readonly checks: readonly NodeHandle<typeof checkFeatures.output>[]
  /** Of the whole range: each month goes on from the one before. */
  readonly replay: NodeHandle<typeof replay.output>
}

/** A group's columns, in all months. */
export interface GroupFeatures {
  readonly names: readonly string[]
  readonly months: ByMonth<NodeHandle<typeof features.output>>
}

/** Ascending. */
export type ByMonth<T> = ReadonlyMap<Month, T>

/** From tables of bars to minutes, features, verdicts on quality and the identity of the event stream. */
export function addResearch(
  graph: Graph,
  { universe, plan, bars, ...tables }: Dataset,
  config: UsdmConfig,
  groups: Readonly<Record<string, FeatureGroup>>,
): Research {
  const { baseInterval } = config
  const data = datasetOf(config)
  const [fromTsMs, toTsMs] = [dayStart(data.from), dayStart(config.to)]
  const months = monthsBetween(fromTsMs, toTsMs)
  const daysOf = (period: Month) => ({
    from: dayOf(Math.max(monthStart(period), fromTsMs)),
    to: dayOf(Math.min(monthStart(nextMonth(period)), toTsMs)),
  })
  /** The months a table of that month is made of, reaching back so far. */
  const reaching = (period: Month, backMs: number): Month[] =>
    monthsBetween(Math.max(fromTsMs, monthStart(period) - backMs), monthStart(nextMonth(period))).filter((one) =>
      months.includes(one),
    )
  const rules = { interval: baseInterval, barsFrom: config.barsFrom, fromTsMs, toTsMs, backMs: minuteWarmupMs }
  const hasApi = config.source !== 'archives'
  const symbolsOf = rememberedByPlan((found, period) => {
    assertWholeDays(found.nowTsMs, { toTsMs, barsFrom: config.barsFrom, hasApi })
    return symbolMonths(found, period, rules)
  })

  const minuteOf = placedOnce(
    ({ symbol, period }: SymbolMonth) => [symbol, period],
    (month) =>
      graph.add(buildMinute, {
        at: [month.symbol, month.period],
        params: { symbol: month.symbol, baseInterval, barsFrom: config.barsFrom, from: month.from, to: month.to },
        inputs: {
          // The venue's own bars say which exist, whatever they are made of, and are compared.
          klines: month.klines.map(bars.klines),
          ...(config.barsFrom === 'trades' ? { trades: month.trades.map(tables.trades) } : {}),
          ...(config.barsFrom === 'aggTrades' ? { aggTrades: month.aggTrades.map(tables.aggTrades) } : {}),
          ...(config.mark ? { mark: month.mark.map(bars.mark) } : {}),
          ...(config.index ? { index: month.index.map(bars.index) } : {}),
          ...(config.premium ? { premium: month.premium.map(bars.premium) } : {}),
          ...(config.spot ? { spot: month.spot.map(bars.klines) } : {}),
          ...(config.openInterest ? { openInterest: month.openInterest.map(tables.openInterest) } : {}),
          ...(config.funding ? { funding: month.funding.map(tables.funding) } : {}),
        },
      }),
  )
  const minutes = collected(months, (period) => graph.each(plan, (found) => symbolsOf(found, period), minuteOf))
  const settlements = collected(config.funding ? months : [], (period) =>
    graph.each(plan, (found): Partition[] => found.funding.filter((one) => one.period === period), tables.funding),
  )
  const verdicts = collected(months, (period) =>
    graph.each(
      plan,
      (found) => {
        const around = reaching(period, outlierWarmupMs).map((one) => symbolsOf(found, one))
        return symbolsOf(found, period).map((own) => ({
          own,
          // Of this symbol alone: another's minutes are none of its quality.
          reads: around.flat().filter(({ symbol }) => symbol === own.symbol),
        }))
      },
      ({ own: { symbol, period: month, from, to }, reads }) =>
        graph.add(qa, {
          at: [symbol, month],
          params: { symbol, baseInterval, policy: config.policy, from, to },
          inputs: { minutes: reads.map(minuteOf) },
        }),
    ),
  )

  const grouped: GroupFeatures[] = []
  const leftOut: LeftOutColumn[] = []
  const checks: NodeHandle<typeof checkFeatures.output>[] = []
  for (const [name, group] of Object.entries(groups)) {
    const judged = columnsOfGroup(name, typeof group === 'function' ? group(config) : group, config)
    leftOut.push(...judged.leftOut)
    const { kept } = judged
    if (kept.length === 0) continue
    // Minutes of any interval: the warm-up of a coarse one is no longer than that of minutes.
    const backMs = Math.max(0, ...kept.map(({ column }) => historyMs(column, MINUTE_MS)))
    const without = judged.leftOut.length === 0 ? {} : { leftOut: judged.leftOut.map(({ column }) => column) }
    const placements = months.map((period) => ({
      at: [name, period],
      params: { baseInterval, calendar: config.calendar, ...without, ...daysOf(period) },
      inputs: {
        minutes: ofMonths(minutes, reaching(period, backMs)),
        funding: ofMonths(settlements, reaching(period, backMs)),
      },
      code: { group },
    }))
    grouped.push({
      names: kept.map((feature) => feature.name),
      months: new Map(placements.map((placement) => [placement.at[1]!, graph.add(features, placement)])),
    })
    // A leak shows in any month; the last one has its history.
    checks.push(graph.add(checkFeatures, placements.at(-1)!))
  }
  const columns = graph.add(featureColumns, {
    params: {
      baseInterval,
      columns: grouped.flatMap(({ names }) => names),
      leftOut: leftOut.map(({ column, group, why }) => ({ column, group, why })),
    },
  })

  const ticks = collected(config.trades.includes('usdm') ? months : [], (period) =>
    graph.each(plan, (found) => found.trades.filter((one) => monthOf(one.fromTsMs) === period), tables.trades),
  )
  let before: NodeHandle<typeof replay.output> | undefined
  for (const period of months) {
    const periods = reaching(period, minuteWarmupMs)
    before = graph.add(replay, {
      at: [period],
      params: { baseInterval, ...daysOf(period) },
      inputs: {
        universe,
        minutes: ofMonths(minutes, periods),
        ...(ticks.size === 0 ? {} : { trades: ofMonths(ticks, [period]) }),
        funding: ofMonths(settlements, [period]),
        qa: ofMonths(verdicts, periods),
        ...(before === undefined ? {} : { before }),
      },
    })
  }
  return {
    minutes,
    funding: settlements,
    qa: verdicts,
    features: grouped,
    leftOut,
    columns,
    checks,
    replay: before!,
  }
}

const collected = <C>(months: readonly Month[], collect: (period: Month) => C): ByMonth<C> =>
  new Map(months.map((period) => [period, collect(period)]))

const ofMonths = <C>(all: ByMonth<C>, periods: readonly Month[]): C[] =>
  periods.flatMap((period) => (all.has(period) ? [all.get(period)!] : []))

/** The same plan is asked about the same months by minutes, verdicts and more. */
function rememberedByPlan<T>(make: (plan: DatasetPlan, period: Month) => T): (plan: DatasetPlan, period: Month) => T {
  const made = new WeakMap<DatasetPlan, Map<Month, T>>()
  return (plan, period) => {
    const ofPlan = made.get(plan) ?? new Map<Month, T>()
    made.set(plan, ofPlan)
    const known = ofPlan.get(period) ?? make(plan, period)
    ofPlan.set(period, known)
    return known
  }
}
