import { z } from 'zod'
import { type FeatureGroup, historyMs, readsOf } from '../../lib/features/feature.ts'
import { basisFeatures } from '../../lib/features/set/basis.ts'
import { flowFeatures, spotFlowFeatures } from '../../lib/features/set/flow.ts'
import { fundingFeatures } from '../../lib/features/set/funding.ts'
import { calendarGroup, settlementFeatures } from '../../lib/features/set/masks.ts'
import { openInterestFeatures } from '../../lib/features/set/openInterest.ts'
import { priceFeatures } from '../../lib/features/set/prices.ts'
import { minuteWarmupMs } from '../../lib/minute/buildMinute.ts'
import { outlierWarmupMs } from '../../lib/qa/outliers.ts'
import { qaPolicy } from '../../lib/tables/qa.ts'
import { dayOf, isMonth, monthOf, monthStart, monthsBetween, nextMonth } from '../../lib/time.ts'
import { buildMinute } from '../../tasks/minute/buildMinute.ts'
import { qa } from '../../tasks/minute/qa.ts'
import { replay } from '../../tasks/replay/replay.ts'
import { replayEvents } from '../../tasks/replay/replayEvents.ts'
import { checkFeatures } from '../../tasks/research/checkFeatures.ts'
import { features } from '../../tasks/research/features.ts'
import { buildUniverse } from '../../tasks/universe/buildUniverse.ts'
import { fetchExchangeInfo } from '../../tasks/universe/fetchExchangeInfo.ts'
import { type Collection, definePipeline, type Graph, type NodeHandle } from '../engine/graph.ts'
import { monthlyArchives } from './usdm/monthlyArchives.ts'

const month = z.string().refine(isMonth, 'a month such as 2026-03')

const usdmConfig = z.object({
  source: z.enum(['sim', 'binance']).default('sim'),
  symbols: z.array(z.string()).min(1),
  fromMonth: month,
  /** Included. */
  toMonth: month,
  baseInterval: z.enum(['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h']).default('1m'),
  /** Data sets beside the bars of the contract. What is left out is absent from minutes, and flagged there. */
  mark: z.boolean().default(true),
  index: z.boolean().default(true),
  premium: z.boolean().default(true),
  spot: z.boolean().default(true),
  /** A file a day and symbol. */
  openInterest: z.boolean().default(false),
  qaPolicy: qaPolicy.default('quarantine'),
  /** Announced events, for the mask `near_event`. */
  calendar: z.array(z.object({ fromMs: z.number(), toMs: z.number(), knownAtMs: z.number() })).default([]),
})
type UsdmConfig = z.output<typeof usdmConfig>

/** The groups that come with the program. One whose data sets are switched off is left out; a project's own says so. */
export const standardGroups: Readonly<Record<string, FeatureGroup>> = {
  prices: priceFeatures,
  basis: basisFeatures,
  funding: fundingFeatures,
  openInterest: openInterestFeatures,
  flow: flowFeatures,
  spotFlow: spotFlowFeatures,
  masks: settlementFeatures,
  calendar: calendarGroup,
}

/** From archives to minutes, features, verdicts on quality and the event stream. A project adds a feature by a file that
 *  exports its group, named here beside the standard ones. */
export const usdmPipeline = (groups: Readonly<Record<string, FeatureGroup>>) =>
  definePipeline('usdm', usdmConfig, (graph, config) => {
    const universe = graph.add(buildUniverse, {
      params: { symbols: config.symbols },
      inputs: { exchangeInfo: graph.add(fetchExchangeInfo, { params: { venue: venueOf(config) } }) },
    })
    const months = monthsBetween(monthStart(config.fromMonth), monthStart(nextMonth(config.toMonth)))
    const chain = addChain(graph, universe, months, groups, config)
    graph.target('universe', universe)
    graph.target('minute', ...chain.minutes.values())
    graph.target('features', ...chain.features)
    graph.target('check-features', ...chain.checks)
    graph.target('qa', ...chain.qa)
    graph.target('replay', chain.replay)
    graph.target('events', chain.events)
  })

export const usdm = usdmPipeline(standardGroups)

/** What minutes lack by the config's own wish. */
function inputsOff({ mark, index, premium, spot, openInterest }: UsdmConfig): ReadonlySet<string> {
  return new Set([
    ...(mark ? [] : ['mark', 'basis', 'indexDeviation']),
    ...(index ? [] : ['index', 'basis', 'indexDeviation']),
    ...(premium ? [] : ['premium', 'fundingEstimate']),
    ...(spot ? [] : ['spotQuoteVolume', 'spotTakerBuyQuote']),
    ...(openInterest ? [] : ['openInterest', 'openInterestAgeMs']),
  ])
}

const venueOf = ({ source }: UsdmConfig) => source

const daysOf = (period: string) => ({ from: `${period}-01`, to: `${nextMonth(period)}-01` })

