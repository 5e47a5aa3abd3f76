import { z } from 'zod'
import { audit, reportOf } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawFunding } from '../../../lib/market/ingest/rawFiles.ts'
import { settlementsOf } from '../../../lib/market/ingest/settlements.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** What was wrong with the files of a partition of settlements. */
export const auditFunding = defineTask({
  name: 'auditFunding',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: { raw: many(rawFunding) },
  output: audit,
  run: ({ raw }, params) => {
    const { table, findings } = settlementsOf(raw, params, params.policy)
    return reportOf('funding', params.partition, { rows: table.rowCount, findings })
  },
})
