import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawMetrics, rawOpenInterest } from '../../../lib/market/ingest/rawFiles.ts'
import { openInterestOf } from '../../../lib/market/ingest/statistics.ts'
import { openInterest } from '../../../lib/tables/openInterest.ts'
import { defineTask, many, optional } from '../../../pipeline/engine/task.ts'

/** Open interest of a partition at the instants it was measured: the archive's metrics serve, the API where those are not
 *  published yet. */
export const ingestOpenInterest = defineTask({
  name: 'ingestOpenInterest',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { metrics: optional(many(rawMetrics)), pages: optional(many(rawOpenInterest)) },
  output: openInterest,
  run: ({ metrics = [], pages = [] }, params) => {
    const { table, findings } = openInterestOf(metrics, pages, params, params.policy)
    assertAccepted(findings, params)
    return table
  },
})
