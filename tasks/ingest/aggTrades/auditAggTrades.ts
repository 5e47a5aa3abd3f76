import { z } from 'zod'
import { audit, verdictOf } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/partitionParams.ts'
import { rawTrades } from '../../../lib/market/rawFiles.ts'
import { aggTradeForm } from '../../../lib/market/tradeForms.ts'
import { auditTrades as auditRows } from '../../../lib/market/tradeStream.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** What was wrong with a day of aggregate trades. The ingestion reads it first: rows in disorder have to be sorted. */
export const auditAggTrades = defineTask({
  name: 'auditAggTrades',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: { archive: optional(stored(rawTrades)) },
  output: audit,
  run: ({ archive }, params) => {
    const { rows, findings } = auditRows(archive?.files, aggTradeForm(params.fromTsMs), params, params.policy)
    return { artifactType: 'aggTrades', partition: params.partition, verdict: verdictOf(findings), rows, findings }
  },
})
