import { z } from 'zod'
import { audit, reportOf } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { auditTradeDay } from '../../../lib/market/trades/tradeDay.ts'
import { spotAggTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { spotAggTrades } from '../../../lib/tables/spotTrades.ts'
import { defineTask, many, optional, stored } from '../../../pipeline/engine/task.ts'

/** What was wrong with a day of aggregate trades of a coin pair. */
export const auditSpotAggTrades = defineTask({
  name: 'auditSpotAggTrades',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: {
    table: optional(stored(spotAggTrades)),
    archive: optional(stored(rawTrades)),
    pages: optional(many(rawTrades)),
  },
  output: audit,
  run: (served, params) =>
    reportOf(
      'spotAggTrades',
      params.partition,
      auditTradeDay(served, spotAggTradeForm(params.fromTsMs), params, params.policy),
    ),
})
