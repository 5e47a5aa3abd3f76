import { z } from 'zod'
import { policy } from '../../lib/audit/finding.ts'
import { Fault } from '../../lib/fault.ts'
import { httpPolicy } from '../../lib/http/policy.ts'
import { DAY_MS, intervals, monthStart, monthsBetween, nextMonth, parseUtc } from '../../lib/time.ts'
import { configureHttp } from '../../lib/venues/ask.ts'
import { baseUrls } from '../../lib/venues/hosts.ts'
import { requestPolicy } from '../../lib/venues/requestPolicy.ts'
import { barKinds } from '../../lib/venues/usdm.ts'
import { fetchBars } from '../../tasks/ingest/klines/fetchBars.ts'
import { planPartitions } from '../../tasks/ingest/planPartitions.ts'
import { buildUniverse } from '../../tasks/universe/buildUniverse.ts'
import { fetchExchangeInfo } from '../../tasks/universe/fetchExchangeInfo.ts'
import { fetchListing } from '../../tasks/universe/fetchListing.ts'
import { fetchPresent } from '../../tasks/universe/fetchPresent.ts'
import { fetchTicker } from '../../tasks/universe/fetchTicker.ts'
import { gatherDailyBars } from '../../tasks/universe/gatherDailyBars.ts'
import { listCandidates } from '../../tasks/universe/listCandidates.ts'
import { definePipeline, type Graph, type NodeHandle } from '../engine/graph.ts'
import { addAggTrades, aggTradeTables } from './dataset/aggTrades.ts'
import { addBars, barTables } from './dataset/bars.ts'
import { addFunding, fundingTables } from './dataset/funding.ts'
import { addStatistics, statisticsTables } from './dataset/statistics.ts'
import { addTrades, tradeTables } from './dataset/trades.ts'

const instant = z
  .string()
  .refine((text) => parseUtc(text) !== undefined, 'a date such as 2026-03-01, or an instant in UTC')

export const datasetConfig = z.object({
  source: z
    .enum(['sim', 'binance', 'archives'])
    .default('sim')
    .describe(
      '"sim": the embedded exchange. "binance": archives, and the API for what they lack. "archives": no API at all.',
    ),
  baseUrls: baseUrls
    .optional()
    .describe('For mirrors and simulated exchanges; where they are given they are part of every key.'),
  http: httpPolicy.prefault({}),
  requests: requestPolicy.describe('What is asked and how, for whoever reads a manifest: nothing to be set.'),
  from: instant,
  to: instant.optional().describe('Not included. Without it up to now.'),
  universe: z
    .object({
      mode: z.enum(['listed', 'historical', 'live']).default('historical'),
      symbols: z.array(z.string()).default([]),
      size: z.number().int().positive().default(20),
      minQuoteVolumeUsd: z.number().nonnegative().default(0),
      minAgeDays: z.number().int().nonnegative().default(0),
      lookbackDays: z.number().int().positive().default(30),
      quoteAsset: z.string().default('USDT'),
      allow: z.array(z.string()).default([]),
      deny: z.array(z.string()).default([]),
      rebalance: z
        .enum(['never', 'monthly'])
        .default('never')
        .describe('Whether a new choice is made at the start of each month, on what had closed by then.'),
      dates: z.array(instant).default([]).describe('Other dates a new choice is made at; without any, once at "from".'),
      allowSurvivorship: z.boolean().default(false),
    })
    .prefault({}),
  bars: z
    .array(
      z.object({
        market: z.enum(['usdm', 'spot']).default('usdm'),
        kind: z.enum(barKinds).default('klines'),
        interval: z.enum(intervals),
      }),
    )
    .default([{ market: 'usdm', kind: 'klines', interval: '1h' }]),
  funding: z.boolean().default(true),
  metrics: z.boolean().default(false),
  trades: z
    .array(z.enum(['usdm', 'spot']))
    .default([])
    .describe('Days of trades, of contracts or of coin pairs.'),
  aggTrades: z.array(z.enum(['usdm', 'spot'])).default([]),
  openInterest: z.boolean().default(false),
  takerVolume: z.boolean().default(false),
  policy: policy.default('quarantine').describe('What is done about rows that cannot be right.'),
  audit: z.boolean().default(true),
})
export type DatasetConfig = z.output<typeof datasetConfig>

/** From the network or the embedded exchange to checked tables: universe, bars, funding and whatever else is switched on. */
export const dataset = definePipeline('dataset', datasetConfig, (graph, config) => {
  const made = addDataset(graph, config)
  graph.target('universe', made.universe)
  graph.target('dataset', ...made.tables, ...made.audits)
  graph.target('audit', ...made.audits)
})

/** A data set's nodes, and the tables a further step may ask for one by one. */
export type Dataset = ReturnType<typeof addDataset>

