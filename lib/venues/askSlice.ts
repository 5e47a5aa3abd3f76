import { Fault } from '../fault.ts'
import type { PlannedSlice } from '../market/plan/partitions.ts'
import type { SliceRecord } from '../market/plan/slices.ts'
import { formatUtc, MINUTE_MS } from '../time.ts'
import { type AskContext, ask, isUnknownSymbol, shownRequest, type VenueRequest } from './ask.ts'
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
    const request = requestOf(query)
    const { body, rows } = await askPage(choice, request, context, tally)
    assertWithin(rows, query, () => shownRequest(choice, request))
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
  next: (rows: readonly unknown[], query: PageQuery, asked: VenueRequest) => VenueRequest | undefined,
): Promise<RawPages | undefined> {
  const query = queryOf(slice, symbol)
  return recorded(slice, context, async (tally) => {
    const pages: { name: string; bytes: Uint8Array }[] = []
    for (let request: VenueRequest | undefined = requestOf(query); request !== undefined; ) {
      const { body, rows } = await askPage(choice, request, context, tally)
      pages.push({ name: `${stemOf(query)}-${String(pages.length).padStart(5, '0')}.json`, bytes: body })
      const where = shownRequest(choice, request)
      try {
        request = next(rows, query, request)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        const { code, what, todo, cause } = error
        throw new Fault({ code, what, where, cause, ...(todo === undefined ? {} : { todo }) })
      }
      if (pages.length < pagesMax) continue
      throw new Fault({ code: 'failed', what: `the slice does not end: it has ${pages.length} pages`, where })
    }
    return pages
  })
}

/** Ten million trades in an hour: no market has had a tenth of it. */
const pagesMax = 10_000
/** Labels lie on either end of what they stand for. */
const labelMs = 5 * MINUTE_MS

/** Rows may reach over the ends of what was asked for. Where all of them lie elsewhere the venue did not hear which stretch
 *  was meant: an answer that says so for every slice would be a data set of gaps. */
function assertWithin(rows: readonly unknown[], { fromTsMs, toTsMs }: PageQuery, where: () => string): void {
  const isElsewhere = (row: unknown) => {
    const tsMs = timeOf(row)
    return tsMs < fromTsMs - labelMs || tsMs > toTsMs + labelMs
  }
  if (rows.length === 0 || !rows.every(isElsewhere)) return
  throw new Fault({
    code: 'failed',
    what: `the venue does not move on to what it was asked for: none of its rows lies in ${formatUtc(fromTsMs)} to ${formatUtc(toTsMs)}`,
    where: where(),
    todo: 'check the base URL in the config',
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
