import { z } from 'zod'
import { jsonArtifact } from '../artifact.ts'

/** What the venue says about a perpetual, as decimal text. */
const listedSymbol = z.object({
  symbol: z.string(),
  tickSize: z.string(),
  stepSize: z.string(),
  minNotional: z.string(),
  onboardTsMs: z.number(),
  /** Absent while no end is announced. */
  deliveryTsMs: z.number().optional(),
})
export type ListedSymbol = z.infer<typeof listedSymbol>

/** Who may be traded, and for everybody else the reason why not. */
export const universe = jsonArtifact(
  'universe',
  z.object({
    symbols: z.array(listedSymbol),
    rejected: z.array(z.object({ symbol: z.string(), reason: z.string() })),
  }),
)
