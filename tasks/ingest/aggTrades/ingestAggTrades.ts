import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { audit } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/partitionParams.ts'
import { rawTrades } from '../../../lib/market/rawFiles.ts'
import { aggTradeForm } from '../../../lib/market/tradeForms.ts'
import { tradesOf } from '../../../lib/market/tradeStream.ts'
import { aggTrades } from '../../../lib/tables/trades.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** A day of aggregate trades, from zip to table in one pass whatever its size. A day the archive lacks is a table without rows. */
export const ingestAggTrades = defineTask({
  name: 'ingestAggTrades',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { archive: optional(stored(rawTrades)), audit },
  output: aggTrades,
  run: ({ archive, audit: { findings } }, params) => {
    assertAccepted(findings, params.policy)
    if (archive === undefined) return []
    return tradesOf(archive.files, aggTradeForm(params.fromTsMs), params, params.policy, findings)
  },
})
