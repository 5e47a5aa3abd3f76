import { HttpFault, type HttpTrouble } from './httpFault.ts'

/** What a body should be. `bytes` may be anything. */
export type Expected = 'json' | 'xml' | 'bytes'

export type Received = {
  readonly url: string
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The whole body of an answer that was asked for as JSON or XML, or the first bytes of another. */
  readonly body: Uint8Array
}

/** Codes behind which the same request may work a moment later. */
const passingCodes: ReadonlySet<number> = new Set([-1000, -1001, -1006, -1007, -1008, -1016])
const tooManyCodes: ReadonlySet<number> = new Set([-1003, -1015])

const archiveHint = 'set "source: \'archives\'", which needs no API, or use a base URL that serves you'

/** The fault an answer stands for, or undefined where it is what was asked for. `serverNowMs` is the host's own time:
 *  ends of bans are told in it. */
export function faultOf(received: Received, expected: Expected, serverNowMs: number): HttpFault | undefined {
  const { url, status, headers, body } = received
  if (status === 200) return expected === 'bytes' ? undefined : bodyFault(received, expected, serverNowMs)
  const said = venueWords(body)
  const fault = (trouble: HttpTrouble, what: string, more: { todo?: string; waitMs?: number } = {}) =>
    new HttpFault({
      trouble,
      url,
      status,
      what: said === undefined ? what : `${what}: ${said.msg} (code ${said.code})`,
      ...(said === undefined ? {} : { venueCode: said.code }),
      ...more,
    })
  const waitMs = waitOf(headers, said?.msg, serverNowMs)
  const waiting = waitMs === undefined ? {} : { waitMs }
  if (status === 429) return fault('rateLimited', 'too many requests', waiting)
  if (status === 418) {
    return fault('banned', 'this address is banned for a while', {
      ...waiting,
      todo: 'wait, or lower http.budgetShare',
    })
  }
  if (status === 403) {
    return fault('forbidden', "the venue's firewall refuses this address", {
      ...waiting,
      todo: 'wait some minutes, then lower http.budgetShare or http.connectionsPerHost',
    })
  }
  if (status === 451) return fault('restricted', 'the venue does not serve this place', { todo: archiveHint })
  if (status === 404) return fault('notFound', 'there is nothing here')
  if (status === 408 || status >= 500) return fault('serverError', `the venue answered ${status}`, waiting)
  if (status >= 400) return fault('refused', `the venue refused the request with ${status}`)
  return fault('refused', `the venue answered ${status}`, { todo: 'check the base URL in the config' })
}

function bodyFault(received: Received, expected: 'json' | 'xml', serverNowMs: number): HttpFault | undefined {
  const { url, status, headers, body } = received
  const first = firstByte(body)
  const isMarkup = first === 0x3c
  if (expected === 'xml') {
    const text = new TextDecoder().decode(body.subarray(0, 200))
    if (isMarkup && !/<html|<!doctype/i.test(text)) return undefined
    return new HttpFault({ trouble: 'notJson', url, status, what: 'a page came where XML belongs' })
  }
  if (isMarkup || /html/i.test(headers['content-type'] ?? '')) {
    return new HttpFault({ trouble: 'notJson', url, status, what: 'a page came where JSON belongs' })
  }
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    return new HttpFault({ trouble: 'notJson', url, status, what: 'the body is no JSON; it may be cut off', cause })
  }
  const said = wordsOf(value)
  if (said === undefined || said.code >= 0) return undefined
  const what = `the venue answered 200 with an error: ${said.msg} (code ${said.code})`
  if (tooManyCodes.has(said.code)) {
    const waitMs = waitOf(headers, said.msg, serverNowMs)
    return new HttpFault({
      trouble: 'rateLimited',
      url,
      status,
      what,
      venueCode: said.code,
      ...(waitMs ? { waitMs } : {}),
    })
  }
  const permanent = !passingCodes.has(said.code)
  return new HttpFault({ trouble: 'venueError', url, status, what, venueCode: said.code, permanent })
}

/** Beyond this it makes no difference: nobody waits for ten years, and every later instant would be no date. */
const waitMsLongest = 10 * 365 * 86_400_000

/** How long to stay away: the header's seconds or date, or the end of a ban that the text gives in epoch milliseconds. Zero
 *  where that is over; nothing where the header says neither. */
function waitOf(headers: Received['headers'], msg: string | undefined, serverNowMs: number): number | undefined {
  const until = /banned until (\d{13})/.exec(msg ?? '')
  if (until !== null) return Math.max(0, Number(until[1]) - serverNowMs)
  const told = headers['retry-after']?.trim() ?? ''
  if (/^\d+$/.test(told)) return Math.min(Number(told) * 1000, waitMsLongest)
  // Of anything else only a date begins with a weekday: -5 would be a year, and 1.5 a day in January.
  const atMs = /^[A-Za-z]{3,9},? /.test(told) ? Date.parse(told) : Number.NaN
  return Number.isNaN(atMs) ? undefined : Math.min(Math.max(0, atMs - serverNowMs), waitMsLongest)
}

function venueWords(body: Uint8Array): { code: number; msg: string } | undefined {
  if (firstByte(body) !== 0x7b) return undefined
  try {
    return wordsOf(JSON.parse(new TextDecoder().decode(body)))
  } catch {
    return undefined
  }
}

function wordsOf(value: unknown): { code: number; msg: string } | undefined {
  const { code, msg } = (value ?? {}) as { code?: unknown; msg?: unknown }
  return typeof code === 'number' && typeof msg === 'string' ? { code, msg: msg.slice(0, 300) } : undefined
}

function firstByte(body: Uint8Array): number | undefined {
  return body.find((byte) => byte > 0x20)
}
