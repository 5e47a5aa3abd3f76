import type { PlannedSlice } from '../market/partitions.ts'
import type { SliceRecord } from '../market/slices.ts'
import { type AskContext, ask, isUnknownSymbol, type VenueRequest } from './ask.ts'
import type { VenueChoice } from './hosts.ts'
import type { PageQuery } from './usdm.ts'

/** Asks for one slice and notes its record; undefined where the venue does not know the symbol. The name of the file
 *  orders pages by time and is safe on every file system. */
export async function askSlice(
  choice: VenueChoice,
  slice: PlannedSlice,
  symbol: string,
  context: AskContext,
  requestOf: (query: PageQuery) => VenueRequest,
): Promise<readonly { name: string; bytes: Uint8Array }[] | undefined> {
  const { key, id, fromTsMs, limit, asOfTsMs } = slice
  const toTsMs = asOfTsMs === undefined ? slice.toTsMs : Math.min(slice.toTsMs, asOfTsMs - 1)
  const note = (record: Omit<SliceRecord, 'key' | 'id'>) => context.note({ slice: { key, id, ...record } })
  try {
    const { body, status, attempts } = await ask(choice, requestOf({ symbol, fromTsMs, toTsMs, limit }), context)
    const rows = JSON.parse(new TextDecoder().decode(body)) as unknown
    const items = Array.isArray(rows) ? rows : []
    note({
      status: 'ok',
      httpStatus: status,
      attempts: attempts.length,
      items: items.length,
      ...(items.length === 0 ? {} : { firstTsMs: timeOf(items[0]), lastTsMs: timeOf(items.at(-1)) }),
    })
    return [{ name: `${symbol}-${fromTsMs}-${toTsMs}.json`, bytes: body }]
  } catch (error) {
    const { status, attempts = 1 } = error as { status?: number; attempts?: number }
    note({
      status: 'failed',
      attempts,
      error: (error as Error).message,
      ...(status === undefined ? {} : { httpStatus: status }),
    })
    if (isUnknownSymbol(error)) return undefined
    throw error
  }
}

/** Rows are arrays that begin with their time, or objects that name it in one of three ways. */
function timeOf(row: unknown): number {
  if (Array.isArray(row)) return Number(row[0])
  const { fundingTime, timestamp, T } = row as { fundingTime?: unknown; timestamp?: unknown; T?: unknown }
  return Number(fundingTime ?? timestamp ?? T)
}
