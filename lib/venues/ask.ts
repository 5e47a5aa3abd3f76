import type { BudgetUse } from '../http/budget.ts'
import type { Expected } from '../http/classify.ts'
import { type BodySink, createHttp, type Download, type Http, type HttpAnswer, type Wait } from '../http/client.ts'
import { HttpFault, shownUrl } from '../http/httpFault.ts'
import { defaultHttpPolicy, type HttpPolicy } from '../http/policy.ts'
import { baseUrlOf, type HostName, type VenueChoice } from './hosts.ts'
import { simTransport } from './simTransport.ts'

/** One question to the venue, without an address. */
export type VenueRequest = {
  readonly host: HostName
  /** Path and query. */
  readonly path: string
  readonly expects: Expected
  readonly headers?: Readonly<Record<string, string>>
  readonly budget?: BudgetUse
  readonly sizeBytesMax?: number
  readonly whyWrong?: (begin: Uint8Array) => string | undefined
}

/** The part of a source's context that asking needs. */
export type AskContext = {
  readonly signal: AbortSignal
  note(fact: Readonly<Record<string, unknown>>): void
  progress(done: { readonly bytes?: number; readonly requests?: number }): void
  waiting?(wait: {
    readonly on: string
    readonly after: string
    readonly waitMs: number
    readonly attempt?: number
    readonly attemptsMax?: number
  }): void
}

let policy: HttpPolicy = defaultHttpPolicy
let network: Http | undefined
let embedded: Http | undefined

/** Says how the network is asked from now on. Budgets and pauses hold for everything a process asks, so there is one
 *  client for all of it; and a policy is in no key, for it changes no byte. */
export function configureHttp(next: HttpPolicy): void {
  if (JSON.stringify(next) === JSON.stringify(policy)) return
  policy = next
  network = undefined
}

function httpOf({ venue }: VenueChoice): Http {
  if (venue === 'sim') return (embedded ??= createHttp({ transport: simTransport() }))
  return (network ??= createHttp({ policy }))
}

/** Where a request goes, as it may be shown. */
export const shownRequest = (choice: VenueChoice, request: VenueRequest): string => shownUrl(urlOf(choice, request))

const urlOf = (choice: VenueChoice, { host, path }: VenueRequest): string =>
  (choice.venue === 'sim' ? 'http://sim' : baseUrlOf(host, choice.baseUrls, process.env)) + path

/** Nothing limits the exchange within this process, and its clock stands still. */
const httpRequest = (choice: VenueChoice, { host, path, budget, ...rest }: VenueRequest, context: AskContext) => ({
  ...rest,
  url: urlOf(choice, { host, path, ...rest }),
  signal: context.signal,
  onWait: ({ host: on, after, waitMs, nextTry }: Wait) => context.waiting?.({ on, after, waitMs, ...nextTry }),
  ...(budget === undefined || choice.venue === 'sim' ? {} : { budget }),
})

/** Asks, and notes how it went: what happened is provenance. */
export async function ask(choice: VenueChoice, request: VenueRequest, context: AskContext): Promise<HttpAnswer> {
  const answer = await noted(choice, request, context, () => httpOf(choice).get(httpRequest(choice, request, context)))
  context.progress({ requests: answer.attempts.length, bytes: answer.body.length })
  return answer
}

/** Asks for a body of any size, which goes into a sink on its way. */
export async function download(
  choice: VenueChoice,
  request: VenueRequest,
  context: AskContext,
  open: () => BodySink,
): Promise<Download> {
  const counted = (): BodySink => {
    const sink = open()
    return {
      write: (chunk) => {
        sink.write(chunk)
        context.progress({ bytes: chunk.length })
      },
      finish: () => sink.finish(),
    }
  }
  const answer = await noted(choice, request, context, () =>
    httpOf(choice).download(httpRequest(choice, request, context), counted),
  )
  context.progress({ requests: answer.attempts.length })
  return answer
}

async function noted<A extends HttpAnswer | Download>(
  choice: VenueChoice,
  request: VenueRequest,
  context: AskContext,
  send: () => Promise<A>,
): Promise<A> {
  const url = shownRequest(choice, request)
  try {
    const answer = await send()
    const waitedMs = answer.attempts.reduce((sum, attempt) => sum + attempt.waitedMs, 0)
    const troubles = answer.attempts.flatMap(({ trouble }) => (trouble === undefined ? [] : [trouble]))
    context.note({
      url,
      status: answer.status,
      attempts: answer.attempts.length,
      ...(waitedMs > 0 ? { waitedMs } : {}),
      ...(troubles.length > 0 ? { troubles } : {}),
    })
    return answer
  } catch (error) {
    if (error instanceof HttpFault) context.note({ url, status: error.status ?? 0, trouble: error.trouble })
    throw error
  }
}

/** True for an answer that says: there is no such thing, and not: something went wrong. */
export const isNotFound = (error: unknown): boolean => error instanceof HttpFault && error.trouble === 'notFound'

/** The venue's code for a symbol it does not know, or not any more. */
export const isUnknownSymbol = (error: unknown): boolean => error instanceof HttpFault && error.venueCode === -1121
