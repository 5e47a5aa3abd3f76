import { z } from 'zod'
import { jsonArtifact } from '../../artifact.ts'
import { policy } from '../../audit/finding.ts'
import { intervals } from '../../time.ts'
import { barKinds } from '../../venues/usdm.ts'
import { sliceShape } from '../plan/partitions.ts'

/** What names a series of bars. */
export const seriesParams = {
  market: z.enum(['usdm', 'spot']).default('usdm'),
  kind: z.enum(barKinds).default('klines'),
  symbol: z.string(),
  interval: z.enum(intervals),
} as const

/** What names a partition of it, and how strictly it is read. */
export const barPartitionParams = {
  ...seriesParams,
  fromTsMs: z.number().int(),
  /** Not included. */
  toTsMs: z.number().int(),
  /** For a partition that is still filling up: only bars that end before it are taken. */
  closedBeforeTsMs: z.number().int().optional(),
  policy: policy.default('quarantine'),
} as const

/** What an archive lacks, and who may have it instead. */
export const barGaps = jsonArtifact('barGaps', z.object({ days: z.array(z.string()), slices: z.array(sliceShape) }))
