import { z } from 'zod'
import { period } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { DAY_MS } from '../../../lib/time.ts'
import { fetchArchiveFile } from '../../../lib/venues/archive.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

/** A day of single trades of a coin pair as the archive holds it: zip and checksum, untouched, streamed to disk. */
export const fetchSpotTrades = defineTask({
  name: 'fetchSpotTrades',
  kind: 'source',
  version: 1,
  params: z.object({ ...venueParams, symbol: z.string(), period }),
  output: rawTrades,
  limits: { group: 'trades.archive', attempts: 1 },
  run: async (_, params, context) => {
    const files = await fetchArchiveFile(params, { market: 'spot', kind: 'trades', ...params }, context)
    return files ?? absent(`the archive has no trades of ${params.symbol} for ${params.period}`, DAY_MS)
  },
})
