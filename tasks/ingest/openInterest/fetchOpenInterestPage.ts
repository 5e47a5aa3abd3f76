import { z } from 'zod'
import { rawOpenInterest } from '../../../lib/market/ingest/rawFiles.ts'
import { askStatistics, statisticsParams } from '../../../lib/venues/askStatistics.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

/** One slice of open interest from the API, byte for byte. The API keeps them for a month. */
export const fetchOpenInterestPage = defineTask({
  name: 'fetchOpenInterestPage',
  kind: 'source',
  version: 1,
  params: z.object(statisticsParams),
  output: rawOpenInterest,
  limits: { group: 'openInterest.api', attempts: 1 },
  run: async (_, params, context) => {
    const page = await askStatistics('openInterestHist', params, context)
    return page ?? absent(`the venue does not know ${params.symbol} any more`)
  },
})
