import { z } from 'zod'
import { partitionParams } from '../../../lib/market/partitionParams.ts'
import { rawTrades } from '../../../lib/market/rawFiles.ts'
import { spotAggTradeForm } from '../../../lib/market/tradeForms.ts'
import { tradesOf } from '../../../lib/market/tradeStream.ts'
import { spotAggTrades } from '../../../lib/tables/spotTrades.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** A day of aggregate trades of a coin pair, from zip to checked table in one pass whatever its size. A day the archive lacks is
 *  a table without rows. */
export const ingestSpotAggTrades = defineTask({
  name: 'ingestSpotAggTrades',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { archive: optional(stored(rawTrades)) },
  output: spotAggTrades,
  run: ({ archive }, params) => tradesOf(archive?.files, spotAggTradeForm(params.fromTsMs), params, params.policy),
})
