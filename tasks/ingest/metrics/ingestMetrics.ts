import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawMetrics } from '../../../lib/market/ingest/rawFiles.ts'
import { venueMetricsOf } from '../../../lib/market/ingest/venueMetrics.ts'
import { venueMetrics } from '../../../lib/tables/venueMetrics.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** A day of the venue's statistics. On 2026-06-25 the venue began to name rows by the start of their five minutes instead
 *  of the end; here all are named by the start. */
export const ingestMetrics = defineTask({
  name: 'ingestMetrics',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { raw: many(rawMetrics) },
  output: venueMetrics,
  run: ({ raw }, params) => {
    const { table, findings } = venueMetricsOf(raw, params, params.policy)
    assertAccepted(findings, params)
    return table
  },
})