function addChain(
  graph: Graph,
  universe: NodeHandle<typeof buildUniverse.output>,
  months: readonly string[],
  groups: Readonly<Record<string, FeatureGroup>>,
  config: UsdmConfig,
) {
  const { baseInterval } = config
  const archives = monthlyArchives(graph, { venue: venueOf(config), interval: baseInterval })
  const wanted = new Set(months)
  /** The months a table of that month is made of, reaching back so far. */
  const reaching = (period: string, backMs: number): string[] =>
    monthsBetween(monthStart(period) - backMs, monthStart(nextMonth(period))).filter((one) => wanted.has(one))
  const each = <H extends NodeHandle>(of: (symbol: string) => H) =>
    graph.each(
      universe,
      (value) => value.symbols,
      ({ symbol }) => of(symbol) as NodeHandle<H['output']>,
    ) as Collection<H['output']>

  const placed = new Map<string, NodeHandle<typeof buildMinute.output>>()
  const minuteOf = (symbol: string, period: string) => {
    const id = `${symbol},${period}`
    const known = placed.get(id)
    if (known !== undefined) return known
    const around = reaching(period, minuteWarmupMs)
    const node = graph.add(buildMinute, {
      at: [symbol, period],
      params: { symbol, baseInterval, ...daysOf(period) },
      inputs: {
        klines: around.map((one) => archives.klines(symbol, one)),
        ...(config.mark ? { mark: around.map((one) => archives.mark(symbol, one)) } : {}),
        ...(config.index ? { index: around.map((one) => archives.index(symbol, one)) } : {}),
        ...(config.premium ? { premium: around.map((one) => archives.premium(symbol, one)) } : {}),
        ...(config.spot ? { spot: around.map((one) => archives.spot(symbol, one)) } : {}),
        ...(config.openInterest ? { openInterest: around.map((one) => archives.openInterest(symbol, one)) } : {}),
        funding: around.map((one) => archives.funding(symbol, one)),
      },
    })
    placed.set(id, node)
    return node
  }
  const minutes = new Map(months.map((period) => [period, each((symbol) => minuteOf(symbol, period))]))
  const minutesOf = (periods: readonly string[]) => periods.map((one) => minutes.get(one)!)
  const funding = new Map(months.map((period) => [period, each((symbol) => archives.funding(symbol, period))]))
  const fundingOf = (periods: readonly string[]) => periods.map((one) => funding.get(one)!)

  const off = inputsOff(config)
  const featureNodes: NodeHandle<typeof features.output>[] = []
  const checks: NodeHandle<typeof checkFeatures.output>[] = []
  for (const [name, group] of Object.entries(groups)) {
    const columns = typeof group === 'function' ? group(config) : group
    const isOff = columns.some(({ column }) => [...readsOf(column).inputs].some((input) => off.has(input)))
    if (isOff && standardGroups[name] === group) continue
    // Minutes of any interval: the warm-up of a coarse one is no longer than that of minutes.
    const backMs = Math.max(0, ...columns.map(({ column }) => historyMs(column, 60_000)))
    for (const period of months) {
      const periods = reaching(period, backMs)
      const placement = {
        at: [name, period],
        params: { baseInterval, calendar: config.calendar, ...daysOf(period) },
        inputs: { minutes: minutesOf(periods), funding: fundingOf(periods) },
        code: { group },
      }
      featureNodes.push(graph.add(features, placement))
      // A leak shows in any month; the last one has its history.
      if (period === months.at(-1)) checks.push(graph.add(checkFeatures, placement))
    }
  }
  const qaOf = new Map(
    months.map((period) => [
      period,
      each((symbol) =>
        graph.add(qa, {
          at: [symbol, period],
          params: { symbol, baseInterval, policy: config.qaPolicy, ...daysOf(period) },
          // Of this symbol alone: another's minutes are none of its quality.
          inputs: { minutes: reaching(period, outlierWarmupMs).map((one) => minuteOf(symbol, one)) },
        }),
      ),
    ]),
  )
  let before: NodeHandle<typeof replay.output> | undefined
  for (const period of months) {
    const periods = reaching(period, minuteWarmupMs)
    before = graph.add(replay, {
      at: [period],
      params: { baseInterval, ...daysOf(period) },
      inputs: {
        universe,
        minutes: minutesOf(periods),
        funding: fundingOf([period]),
        qa: periods.map((one) => qaOf.get(one)!),
        ...(before === undefined ? {} : { before }),
      },
    })
  }
  const events = graph.add(replayEvents, {
    params: {
      baseInterval,
      from: `${months[0]!}-01`,
      to: dayOf(monthStart(nextMonth(monthOf(monthStart(months.at(-1)!))))),
    },
    inputs: { universe, minutes: [...minutes.values()], funding: fundingOf(months), qa: [...qaOf.values()] },
  })
  return { minutes, features: featureNodes, checks, qa: [...qaOf.values()], replay: before!, events }
}
