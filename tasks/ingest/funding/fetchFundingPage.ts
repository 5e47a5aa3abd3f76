import { z } from 'zod'
import { rawFunding } from '../../../lib/market/ingest/rawFiles.ts'
import { sliceShape } from '../../../lib/market/plan/partitions.ts'
import { askSlice } from '../../../lib/venues/askSlice.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { fundingRateRequest } from '../../../lib/venues/usdm.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

/** One slice of settlements from the API, byte for byte. */
export const fetchFundingPage = defineTask({
  name: 'fetchFundingPage',
  kind: 'source',
  version: 1,
  params: z.object({ ...venueParams, symbol: z.string(), slice: sliceShape }),
  output: rawFunding,
  limits: { group: 'funding.api', attempts: 1 },
  run: async (_, params, context) => {
    const page = await askSlice(params, params.slice, params.symbol, context, fundingRateRequest)
    return page ?? absent(`the venue does not know ${params.symbol} any more`)
  },
})
