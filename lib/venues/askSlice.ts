import type { PlannedSlice } from '../market/partitions.ts'
import type { SliceRecord } from '../market/slices.ts'
import { type AskContext, ask, isUnknownSymbol, type VenueRequest } from './ask.ts'
import type { VenueChoice } from './hosts.ts'
import { msOf } from './spot.ts'
import type { PageQuery } from './usdm.ts'

/** Asks for one slice and notes its record; undefined where the venue does not know the symbol. The name of the file
 *  orders pages by time and is safe on every file system. */
export async function askSlice(
  choice: VenueChoice,
  slice: PlannedSlice,
  symbol: string,
  context: AskContext,
  requestOf: (query: PageQuery) => VenueRequest,
): Promise<RawPages | undefined> {
  const query = queryOf(slice, symbol)
  return recorded(slice, context, async (tally) => {
    const { body } = await askPage(choice, requestOf(query), context, tally)
    return [{ name: `${stemOf(query)}.json`, bytes: body }]
  })
}

/** The same for a slice of as many pages as it takes: `next` says what to ask after a page, or that it was the last. */
export async function askPages(
  choice: VenueChoice,
  slice: PlannedSlice,
  symbol: string,
  context: AskContext,
  requestOf: (query: PageQuery) => VenueRequest,
  next: (rows: readonly unknown[], query: PageQuery) => VenueRequest | undefined,
): Promise<RawPages | undefined> {
  const query = queryOf(slice, symbol)
  return recorded(slice, context, async (tally) => {
    const pages: { name: string; bytes: Uint8Array }[] = []
    for (let request: VenueRequest | undefined = requestOf(query); request !== undefined; ) {
      const { body, rows } = await askPage(choice, request, context, tally)
      pages.push({ name: `${stemOf(query)}-${String(pages.length).padStart(5, '0')}.json`, bytes: body })
      request = next(rows, query)
    }
    return pages
  })
}

type RawPages = readonly { name: string; bytes: Uint8Array }[]
type Tally = { attempts: number; httpStatus: number; items: number; firstTsMs?: number; lastTsMs?: number }

function queryOf({ fromTsMs, toTsMs, limit, asOfTsMs }: PlannedSlice, symbol: string): PageQuery {
  return { symbol, fromTsMs, toTsMs: asOfTsMs === undefined ? toTsMs : Math.min(toTsMs, asOfTsMs - 1), limit }
}

const stemOf = ({ symbol, fromTsMs, toTsMs }: PageQuery): string => `${symbol}-${fromTsMs}-${toTsMs}`

async function askPage(choice: VenueChoice, request: VenueRequest, context: AskContext, tally: Tally) {
  const { body, status, attempts } = await ask(choice, request, context)
  const parsed = JSON.parse(new TextDecoder().decode(body)) as unknown
  const rows: readonly unknown[] = Array.isArray(parsed) ? parsed : []
  tally.attempts += attempts.length
  tally.httpStatus = status
  if (rows.length > 0) {
    tally.items += rows.length
    tally.firstTsMs ??= timeOf(rows[0])
    tally.lastTsMs = timeOf(rows.at(-1))
  }
  return { body, rows }
}

async function recorded<Made>(
  { key, id }: PlannedSlice,
  context: AskContext,
  make: (tally: Tally) => Promise<Made>,
): Promise<Made | undefined> {
  const note = (record: Omit<SliceRecord, 'key' | 'id'>) => context.note({ slice: { key, id, ...record } })
  const tally: Tally = { attempts: 0, httpStatus: 0, items: 0 }
  try {
    const made = await make(tally)
    note({ status: 'ok', ...tally })
    return made
  } catch (error) {
    const { status, attempts = 1 } = error as { status?: number; attempts?: number }
    note({
      status: 'failed',
      attempts: tally.attempts + attempts,
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
  return msOf(Number(fundingTime ?? timestamp ?? T))
}
