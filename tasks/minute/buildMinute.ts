import { z } from 'zod'
import { buildMinutes } from '../../lib/minute/buildMinute.ts'
import { funding } from '../../lib/tables/funding.ts'
import { klines } from '../../lib/tables/klines.ts'
import { minute } from '../../lib/tables/minute.ts'
import { openInterest } from '../../lib/tables/openInterest.ts'
import { indexKlines, markKlines, premiumKlines } from '../../lib/tables/priceKlines.ts'
import { aggTrades, trades } from '../../lib/tables/trades.ts'
import { dayStart, intervalMs, isDay, MINUTE_MS } from '../../lib/time.ts'
import { defineTask, many, optional, stored } from '../../pipeline/engine/task.ts'

const day = z.string().refine(isDay, 'not a day such as 2026-03-01')
const baseInterval = z.enum(['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h'])

/** One row for every bar of the days asked for, with all that was known of it at its close. Pieces of the day before
 *  them belong to the inputs: staleness, outages and as-of values look back so far. */
export const buildMinute = defineTask({
  name: 'buildMinute',
  kind: 'pure',
  params: z.object({
    symbol: z.string(),
    from: day,
    /** The first day that is not included. */
    to: day,
    baseInterval: baseInterval.default('1m'),
    /** Of the given bars, where finer than baseInterval. */
    klineInterval: baseInterval.optional(),
    priceInterval: baseInterval.optional(),
    barsFrom: z.enum(['klines', 'trades', 'aggTrades']).default('klines'),
    outageMinutes: z.number().int().positive().max(1440).default(5),
    stalenessMaxMinutes: z.number().positive().default(5),
    indexDeviationMax: z.number().positive().default(0.05),
    openInterestMaxAgeMinutes: z.number().positive().max(1440).default(15),
    fundingRule: z
      .object({ interest8h: z.number(), clamp: z.number(), cap: z.number() })
      .default({ interest8h: 0.0001, clamp: 0.0005, cap: 0.02 }),
  }),
  inputs: {
    klines: optional(many(stored(klines))),
    trades: optional(many(stored(trades))),
    aggTrades: optional(many(stored(aggTrades))),
    mark: optional(many(stored(markKlines))),
    index: optional(many(stored(indexKlines))),
    premium: optional(many(stored(premiumKlines))),
    spot: optional(many(stored(klines))),
    funding: optional(many(funding)),
    openInterest: optional(many(openInterest)),
  },
  output: minute,
  limits: { memoryMb: 512 },
  run: (sources, params, { log }) => {
    const { symbol, barsFrom, fundingRule, indexDeviationMax } = params
    const barMs = intervalMs(params.baseInterval)
    return buildMinutes(sources, {
      symbol,
      barsFrom,
      fundingRule,
      indexDeviationMax,
      fromMs: dayStart(params.from),
      toMs: dayStart(params.to),
      intervalMs: barMs,
      klineMs: intervalMs(params.klineInterval ?? params.baseInterval),
      priceMs: intervalMs(params.priceInterval ?? params.baseInterval),
      // Coarse bars: one without a trade is as long as an outage, and as stale as it is long.
      outageMs: Math.max(barMs, params.outageMinutes * MINUTE_MS),
      stalenessMaxMs: Math.max(barMs - 1, params.stalenessMaxMinutes * MINUTE_MS),
      openInterestMaxAgeMs: params.openInterestMaxAgeMinutes * MINUTE_MS,
      onLeftOut: ({ rows, says }) => log(`${rows} rows left out: ${says}`),
    })
  },
})
