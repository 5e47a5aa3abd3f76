import { z } from 'zod'
import { period } from '../../../lib/market/ingest/partitionParams.ts'
import { rawFunding } from '../../../lib/market/ingest/rawFiles.ts'
import { DAY_MS } from '../../../lib/time.ts'
import { fetchArchiveFile } from '../../../lib/venues/archive.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { absent, defineTask } from '../../../pipeline/engine/task.ts'

/** A month of published settlements as the archive holds it: zip and checksum, untouched. */
export const fetchFundingMonth = defineTask({
  name: 'fetchFundingMonth',
  kind: 'source',
  version: 1,
  params: z.object({ ...venueParams, symbol: z.string(), period }),
  output: rawFunding,
  limits: { group: 'funding.archive', attempts: 1 },
  run: async (_, params, context) => {
    const files = await fetchArchiveFile(params, { market: 'usdm', kind: 'fundingRate', ...params }, context)
    return files ?? absent(`the archive has no funding of ${params.symbol} for ${params.period}`, DAY_MS)
  },
})
