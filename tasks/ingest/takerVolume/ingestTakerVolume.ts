import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTakerVolume } from '../../../lib/market/ingest/rawFiles.ts'
import { takerVolumeOf } from '../../../lib/market/ingest/statistics.ts'
import { takerVolume } from '../../../lib/tables/takerVolume.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** What takers bought and sold in a partition. */
export const ingestTakerVolume = defineTask({
  name: 'ingestTakerVolume',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { pages: many(rawTakerVolume) },
  output: takerVolume,
  run: ({ pages }, params) => {
    const { table, findings } = takerVolumeOf(pages, params, params.policy)
    assertAccepted(findings, params)
    return table
  },
})
