import { MINUTE_MS, type TsMs } from '../../time.ts'
import type { FaultKind, FaultRule } from '../faults/plan.ts'
import type { SimResponse, Wire } from './request.ts'

const BAN_MS = 2 * MINUTE_MS
const serverErrors = [500, 502, 503, 504]

const html = (status: number, title: string): SimResponse => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: Buffer.from(`<html>\n<head><title>${title}</title></head>\n<body><h1>${title}</h1></body>\n</html>\n`),
})

const error = (status: number, code: number, msg: string, headers: Record<string, string> = {}): SimResponse => ({
  status,
  headers: { 'content-type': 'application/json;charset=UTF-8', ...headers },
  body: Buffer.from(JSON.stringify({ code, msg })),
})

/** The answer a fault puts in place of the right one; undefined for faults of another kind. */
export function answerOf(kind: FaultKind, rule: FaultRule, count: number, clockTsMs: TsMs): SimResponse | undefined {
  const wait: Record<string, string> =
    rule.retryAfterSeconds === undefined ? {} : { 'retry-after': String(rule.retryAfterSeconds) }
  switch (kind) {
    case 'rateLimited':
      return error(429, -1003, 'Too many requests; current limit of IP(127.0.0.1) is 2400 requests per minute.', wait)
    case 'banned': {
      const banMs = rule.retryAfterSeconds === undefined ? BAN_MS : rule.retryAfterSeconds * 1000
      const msg = `Way too many requests; IP(127.0.0.1) banned until ${clockTsMs + banMs}. Please use the websocket for live updates to avoid bans.`
      return error(418, -1003, msg, wait)
    }
    case 'restricted':
      return error(
        451,
        0,
        "Service unavailable from a restricted location according to 'b. Eligibility' in the terms of use.",
      )
    case 'forbidden':
      return html(403, '403 Forbidden')
    case 'backendTimeout':
      return error(408, -1007, 'Timeout waiting for response from backend server.')
    case 'serverError': {
      const status = serverErrors[count % serverErrors.length]!
      return status === 503 ? error(503, -1000, 'Service Unavailable.') : html(status, `${status} Server Error`)
    }
    case 'codeWith200':
      return error(200, -1001, 'Internal error; unable to process your request. Please try again.')
    case 'htmlWith200':
      return html(200, 'One moment, please')
    default:
      return undefined
  }
}

/** What a fault does to the carrying of a body of so many bytes. */
export function wireOf(kind: FaultKind, bodyBytes: number): Wire | undefined {
  const half = Math.floor(bodyBytes / 2)
  if (kind === 'reset') return { kind: 'reset', afterBytes: 0 }
  if (kind === 'resetInBody') return { kind: 'reset', afterBytes: Math.max(1, half) }
  if (kind === 'truncated') return { kind: 'truncated', afterBytes: half }
  if (kind === 'slow') return { kind: 'slow', chunkBytes: Math.max(1, Math.ceil(bodyBytes / 20)), pauseMs: 100 }
  return undefined
}
