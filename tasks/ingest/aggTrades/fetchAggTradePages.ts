import { z } from 'zod'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { sliceShape } from '../../../lib/market/plan/partitions.ts'
import { nextAggTrades } from '../../../lib/venues/aggTradePages.ts'
import { askPages } from '../../../lib/venues/askSlice.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { aggTradesRequest } from '../../../lib/venues/usdm.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

const next = nextAggTrades(aggTradesRequest)

/** An hour of aggregate trades from the API, byte for byte, in as many pages as it takes. The API keeps them for a day. */
export const fetchAggTradePages = defineTask({
  name: 'fetchAggTradePages',
  kind: 'source',
  version: 1,
  params: z.object({ ...venueParams, symbol: z.string(), slice: sliceShape }),
  output: rawTrades,
  limits: { group: 'aggTrades.api', attempts: 1 },
  run: async (_, { slice, ...params }, context) => {
    const pages = await askPages(params, slice, params.symbol, context, aggTradesRequest, next)
    return pages ?? absent(`the venue does not know ${params.symbol} any more`)
  },
})
