import { z } from 'zod'
import { barGaps, barPartitionParams } from '../../../lib/market/barParams.ts'
import { barFindings } from '../../../lib/market/bars.ts'
import { gapsOf } from '../../../lib/market/gapsOf.ts'
import { rawBars } from '../../../lib/market/rawFiles.ts'
import { defineTask, optional } from '../../../pipeline/engine/task.ts'

/** What an archive lacks, so that days may fill a month, and the API a day. A hole of the market itself is looked for in
 *  vain in both, and stays a hole. */
export const findBarGaps = defineTask({
  name: 'findBarGaps',
  kind: 'pure',
  params: z.object({
    ...barPartitionParams,
    /** Who is asked next. */
    next: z.enum(['days', 'slices', 'nobody']),
    rowsPerSlice: z.number().int().positive(),
  }),
  inputs: { archive: optional(rawBars) },
  output: barGaps,
  run: ({ archive }, params) => {
    const raw = archive === undefined ? [] : [archive]
    return gapsOf(barFindings(raw, params, 'quarantine').findings, params)
  },
})
