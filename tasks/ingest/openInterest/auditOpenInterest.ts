import { z } from 'zod'
import { audit, reportOf } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawMetrics, rawOpenInterest } from '../../../lib/market/ingest/rawFiles.ts'
import { openInterestOf } from '../../../lib/market/ingest/statistics.ts'
import { defineTask, many, optional } from '../../../pipeline/engine/task.ts'

/** What was wrong with the open interest of a partition, whoever served it. */
export const auditOpenInterest = defineTask({
  name: 'auditOpenInterest',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: { metrics: optional(many(rawMetrics)), pages: optional(many(rawOpenInterest)) },
  output: audit,
  run: ({ metrics = [], pages = [] }, params) => {
    const { table, findings } = openInterestOf(metrics, pages, params, params.policy)
    return reportOf('openInterest', params.partition, { rows: table.rowCount, findings })
  },
})
