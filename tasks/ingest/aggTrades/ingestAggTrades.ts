import { z } from 'zod'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { tradeDayOf } from '../../../lib/market/trades/tradeDay.ts'
import { aggTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { servedFromTsMs } from '../../../lib/market/trades/tradePages.ts'
import { aggTrades } from '../../../lib/tables/trades.ts'
import { defineTask, many, optional, stored } from '../../../pipeline/engine/task.ts'

/** A day of aggregate trades, from zip to checked table in one pass whatever its size. Pages of the API serve a day the
 *  archive does not have yet; one that nobody has is a table without rows. */
export const ingestAggTrades = defineTask({
  name: 'ingestAggTrades',
  kind: 'pure',
  params: z.object({ ...partitionParams, servedFromTsMs }),
  inputs: { archive: optional(stored(rawTrades)), pages: optional(many(rawTrades)) },
  output: aggTrades,
  run: (served, params) => tradeDayOf(served, aggTradeForm(params.fromTsMs), params, params.policy),
})
