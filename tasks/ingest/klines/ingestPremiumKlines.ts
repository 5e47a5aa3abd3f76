import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { barPartitionParams } from '../../../lib/market/ingest/barParams.ts'
import { priceBars } from '../../../lib/market/ingest/bars.ts'
import { rawBars } from '../../../lib/market/ingest/rawFiles.ts'
import { premiumKlines, priceKlinesOf } from '../../../lib/tables/priceKlines.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** Bars of the premium over the index in one partition. Nobody trades at it: they carry no volume. */
export const ingestPremiumKlines = defineTask({
  name: 'ingestPremiumKlines',
  kind: 'pure',
  params: z.object(barPartitionParams),
  inputs: { raw: many(rawBars) },
  output: premiumKlines,
  run: ({ raw }, params) => {
    const { table, findings } = priceBars(raw, params, params.policy)
    assertAccepted(findings, params)
    return priceKlinesOf(premiumKlines, params.symbol, table)
  },
})
