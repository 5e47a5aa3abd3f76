import { z } from 'zod'
import { jsonArtifact } from '../../artifact.ts'

/** At which spacing a contract's settlements came, from when on. The venue tells only the present one. */
export const fundingIntervals = jsonArtifact(
  'fundingIntervals',
  z.object({ symbol: z.string(), history: z.array(z.object({ fromTsMs: z.number(), hours: z.number().int() })) }),
)
