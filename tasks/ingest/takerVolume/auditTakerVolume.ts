import { z } from 'zod'
import { audit, reportOf } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTakerVolume } from '../../../lib/market/ingest/rawFiles.ts'
import { takerVolumeOf } from '../../../lib/market/ingest/statistics.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** What was wrong with a partition of taker volumes. */
export const auditTakerVolume = defineTask({
  name: 'auditTakerVolume',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: { pages: many(rawTakerVolume) },
  output: audit,
  run: ({ pages }, params) => {
    const { table, findings } = takerVolumeOf(pages, params, params.policy)
    return reportOf('takerVolume', params.partition, { rows: table.rowCount, findings })
  },
})
