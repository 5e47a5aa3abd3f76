import { z } from 'zod'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { audit } from '../../../lib/audit/finding.ts'
import { partitionParams } from '../../../lib/market/partitionParams.ts'
import { rawTrades } from '../../../lib/market/rawFiles.ts'
import { spotAggTradeForm } from '../../../lib/market/tradeForms.ts'
import { tradesOf } from '../../../lib/market/tradeStream.ts'
import { spotAggTrades } from '../../../lib/tables/spotTrades.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** A day of aggregate trades of a coin pair, from zip to table in one pass whatever its size. A day the archive lacks is a table without rows. */
export const ingestSpotAggTrades = defineTask({
  name: 'ingestSpotAggTrades',
  kind: 'pure',
  params: z.object(partitionParams),
  inputs: { archive: optional(stored(rawTrades)), audit },
  output: spotAggTrades,
  run: ({ archive, audit: { findings } }, params) => {
    assertAccepted(findings, params)
    if (archive === undefined) return []
    return tradesOf(archive.files, spotAggTradeForm(params.fromTsMs), params, params.policy, findings)
  },
})
