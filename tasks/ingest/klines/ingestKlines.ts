import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { barPartitionParams } from '../../../lib/market/ingest/barParams.ts'
import { tradeBars } from '../../../lib/market/ingest/bars.ts'
import { rawBars } from '../../../lib/market/ingest/rawFiles.ts'
import { klines, klinesOf } from '../../../lib/tables/klines.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** The bars of a partition. Where several files hold a bar the archive serves, months before days before the API; a bar
 *  that nobody has is a missing row. */
export const ingestKlines = defineTask({
  name: 'ingestKlines',
  kind: 'pure',
  params: z.object(barPartitionParams),
  inputs: { raw: many(rawBars) },
  output: klines,
  run: ({ raw }, params) => {
    const { table, findings } = tradeBars(raw, params, params.policy)
    assertAccepted(findings, params)
    return klinesOf(params.symbol, table)
  },
})
