import { z } from 'zod'
import { sliceShape } from '../market/plan/partitions.ts'
import { statisticsPeriod } from '../market/plan/planDataset.ts'
import type { AskContext } from './ask.ts'
import { askSlice } from './askSlice.ts'
import { venueParams } from './hosts.ts'
import { type StatisticsKind, statisticsRequest } from './usdm.ts'

/** A slice of the venue's statistics, of which the API keeps a month. */
export const statisticsParams = {
  ...venueParams,
  symbol: z.string(),
  slice: sliceShape,
  /** Where the slice begins before that month. */
  earliestTsMs: z.number().int().optional(),
} as const
const shape = z.object(statisticsParams)

/** Asks for a slice of statistics; undefined where the venue does not know the symbol. */
export const askStatistics = (
  kind: StatisticsKind,
  { slice, earliestTsMs = 0, symbol, ...choice }: z.output<typeof shape>,
  context: AskContext,
) =>
  askSlice(choice, slice, symbol, context, (query) =>
    // A start before the month it keeps is refused as a whole.
    statisticsRequest(kind, statisticsPeriod, { ...query, fromTsMs: Math.max(query.fromTsMs, earliestTsMs) }),
  )
