import { z } from 'zod'
import { archiveListing } from '../../lib/market/ingest/rawFiles.ts'
import { fetchListing as fetchPages } from '../../lib/venues/archive.ts'
import { venueParams } from '../../lib/venues/hosts.ts'
import { defineTask } from '../../pipeline/engine/task.ts'

/** A folder of the archive as its bucket lists it. Symbols that died long ago are still there. */
export const fetchListing = defineTask({
  name: 'fetchListing',
  kind: 'source',
  version: 1,
  usesAsOf: true,
  params: z.object({ ...venueParams, prefix: z.string().endsWith('/') }),
  output: archiveListing,
  limits: { group: 'archive', attempts: 1 },
  run: async (_, params, context) => fetchPages(params, params.prefix, context),
})
