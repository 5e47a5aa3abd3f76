import { z } from 'zod'
import { archiveListing, present } from '../../lib/market/ingest/rawFiles.ts'
import { partitions } from '../../lib/market/plan/partitions.ts'
import { lastListedTsMs, planDataset } from '../../lib/market/plan/planDataset.ts'
import { presentOf } from '../../lib/market/plan/presentOf.ts'
import { universe } from '../../lib/market/universe/universe.ts'
import { intervals } from '../../lib/time.ts'
import { parseListing } from '../../lib/venues/listing.ts'
import { barKinds } from '../../lib/venues/usdm.ts'
import { defineTask, many } from '../../pipeline/engine/task.ts'

/** Everything a data set consists of, partition by partition, and who serves each. */
export const planPartitions = defineTask({
  name: 'planPartitions',
  kind: 'pure',
  params: z.object({
    fromTsMs: z.number().int(),
    toTsMs: z.number().int(),
    bars: z.array(z.object({ market: z.enum(['usdm', 'spot']), kind: z.enum(barKinds), interval: z.enum(intervals) })),
    funding: z.boolean(),
    metrics: z.boolean(),
    trades: z.boolean(),
    aggTrades: z.boolean(),
    openInterest: z.boolean(),
    takerVolume: z.boolean(),
    hasApi: z.boolean(),
  }),
  /** Listings: folders of members that are gone, which nothing else tells the end of. */
  inputs: { universe, present, listings: many(archiveListing) },
  output: partitions,
  run: ({ universe: { symbols }, present: now, listings }, params) => {
    const ends = new Map<string, number>()
    for (const listing of listings) {
      const pages = listing.names.map((name) => parseListing(listing.read(name)))
      const symbol = pages[0]?.keys[0]?.key.split('/').at(-3)
      const end = lastListedTsMs(pages)
      if (symbol !== undefined && end !== undefined) ends.set(symbol, end)
    }
    const lives = symbols.map(({ symbol, onboardTsMs, deliveryTsMs }) => ({
      symbol,
      onboardTsMs,
      deliveryTsMs: deliveryTsMs ?? ends.get(symbol),
    }))
    return planDataset(lives, params, presentOf(now))
  },
})
