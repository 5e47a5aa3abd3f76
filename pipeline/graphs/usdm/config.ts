import { z } from 'zod'
import { backtestConfig } from '../../../lib/backtest/config.ts'
import { walkForwardConfig } from '../../../lib/sweep/folds.ts'
import { sweepGrid } from '../../../lib/sweep/points.ts'
import { DAY_MS, dayOf, dayStart, isDay } from '../../../lib/time.ts'
import { type DatasetConfig, datasetConfig } from '../dataset.ts'

const day = z.string().refine(isDay, 'not a day such as 2026-03-01')

const { universe } = datasetConfig.shape

/** Bars that minutes may be made as; the finest first. */
export const baseIntervals = ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h'] as const

export const usdmConfig = datasetConfig.omit({ bars: true }).extend({
  from: day.describe('The first day that is traded, and the first that is not any more.'),
  to: day,
  warmupDays: z
    .number()
    .int()
    .nonnegative()
    .default(0)
    .describe('So many days before "from" are made ready for features that look back; nothing is traded on them.'),
  universe: universe
    .unwrap()
    .extend({ rebalance: z.enum(['never', 'monthly']).default('monthly') })
    .prefault({}),
  baseInterval: z.enum(baseIntervals).default('1m'),
  barsFrom: z
    .enum(['klines', 'trades', 'aggTrades'])
    .default('klines')
    .describe(
      'What minutes are made of. Trades of either kind are ingested for it, and compared with the venue’s own bars: a minute that differs is tagged.',
    ),
  mark: z
    .boolean()
    .default(true)
    .describe('Data sets beside the bars of the contract. What is left out is absent from minutes, and flagged there.'),
  index: z.boolean().default(true),
  premium: z.boolean().default(true),
  spot: z.boolean().default(true),
  trades: datasetConfig.shape.trades.describe(
    'Days of trades, of contracts or of coin pairs. Those of contracts are in the replay’s event stream too.',
  ),
  calendar: z
    .array(z.object({ fromMs: z.number(), toMs: z.number(), knownAtMs: z.number() }))
    .default([])
    .describe('Announced events, for the mask "near_event".'),
  strategy: z
    .strictObject({
      name: z
        .string()
        .default('crossSectionalMomentum')
        .describe(
          'Another name alone keeps the params that are written here; --set \'strategy={"name":"…"}\' leaves them behind.',
        ),
      params: z.record(z.string(), z.unknown()).default({}),
    })
    .prefault({}),
  benchmark: z
    .string()
    .nullable()
    .default('btcBuyAndHold')
    .describe('What the strategy is measured against; null for nothing.'),
  execution: backtestConfig.prefault({}).describe('Capital, fees, slippage, latency, brackets and limits.'),
  sweep: sweepGrid
    .default({})
    .describe('Values to try of the strategy’s params, each combination a run of its own: "{ perSide: [2, 3] }".'),
  walkForward: walkForwardConfig
    .optional()
    .describe('Folds of time: on each the best of the sweep is chosen, and traded on what comes after.'),
  sensitivity: z
    .boolean()
    .default(true)
    .describe(
      'Whether the run is repeated without fees, with twice the fees, with more slippage and with more latency.',
    ),
})
export type UsdmConfig = z.output<typeof usdmConfig>

/** The data set a config rests on. */
export function datasetOf(config: UsdmConfig): DatasetConfig {
  const { from, to, warmupDays, baseInterval, barsFrom, openInterest, metrics, trades, aggTrades } = config
  const series = (market: 'usdm' | 'spot', kind: DatasetConfig['bars'][number]['kind']) => ({
    market,
    kind,
    interval: baseInterval,
  })
  return {
    ...config,
    from: dayOf(dayStart(from) - warmupDays * DAY_MS),
    to,
    // The archive measures open interest together with everything else, by day.
    metrics: metrics || openInterest,
    trades: barsFrom === 'trades' ? [...trades, 'usdm'] : trades,
    aggTrades: barsFrom === 'aggTrades' ? [...aggTrades, 'usdm'] : aggTrades,
    bars: [
      series('usdm', 'klines'),
      ...(config.mark ? [series('usdm', 'markPriceKlines')] : []),
      ...(config.index ? [series('usdm', 'indexPriceKlines')] : []),
      ...(config.premium ? [series('usdm', 'premiumIndexKlines')] : []),
      ...(config.spot ? [series('spot', 'klines')] : []),
    ],
  }
}

/** Data sets that can be switched off. */
export const dataSets = ['mark', 'index', 'premium', 'spot', 'openInterest', 'funding'] as const

/** What minutes and the series beside them lack by the config's own wish. */
export function inputsOff({
  mark,
  index,
  premium,
  spot,
  openInterest,
  funding,
}: Readonly<Record<(typeof dataSets)[number], boolean>>): ReadonlySet<string> {
  return new Set([
    ...(mark ? [] : ['mark', 'basis', 'indexDeviation']),
    ...(index ? [] : ['index', 'basis', 'indexDeviation']),
    ...(premium ? [] : ['premium', 'fundingEstimate']),
    ...(spot ? [] : ['spotQuoteVolume', 'spotTakerBuyQuote']),
    ...(openInterest ? [] : ['openInterest', 'openInterestAgeMs']),
    ...(funding ? [] : ['funding', 'fundingRate']),
  ])
}
