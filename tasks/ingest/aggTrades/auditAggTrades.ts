import { z } from 'zod'
import { audit, reportOf } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { auditTradeDay } from '../../../lib/market/trades/tradeDay.ts'
import { aggTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { servedFromTsMs } from '../../../lib/market/trades/tradePages.ts'
import { aggTrades } from '../../../lib/tables/trades.ts'
import { defineTask, many, optional, stored } from '../../../pipeline/engine/task.ts'

/** What was wrong with a day of aggregate trades. */
export const auditAggTrades = defineTask({
  name: 'auditAggTrades',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string(), servedFromTsMs }),
  inputs: {
    table: optional(stored(aggTrades)),
    archive: optional(stored(rawTrades)),
    pages: optional(many(rawTrades)),
  },
  output: audit,
  run: (served, params) =>
    reportOf(
      'aggTrades',
      params.partition,
      auditTradeDay(served, aggTradeForm(params.fromTsMs), params, params.policy),
    ),
})
