import { z } from 'zod'
import { policy } from '../../../lib/audit/finding.ts'
import { archiveDoubts, isLeftOut } from '../../../lib/market/ingest/fileDoubts.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { sliceShape } from '../../../lib/market/plan/partitions.ts'
import { tradeTail } from '../../../lib/market/plan/tradeTail.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** Hours of a young day that are left to the API: none where the archive has the day already, in a file that
 *  is taken. */
export const findTradeTail = defineTask({
  name: 'findTradeTail',
  kind: 'pure',
  params: z.object({ slices: z.array(sliceShape), policy: policy.default('quarantine') }),
  inputs: { archive: optional(stored(rawTrades)) },
  output: tradeTail,
  run: ({ archive }, { slices, policy }) => {
    const isServed = archive !== undefined && !isLeftOut(archiveDoubts(archive.files, policy), policy)
    return { slices: isServed ? [] : slices }
  },
})
