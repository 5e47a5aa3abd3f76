import { z } from 'zod'

import { didYouMean } from '../nearMatch.ts'
import { DAY_MS, HOUR_MS, isDay } from '../time.ts'
import { cashDecimalsDefault } from './scaled.ts'

/** The execution assumptions of a run. They are part of the manifest: a result is only as good as these. */

const isoDay = z.string().refine(isDay, 'not a UTC day such as 2024-01-31')
const bps = z.number().min(-1000).max(10_000)

/** An object that takes no other keys, and says of a misspelt one which was meant. */
// @__NO_SIDE_EFFECTS__
const strict = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `there is no "${key}"${didYouMean(key, Object.keys(shape))}`).join('; ')
        : undefined,
  })

const slippageModel = z.discriminatedUnion('model', [
  /** So many basis points worse than the reference, always. */
  strict({ model: z.literal('fixedBps'), bps: bps.min(0) }),
  /** Half the assumed spread, at least half a tick. */
  strict({
    model: z.literal('halfSpread'),
    spreadBps: bps.min(0),
    bySymbol: z.record(z.string(), bps.min(0)).default({}),
  }),
  /** coefficient * volatility * sqrt(quantity / volume), both per bar over the bars closed before the fill. The volatility is
   *  of returns about zero; on a symbol's first bar it is taken as 5 % and the quantity as all the volume. */
  strict({
    model: z.literal('sqrtImpact'),
    coefficient: z.number().positive().default(1),
    lookbackBars: z.int().min(2).max(10_000).default(24),
    minBps: bps.min(0).default(1),
  }),
])
export type SlippageModel = z.infer<typeof slippageModel>

/** From `from` on, until a later entry takes over. A fill pays what is in force when it is booked: for one in the range of a
 *  bar that is the bar's end, and so at midnight the day after. */
const feeEntry = strict({
  from: isoDay,
  tiers: z.record(z.string(), strict({ makerBps: bps, takerBps: bps })),
})

const bracketEntry = strict({
  from: isoDay,
  /** Without it the entry serves every symbol that has none of its own. */
  symbol: z.string().optional(),
  /** Ascending; the last one may leave `upToUsdt` out. The deducted amounts follow from the rates. */
  levels: z.array(strict({ upToUsdt: z.number().positive().optional(), maintenanceBps: bps.positive() })).min(1),
})

const assumptions = strict({
  capitalUsdt: z.number().positive().default(100_000),
  cashDecimals: z
    .int()
    .min(2)
    .max(8)
    .default(cashDecimalsDefault)
    .describe('8 is exact up to 90 million USDT of equity, cash or position; each decimal less is tenfold that.'),
  marginMode: z.enum(['cross', 'isolated']).default('cross'),
  leverageMax: z
    .number()
    .positive()
    .max(125)
    .default(3)
    .describe(
      'Sum of |positions| over equity that no order may pass. Isolated positions post notional / leverage; ' +
        'their funding is settled there, and none costs more than that.',
    ),
  latencyMs: z.int().min(0).default(200),
  feeTier: z.string().default('regular'),
  fees: z
    .array(feeEntry)
    .min(1)
    .default([{ from: '2019-09-01', tiers: { regular: { makerBps: 2, takerBps: 5 } } }]),
  slippage: slippageModel.default({ model: 'fixedBps', bps: 1 }),
  volumeShareMax: z
    .number()
    .positive()
    .max(1)
    .default(0.1)
    .describe('Of the traded quantity of the bar that fills; what is left waits for the next bar.'),
  brackets: z
    .array(bracketEntry)
    .min(1)
    .default([
      {
        from: '2019-09-01',
        levels: [
          { upToUsdt: 50_000, maintenanceBps: 40 },
          { upToUsdt: 250_000, maintenanceBps: 50 },
          { upToUsdt: 1_000_000, maintenanceBps: 100 },
          { upToUsdt: 10_000_000, maintenanceBps: 250 },
          { upToUsdt: 20_000_000, maintenanceBps: 500 },
          { upToUsdt: 50_000_000, maintenanceBps: 1000 },
          { maintenanceBps: 1250 },
        ],
      },
    ]),
  liquidationFeeBps: bps.min(0).default(125),
  risk: strict({
    grossMax: z.number().positive().optional().describe('As multiples of equity.'),
    netMax: z.number().positive().optional(),
    symbolMax: z.number().positive().optional(),
    drawdownMax: z
      .number()
      .positive()
      .max(1)
      .optional()
      .describe(
        '0.2: twenty per cent under the highest equity, everything is closed and the strategy is heard no more.',
      ),
  }).default({}),
  equityEveryMs: z
    .int()
    .positive()
    .refine((ms) => DAY_MS % ms === 0, 'must divide a day')
    .default(HOUR_MS)
    .describe(
      'Spacing of the equity curve, in multiples since 1970; at least the bar interval. Daily closes need a divisor.',
    ),
  seed: z.int().min(0).default(1),
})

/** A tier that one of the dated entries lacks would end a run only once it has everything else. */
export const backtestConfig = assumptions.superRefine(({ feeTier, fees }, { addIssue }) => {
  for (const { from, tiers } of fees) {
    if (Object.hasOwn(tiers, feeTier)) continue
    const known = Object.keys(tiers).sort()
    const near = didYouMean(feeTier, known)
    addIssue({
      code: 'custom',
      path: ['feeTier'],
      message: `the fees from ${from} on have no tier "${feeTier}"${near}${near === '' ? ';' : ''} there is: ${known.join(', ')}`,
    })
  }
})
export type BacktestConfig = z.infer<typeof backtestConfig>
