import { z } from 'zod'
import { period } from '../../../lib/market/ingest/partitionParams.ts'
import { rawMetrics } from '../../../lib/market/ingest/rawFiles.ts'
import { DAY_MS } from '../../../lib/time.ts'
import { fetchArchiveFile } from '../../../lib/venues/archive.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

/** A day of the venue's statistics as the archive holds it: zip and checksum, untouched. */
export const fetchMetrics = defineTask({
  name: 'fetchMetrics',
  kind: 'source',
  version: 1,
  params: z.object({ ...venueParams, symbol: z.string(), period }),
  output: rawMetrics,
  limits: { group: 'metrics.archive', attempts: 1 },
  run: async (_, params, context) => {
    const files = await fetchArchiveFile(params, { market: 'usdm', kind: 'metrics', ...params }, context)
    return files ?? absent(`the archive has no metrics of ${params.symbol} for ${params.period}`, DAY_MS)
  },
})
