import { z } from 'zod'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawFunding } from '../../../lib/market/ingest/rawFiles.ts'
import { fundingGaps, fundingGapsOf } from '../../../lib/market/plan/fundingGaps.ts'
import { defineTask, optional } from '../../../pipeline/engine/task.ts'

/** What an archive's month lacks of its settlements, so that the API may fill it. */
export const findFundingGaps = defineTask({
  name: 'findFundingGaps',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { archive: optional(rawFunding) },
  output: fundingGaps,
  run: ({ archive }, params) => ({ slices: fundingGapsOf(archive, params) }),
})
