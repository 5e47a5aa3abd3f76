import { z } from 'zod'
import { hasCredentials } from '../secret.ts'

/** How venues are asked. It is part of a pipeline's config and so of every manifest; what happened under it, the waits
 *  and attempts, is provenance. */
export const httpPolicy = z.strictObject({
  /** Share of a venue's documented limit that is used: other programs on this address count too. */
  budgetShare: z.number().positive().max(1).default(0.6),
  connectionsPerHost: z.number().int().positive().default(8),
  connectTimeoutMs: z.number().int().positive().default(10_000),
  headersTimeoutMs: z.number().int().positive().default(30_000),
  /** Between two pieces of a body. */
  bodyTimeoutMs: z.number().int().positive().default(30_000),
  /** For one attempt as a whole: a server that drips bytes must not hold a connection for ever. */
  attemptTimeoutMs: z.number().int().positive().default(900_000),
  /** For failures that may pass by themselves. Waits that the venue asks for do not count. */
  attemptsMax: z.number().int().positive().default(8),
  backoffMsMin: z.number().int().positive().default(500),
  backoffMsMax: z.number().int().positive().default(30_000),
  /** After a 403, and doubled with each one that follows. */
  forbiddenPauseMs: z.number().int().positive().default(60_000),
  /** The shortest pause after a 429, 418 or 403, whatever the venue says, and doubled with each one of the same request. */
  pauseMsMin: z.number().int().positive().default(1000),
  /** The longest a request waits in all before it gives up: a ban may last three days. */
  waitMsMax: z.number().int().positive().default(900_000),
  /** A proxy for everything; without it HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment count. One that wants a
   *  password belongs there: this setting stands in every manifest. */
  proxyUrl: z
    .string()
    .refine(
      (text) => !hasCredentials(text),
      'a user or a password would stand in every manifest: set HTTPS_PROXY or HTTP_PROXY in the environment instead',
    )
    .refine((text) => !/[?#]/.test(text), 'a query would stand in every manifest, and no proxy is asked it')
    .optional(),
})
export type HttpPolicy = z.output<typeof httpPolicy>
export const defaultHttpPolicy: HttpPolicy = httpPolicy.parse({})
