import { z } from 'zod'
import { audit, verdictOf } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/partitionParams.ts'
import { rawTrades } from '../../../lib/market/rawFiles.ts'
import { aggTradeForm } from '../../../lib/market/tradeForms.ts'
import { auditTradePages } from '../../../lib/market/tradePages.ts'
import { auditTrades as auditRows } from '../../../lib/market/tradeStream.ts'
import { defineTask, many, optional, stored } from '../../../pipeline/engine/task.ts'

/** What was wrong with a day of aggregate trades. The ingestion reads it first: rows in disorder have to be sorted. */
export const auditAggTrades = defineTask({
  name: 'auditAggTrades',
  kind: 'pure',
  params: z.object({
    ...partitionParams,
    partition: z.string(),
    /** Of a day out of pages: what the API still had of it. */
    servedFromTsMs: z.number().int().optional(),
  }),
  inputs: { archive: optional(stored(rawTrades)), pages: optional(many(rawTrades)) },
  output: audit,
  run: ({ archive, pages = [] }, params) => {
    const form = aggTradeForm(params.fromTsMs)
    const isPaged = archive === undefined && pages.length > 0
    const { rows, findings } = isPaged
      ? auditTradePages(pages, form, params, params.policy)
      : auditRows(archive?.files, form, params, params.policy)
    return { artifactType: 'aggTrades', partition: params.partition, verdict: verdictOf(findings), rows, findings }
  },
})
