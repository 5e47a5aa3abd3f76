import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawFunding } from '../../../lib/market/ingest/rawFiles.ts'
import { settlementsOf } from '../../../lib/market/ingest/settlements.ts'
import { funding } from '../../../lib/tables/funding.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** The settlements of a partition as published: intervals differ between symbols and change over time, stamps come some
 *  milliseconds late, and a mark price that nobody published stays absent. */
export const ingestFunding = defineTask({
  name: 'ingestFunding',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { raw: many(rawFunding) },
  output: funding,
  run: ({ raw }, params) => {
    const { table, findings } = settlementsOf(raw, params, params.policy)
    assertAccepted(findings, params)
    return table
  },
})
