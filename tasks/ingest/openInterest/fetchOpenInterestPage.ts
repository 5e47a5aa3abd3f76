import { z } from 'zod'
import { rawOpenInterest } from '../../../lib/market/ingest/rawFiles.ts'
import { sliceShape } from '../../../lib/market/plan/partitions.ts'
import { statisticsPeriod } from '../../../lib/market/plan/planDataset.ts'
import { askSlice } from '../../../lib/venues/askSlice.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { statisticsRequest } from '../../../lib/venues/usdm.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

/** One slice of open interest from the API, byte for byte. The API keeps them for a month. */
export const fetchOpenInterestPage = defineTask({
  name: 'fetchOpenInterestPage',
  kind: 'source',
  version: 1,
  params: z.object({
    ...venueParams,
    symbol: z.string(),
    slice: sliceShape,
    earliestTsMs: z.number().int().optional(),
  }),
  output: rawOpenInterest,
  limits: { group: 'openInterest.api', attempts: 1 },
  run: async (_, { slice, earliestTsMs, ...params }, context) => {
    const page = await askSlice(params, slice, params.symbol, context, (query) =>
      // A start before the month it keeps is refused as a whole.
      statisticsRequest('openInterestHist', statisticsPeriod, {
        ...query,
        fromTsMs: Math.max(query.fromTsMs, earliestTsMs ?? 0),
      }),
    )
    return page ?? absent(`the venue does not know ${params.symbol} any more`)
  },
})
