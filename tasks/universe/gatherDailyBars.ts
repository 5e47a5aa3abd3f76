import { z } from 'zod'
import { rawBars } from '../../lib/market/ingest/rawFiles.ts'
import { dailyBarsOf } from '../../lib/market/universe/dailyBars.ts'
import { klines } from '../../lib/tables/klines.ts'
import { defineTask, many } from '../../pipeline/engine/task.ts'

/** A month of daily bars of everybody who could be in a universe, in one table: hundreds of tables of thirty rows take
 *  longer to write, hash and record than to read out of their archives. */
export const gatherDailyBars = defineTask({
  name: 'gatherDailyBars',
  kind: 'pure',
  params: z.object({
    interval: z.literal('1d'),
    fromTsMs: z.number().int(),
    /** Not included. */
    toTsMs: z.number().int(),
  }),
  inputs: { raw: many(rawBars) },
  output: klines,
  run: ({ raw }, params) => dailyBarsOf(raw, params),
})
