import { z } from 'zod'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { tradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { tradesOf } from '../../../lib/market/trades/tradeStream.ts'
import { trades } from '../../../lib/tables/trades.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** A day of single trades, from zip to checked table in one pass whatever its size. A day the archive lacks is
 *  a table without rows. */
export const ingestTrades = defineTask({
  name: 'ingestTrades',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { archive: optional(stored(rawTrades)) },
  output: trades,
  run: ({ archive }, params) => tradesOf(archive?.files, tradeForm(params.fromTsMs), params, params.policy),
})
