import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { barPartitionParams } from '../../../lib/market/barParams.ts'
import { coarseBars } from '../../../lib/market/bars.ts'
import { rawBars } from '../../../lib/market/rawFiles.ts'
import { coarseKlines, coarseKlinesOf } from '../../../lib/tables/coarseKlines.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** Bars of twelve hours and more, taken from the same files in the same way. */
export const ingestCoarseKlines = defineTask({
  name: 'ingestCoarseKlines',
  kind: 'pure',
  params: z.object(barPartitionParams),
  inputs: { raw: many(rawBars) },
  output: coarseKlines,
  run: ({ raw }, params) => {
    const { table, findings } = coarseBars(raw, params, params.policy)
    assertAccepted(findings, params)
    return coarseKlinesOf(params.symbol, table)
  },
})
