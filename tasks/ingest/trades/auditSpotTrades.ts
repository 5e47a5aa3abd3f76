import { z } from 'zod'
import { audit, reportOf } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { auditTradeDay } from '../../../lib/market/trades/tradeDay.ts'
import { spotTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { spotTrades } from '../../../lib/tables/spotTrades.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** What was wrong with a day of single trades of a coin pair. */
export const auditSpotTrades = defineTask({
  name: 'auditSpotTrades',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: { table: optional(stored(spotTrades)), archive: optional(stored(rawTrades)) },
  output: audit,
  run: (served, params) =>
    reportOf(
      'spotTrades',
      params.partition,
      auditTradeDay(served, spotTradeForm(params.fromTsMs), params, params.policy),
    ),
})
