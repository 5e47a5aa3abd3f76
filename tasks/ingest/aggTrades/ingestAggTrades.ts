import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { audit } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/partitionParams.ts'
import { rawTrades } from '../../../lib/market/rawFiles.ts'
import { aggTradeForm } from '../../../lib/market/tradeForms.ts'
import { pagedTradesOf } from '../../../lib/market/tradePages.ts'
import { tradesOf } from '../../../lib/market/tradeStream.ts'
import { aggTrades } from '../../../lib/tables/trades.ts'
import { defineTask, many, optional, stored } from '../../../pipeline/engine/task.ts'

/** A day of aggregate trades, from zip to table in one pass whatever its size. Pages of the API serve a day the archive
 *  does not have yet; one that nobody has is a table without rows. */
export const ingestAggTrades = defineTask({
  name: 'ingestAggTrades',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { archive: optional(stored(rawTrades)), pages: optional(many(rawTrades)), audit },
  output: aggTrades,
  run: ({ archive, pages = [], audit: { findings } }, params) => {
    assertAccepted(findings, params)
    const form = aggTradeForm(params.fromTsMs)
    if (archive === undefined) return pagedTradesOf(pages, form, params, params.policy)
    return tradesOf(archive.files, form, params, params.policy, findings)
  },
})
