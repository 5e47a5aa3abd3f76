import { z } from 'zod'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { tradeDayOf } from '../../../lib/market/trades/tradeDay.ts'
import { spotAggTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { spotAggTrades } from '../../../lib/tables/spotTrades.ts'
import { defineTask, many, optional, stored } from '../../../pipeline/engine/task.ts'

/** A day of aggregate trades of a coin pair, from zip to checked table in one pass whatever its size. Pages of the API serve a
 *  day the archive does not have yet; one that nobody has is a table without rows. */
export const ingestSpotAggTrades = defineTask({
  name: 'ingestSpotAggTrades',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { archive: optional(stored(rawTrades)), pages: optional(many(rawTrades)) },
  output: spotAggTrades,
  run: (served, params) => tradeDayOf(served, spotAggTradeForm(params.fromTsMs), params, params.policy),
})
