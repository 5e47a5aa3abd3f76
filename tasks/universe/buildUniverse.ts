import { z } from 'zod'
import { exchangeInfo, present, ticker } from '../../lib/market/ingest/rawFiles.ts'
import { buildUniverseOf } from '../../lib/market/universe/buildUniverse.ts'
import { candidates, universe } from '../../lib/market/universe/universe.ts'
import { klines } from '../../lib/tables/klines.ts'
import { defineTask, many, optional } from '../../pipeline/engine/task.ts'

/**
 * Who may be traded. `listed`: the symbols asked for, as far as the venue lists them as perpetuals. `historical`: the
 * largest by volume before each date, dead ones included. `live`: the largest of today, which only data of today may
 * use: for the past it is a list of survivors.
 */
export const buildUniverse = defineTask({
  name: 'buildUniverse',
  kind: 'pure',
  params: z.object({
    mode: z.enum(['listed', 'historical', 'live']).default('listed'),
    /** For `listed`. */
    symbols: z.array(z.string()).default([]),
    /** Dates from which on a choice holds; the data begin with the first. */
    datesTsMs: z.array(z.number().int()).default([]),
    size: z.number().int().positive().default(20),
    minQuoteVolumeUsd: z.number().nonnegative().default(0),
    minAgeDays: z.number().int().nonnegative().default(0),
    lookbackDays: z.number().int().positive().default(30),
    deny: z.array(z.string()).default([]),
    /** For contracts that no snapshot describes. */
    minNotional: z.string().default('5'),
    allowSurvivorship: z.boolean().default(false),
  }),
  inputs: {
    exchangeInfo: optional(exchangeInfo),
    ticker: optional(ticker),
    present: optional(present),
    candidates: optional(candidates),
    daily: optional(many(klines)),
  },
  output: universe,
  run: (inputs, params, { log }) => buildUniverseOf(inputs, params, log),
})
