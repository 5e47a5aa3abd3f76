import { z } from 'zod'
import { seriesParams } from '../../../lib/market/ingest/barParams.ts'
import { period } from '../../../lib/market/ingest/partitionParams.ts'
import { rawBars } from '../../../lib/market/ingest/rawFiles.ts'
import { DAY_MS } from '../../../lib/time.ts'
import { fetchArchiveFile } from '../../../lib/venues/archive.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

/** A month or a day of bars as the archive holds it: zip and checksum, untouched. */
export const fetchBars = defineTask({
  name: 'fetchBars',
  kind: 'source',
  version: 1,
  params: z.object({ ...venueParams, ...seriesParams, period }),
  output: rawBars,
  limits: { group: 'klines.archive', attempts: 1 },
  run: async (_, params, context) => {
    const files = await fetchArchiveFile(params, params, context)
    return files ?? absent(`the archive has no ${params.kind} of ${params.symbol} for ${params.period}`, DAY_MS)
  },
})
