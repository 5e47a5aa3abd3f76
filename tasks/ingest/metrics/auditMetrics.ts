import { z } from 'zod'
import { audit, reportOf } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawMetrics } from '../../../lib/market/ingest/rawFiles.ts'
import { venueMetricsOf } from '../../../lib/market/ingest/venueMetrics.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** What was wrong with a day of the venue's statistics. */
export const auditMetrics = defineTask({
  name: 'auditMetrics',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: { raw: many(rawMetrics) },
  output: audit,
  run: ({ raw }, params) => {
    const { table, findings } = venueMetricsOf(raw, params, params.policy)
    return reportOf('venueMetrics', params.partition, { rows: table.rowCount, findings })
  },
})
