import { z } from 'zod'
import { audit, reportOf } from '../../../lib/audit/finding.ts'
import { barPartitionParams } from '../../../lib/market/ingest/barParams.ts'
import { barFindings } from '../../../lib/market/ingest/bars.ts'
import { rawBars } from '../../../lib/market/ingest/rawFiles.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** What was wrong with the files of a partition, and what was done about it. It reads them as the ingestion does. */
export const auditBars = defineTask({
  name: 'auditBars',
  kind: 'pure',
  params: z.object({ ...barPartitionParams, partition: z.string() }),
  inputs: { raw: many(rawBars) },
  output: audit,
  run: ({ raw }, params) => reportOf(params.kind, params.partition, barFindings(raw, params, params.policy)),
})
