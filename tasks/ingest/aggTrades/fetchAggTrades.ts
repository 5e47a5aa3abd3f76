import { z } from 'zod'
import { period } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { HOUR_MS } from '../../../lib/time.ts'
import { fetchArchiveFile } from '../../../lib/venues/archive.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

/** A day of aggregate trades as the archive holds it: zip and checksum, untouched, streamed to disk. It comes in the course of
 *  the next day, and while it has not the API serves only a day back: it is asked for again soon. */
export const fetchAggTrades = defineTask({
  name: 'fetchAggTrades',
  kind: 'source',
  version: 1,
  params: z.object({ ...venueParams, symbol: z.string(), period }),
  output: rawTrades,
  limits: { group: 'aggTrades.archive', attempts: 1 },
  run: async (_, params, context) => {
    const files = await fetchArchiveFile(params, { market: 'usdm', kind: 'aggTrades', ...params }, context)
    return files ?? absent(`the archive has no aggTrades of ${params.symbol} for ${params.period}`, 3 * HOUR_MS)
  },
})
