import { z } from 'zod'
import { ticker } from '../../lib/market/ingest/rawFiles.ts'
import { ask } from '../../lib/venues/ask.ts'
import { venueParams } from '../../lib/venues/hosts.ts'
import { tickerRequest } from '../../lib/venues/usdm.ts'
import { defineTask } from '../../pipeline/engine/task.ts'

/** The last 24 hours of every contract, bytes as they came. Only for a universe of today. */
export const fetchTicker = defineTask({
  name: 'fetchTicker',
  kind: 'source',
  version: 1,
  usesAsOf: true,
  params: z.object(venueParams),
  output: ticker,
  limits: { group: 'api', attempts: 1 },
  run: async (_, params, context) => {
    const { body } = await ask(params, tickerRequest, context)
    return [{ name: 'ticker.json', bytes: body }]
  },
})
