import { z } from 'zod'
import { Fault } from '../../fault.ts'

const rows = z.array(z.looseObject({ symbol: z.string(), quoteVolume: z.string() }))

/** Quote volume of the last 24 hours by symbol. The window rolls: it is a "now", and no day of any calendar. */
export function parseTicker(bytes: Uint8Array): ReadonlyMap<string, number> {
  const parsed = rows.safeParse(JSON.parse(new TextDecoder().decode(bytes)))
  if (!parsed.success) {
    throw new Fault({
      code: 'failed',
      what: `this is no ticker: ${parsed.error.issues[0]!.message}`,
      todo: 'fetch it again with --refresh',
    })
  }
  return new Map(parsed.data.map(({ symbol, quoteVolume }) => [symbol, Number(quoteVolume)]))
}
