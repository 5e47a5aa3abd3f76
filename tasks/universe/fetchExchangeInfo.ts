import { z } from 'zod'
import { exchangeInfo } from '../../lib/market/ingest/rawFiles.ts'
import { ask } from '../../lib/venues/ask.ts'
import { venueParams } from '../../lib/venues/hosts.ts'
import { exchangeInfoRequest } from '../../lib/venues/usdm.ts'
import { defineTask } from '../../pipeline/engine/task.ts'

/** What the venue lists, bytes as they came. It is a "now": symbols that are gone are not in it. */
export const fetchExchangeInfo = defineTask({
  name: 'fetchExchangeInfo',
  kind: 'source',
  version: 1,
  usesAsOf: true,
  params: z.object(venueParams),
  output: exchangeInfo,
  limits: { group: 'api', attempts: 1 },
  run: async (_, params, context) => {
    const { body } = await ask(params, exchangeInfoRequest, context)
    return [{ name: 'exchangeInfo.json', bytes: body }]
  },
})
