import { z } from 'zod'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { spotTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { tradesOf } from '../../../lib/market/trades/tradeStream.ts'
import { spotTrades } from '../../../lib/tables/spotTrades.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** A day of single trades of a coin pair, from zip to checked table in one pass whatever its size. A day the archive lacks is
 *  a table without rows. */
export const ingestSpotTrades = defineTask({
  name: 'ingestSpotTrades',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { archive: optional(stored(rawTrades)) },
  output: spotTrades,
  run: ({ archive }, params) => tradesOf(archive?.files, spotTradeForm(params.fromTsMs), params, params.policy),
})
