import { z } from 'zod'
import { sliceShape } from '../../../lib/market/partitions.ts'
import { rawTrades } from '../../../lib/market/rawFiles.ts'
import { tradeTail } from '../../../lib/market/tradeTail.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** Hours of a young day that are left to the API: none where the archive has the day already. */
export const findTradeTail = defineTask({
  name: 'findTradeTail',
  kind: 'pure',
  params: z.object({ slices: z.array(sliceShape) }),
  inputs: { archive: optional(stored(rawTrades)) },
  output: tradeTail,
  run: ({ archive }, { slices }) => ({ slices: archive === undefined ? slices : [] }),
})
