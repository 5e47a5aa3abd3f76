import { z } from 'zod'
import { audit, reportOf } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { auditTradeDay } from '../../../lib/market/trades/tradeDay.ts'
import { tradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { trades } from '../../../lib/tables/trades.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** What was wrong with a day of single trades. */
export const auditTrades = defineTask({
  name: 'auditTrades',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: { table: optional(stored(trades)), archive: optional(stored(rawTrades)) },
  output: audit,
  run: (served, params) =>
    reportOf('trades', params.partition, auditTradeDay(served, tradeForm(params.fromTsMs), params, params.policy)),
})
