import { z } from 'zod'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { sliceShape } from '../../../lib/market/plan/partitions.ts'
import { nextAggTrades } from '../../../lib/venues/aggTradePages.ts'
import { askPages } from '../../../lib/venues/askSlice.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { spotAggTradesRequest } from '../../../lib/venues/spot.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

const next = nextAggTrades(spotAggTradesRequest)

/** An hour of aggregate trades of a coin pair from the API, byte for byte, in as many pages as it takes. */
export const fetchSpotAggTradePages = defineTask({
  name: 'fetchSpotAggTradePages',
  kind: 'source',
  version: 1,
  params: z.object({ ...venueParams, symbol: z.string(), slice: sliceShape }),
  output: rawTrades,
  limits: { group: 'spotAggTrades.api', attempts: 1 },
  run: async (_, { slice, ...params }, context) => {
    const pages = await askPages(params, slice, params.symbol, context, spotAggTradesRequest, next)
    return pages ?? absent(`the venue does not know the pair ${params.symbol}`)
  },
})
