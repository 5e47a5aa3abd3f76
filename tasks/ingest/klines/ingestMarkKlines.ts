import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { barPartitionParams } from '../../../lib/market/ingest/barParams.ts'
import { priceBars } from '../../../lib/market/ingest/bars.ts'
import { rawBars } from '../../../lib/market/ingest/rawFiles.ts'
import { markKlines, priceKlinesOf } from '../../../lib/tables/priceKlines.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** Bars of the mark price in one partition. Nobody trades at it: they carry no volume. */
export const ingestMarkKlines = defineTask({
  name: 'ingestMarkKlines',
  kind: 'pure',
  params: z.object(barPartitionParams),
  inputs: { raw: many(rawBars) },
  output: markKlines,
  run: ({ raw }, params) => {
    const { table, findings } = priceBars(raw, params, params.policy)
    assertAccepted(findings, params)
    return priceKlinesOf(markKlines, params.symbol, table)
  },
})
