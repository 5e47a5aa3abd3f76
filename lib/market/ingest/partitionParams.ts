import { z } from 'zod'
import { policy } from '../../audit/finding.ts'

/** What names a partition of a symbol, and how strictly it is read. */
export const partitionParams = {
  symbol: z.string(),
  fromTsMs: z.number().int(),
  /** Not included. */
  toTsMs: z.number().int(),
  /** For a partition that is still filling up: as of when. */
  closedBeforeTsMs: z.number().int().optional(),
  policy: policy.default('quarantine'),
} as const

/** `2026-03` or `2026-03-05`. */
export const period = z.string().regex(/^\d{4}-\d{2}(-\d{2})?$/, 'a month or a day')
