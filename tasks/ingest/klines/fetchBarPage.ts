import { z } from 'zod'
import { seriesParams } from '../../../lib/market/ingest/barParams.ts'
import { rawBars } from '../../../lib/market/ingest/rawFiles.ts'
import { sliceShape } from '../../../lib/market/plan/partitions.ts'
import { askSlice } from '../../../lib/venues/askSlice.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { spotBarsRequest } from '../../../lib/venues/spot.ts'
import { barsRequest } from '../../../lib/venues/usdm.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

/** One slice of bars from the API, byte for byte. A slice that is still filling up carries the instant it is asked for
 *  among its params: the next run with a later one asks again. */
export const fetchBarPage = defineTask({
  name: 'fetchBarPage',
  kind: 'source',
  version: 1,
  params: z.object({ ...venueParams, ...seriesParams, slice: sliceShape }),
  output: rawBars,
  limits: { group: 'klines.api', attempts: 1 },
  run: async (_, params, context) => {
    const { market, kind, interval, slice, symbol } = params
    const page = await askSlice(params, slice, symbol, context, (query) =>
      market === 'spot' ? spotBarsRequest(interval, query) : barsRequest(kind, interval, query),
    )
    return page ?? absent(`the venue does not know ${symbol} any more`)
  },
})
