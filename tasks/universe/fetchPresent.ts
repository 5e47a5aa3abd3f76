import { z } from 'zod'
import { present } from '../../lib/market/ingest/rawFiles.ts'
import { ask } from '../../lib/venues/ask.ts'
import { venueParams } from '../../lib/venues/hosts.ts'
import { serverTimeRequest } from '../../lib/venues/usdm.ts'
import { defineTask } from '../../pipeline/engine/task.ts'

/** The instant up to which data may exist: the run's as-of, and the venue's own clock where it has one. A simulated
 *  venue may live at another time than we do. */
export const fetchPresent = defineTask({
  name: 'fetchPresent',
  kind: 'source',
  version: 1,
  usesAsOf: true,
  params: z.object({ ...venueParams, asksVenue: z.boolean().default(true) }),
  output: present,
  limits: { group: 'api', attempts: 1 },
  run: async (_, params, context) => {
    const asOf = { name: 'asOf.json', bytes: new TextEncoder().encode(JSON.stringify({ asOfTsMs: context.asOfMs })) }
    if (!params.asksVenue) return [asOf]
    const { body } = await ask(params, serverTimeRequest, context)
    return [asOf, { name: 'time.json', bytes: body }]
  },
})
