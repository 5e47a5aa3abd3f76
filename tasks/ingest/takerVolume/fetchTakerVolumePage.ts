import { z } from 'zod'
import { rawTakerVolume } from '../../../lib/market/ingest/rawFiles.ts'
import { askStatistics, statisticsParams } from '../../../lib/venues/askStatistics.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

/** One slice of taker volumes from the API, byte for byte. The API keeps them for a month. */
export const fetchTakerVolumePage = defineTask({
  name: 'fetchTakerVolumePage',
  kind: 'source',
  version: 1,
  params: z.object(statisticsParams),
  output: rawTakerVolume,
  limits: { group: 'takerVolume.api', attempts: 1 },
  run: async (_, params, context) => {
    const page = await askStatistics('takerlongshortRatio', params, context)
    return page ?? absent(`the venue does not know ${params.symbol} any more`)
  },
})