export function addDataset(graph: Graph, config: DatasetConfig) {
  configureHttp(config.http)
  const choice = choiceOf(config)
  const hasApi = config.source !== 'archives'
  const fromTsMs = parseUtc(config.from)!
  const present = graph.add(fetchPresent, { params: { ...choice, asksVenue: hasApi } })
  const universe = addUniverse(graph, config, present)
  const listings = graph.each(
    universe,
    ({ selection }) => selection?.gone ?? [],
    (symbol) =>
      graph.add(fetchListing, {
        at: [symbol],
        params: { ...choice, prefix: `data/futures/um/monthly/klines/${symbol}/1d/` },
      }),
  )
  const plan = graph.add(planPartitions, {
    params: {
      fromTsMs,
      toTsMs: config.to === undefined ? Number.MAX_SAFE_INTEGER : parseUtc(config.to)!,
      bars: config.bars,
      funding: config.funding,
      metrics: config.metrics,
      trades: config.trades.length > 0,
      aggTrades: config.aggTrades.length > 0,
      openInterest: config.openInterest,
      takerVolume: config.takerVolume,
      hasApi,
    },
    inputs: { universe, present, listings: [listings] },
  })
  const bars = barTables(graph, choice, config)
  const funding = fundingTables(graph, choice, config)
  const statistics = statisticsTables(graph, choice, config)
  const trades = {
    usdm: tradeTables(graph, choice, config, 'usdm'),
    spot: tradeTables(graph, choice, config, 'spot'),
  }
  const aggTrades = {
    usdm: aggTradeTables(graph, choice, config, 'usdm'),
    spot: aggTradeTables(graph, choice, config, 'spot'),
  }
  const made = [
    addBars(graph, plan, bars, config.audit),
    addFunding(graph, plan, funding, config.audit),
    addStatistics(graph, plan, statistics, config.audit),
    ...[...new Set(config.trades)].map((market) => addTrades(graph, plan, trades[market], market)),
    ...[...new Set(config.aggTrades)].map((market) => addAggTrades(graph, plan, aggTrades[market], market)),
  ]
  return {
    universe,
    plan,
    bars,
    funding: funding.funding,
    openInterest: statistics.openInterest,
    trades: trades.usdm.table,
    aggTrades: aggTrades.usdm.table,
    tables: made.flatMap(({ tables }) => tables),
    audits: made.flatMap(({ audits }) => audits),
  }
}

const choiceOf = ({ source, baseUrls: given }: DatasetConfig) => ({
  venue: source === 'sim' ? ('sim' as const) : ('binance' as const),
  ...(given === undefined ? {} : { baseUrls: given }),
})

function addUniverse(graph: Graph, config: DatasetConfig, present: NodeHandle<typeof fetchPresent.output>) {
  const { universe: rules } = config
  const choice = choiceOf(config)
  const dates = choiceDates(config)
  const { mode, symbols, size, minQuoteVolumeUsd, minAgeDays, lookbackDays, deny, allowSurvivorship } = rules
  const params = {
    mode,
    symbols,
    datesTsMs: dates,
    size,
    minQuoteVolumeUsd,
    minAgeDays,
    lookbackDays,
    deny,
    allowSurvivorship,
  }
  const exchangeInfo = config.source === 'archives' ? undefined : graph.add(fetchExchangeInfo, { params: choice })
  if (mode === 'listed') return graph.add(buildUniverse, { params, inputs: { exchangeInfo } })
  const listing = graph.add(fetchListing, {
    at: ['symbols'],
    params: { ...choice, prefix: 'data/futures/um/monthly/klines/' },
  })
  const candidates = graph.add(listCandidates, {
    params: { quoteAsset: rules.quoteAsset, allow: rules.allow, deny },
    inputs: { listing },
  })
  if (mode === 'live') {
    // One listing says whom the archive knows and today's list lacks.
    const ticker = graph.add(fetchTicker, { params: choice })
    return graph.add(buildUniverse, { params, inputs: { exchangeInfo, present, ticker, candidates } })
  }
  // Nobody lists the dead any more: their age is that of their first bar, so that bars are needed from so far back.
  const backMs = Math.max(lookbackDays, minAgeDays + 1) * DAY_MS
  const months = [...new Set(dates.flatMap((tsMs) => monthsBetween(tsMs - backMs, tsMs)))].sort()
  const daily = months.map((period) => {
    const raw = graph.each(
      candidates,
      (value) => value.symbols,
      ({ symbol }) =>
        graph.add(fetchBars, {
          at: ['universe', symbol, period],
          params: { ...choice, symbol, interval: '1d', period },
        }),
    )
    return graph.add(gatherDailyBars, {
      at: ['universe', period],
      params: { interval: '1d', fromTsMs: monthStart(period), toTsMs: monthStart(nextMonth(period)) },
      inputs: { raw: [raw] },
    })
  })
  return graph.add(buildUniverse, { params, inputs: { exchangeInfo, candidates, daily } })
}

/** When a universe is chosen, ascending. */
function choiceDates({ from, to, universe }: DatasetConfig): number[] {
  const given = universe.dates.map((text) => parseUtc(text)!)
  const fromTsMs = parseUtc(from)!
  if (universe.rebalance === 'never') return (given.length === 0 ? [fromTsMs] : given).sort((a, b) => a - b)
  if (to === undefined) {
    throw new Fault({
      code: 'usage',
      what: 'a universe chosen anew each month needs to know when the data end',
      where: 'config, universe.rebalance',
      todo: 'set "to", or "universe.dates"',
    })
  }
  const months = monthsBetween(fromTsMs, parseUtc(to)!).map(monthStart)
  const all = new Set([fromTsMs, ...months.filter((tsMs) => tsMs > fromTsMs), ...given])
  return [...all].sort((a, b) => a - b)
}
