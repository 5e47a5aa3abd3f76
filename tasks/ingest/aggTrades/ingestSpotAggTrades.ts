import { z } from 'zod'
import { archiveDoubts } from '../../../lib/market/ingest/fileDoubts.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { spotAggTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { pagedTradesOf } from '../../../lib/market/trades/tradePages.ts'
import { tradesOf } from '../../../lib/market/trades/tradeStream.ts'
import { spotAggTrades } from '../../../lib/tables/spotTrades.ts'
import { defineTask, many, optional, stored } from '../../../pipeline/engine/task.ts'

/** A day of aggregate trades of a coin pair, from zip to checked table in one pass whatever its size. Pages of the API serve a
 *  day the archive does not have yet; one that nobody has is a table without rows. */
export const ingestSpotAggTrades = defineTask({
  name: 'ingestSpotAggTrades',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { archive: optional(stored(rawTrades)), pages: optional(many(rawTrades)) },
  output: spotAggTrades,
  run: ({ archive, pages = [] }, params) => {
    const form = spotAggTradeForm(params.fromTsMs)
    if (pages.length > 0) {
      const doubts = archive === undefined ? [] : archiveDoubts(archive.files, params.policy)
      return pagedTradesOf(pages, form, params, params.policy, doubts)
    }
    return tradesOf(archive?.files, form, params, params.policy)
  },
})
