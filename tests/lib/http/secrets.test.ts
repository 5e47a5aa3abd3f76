import { afterAll, expect, test } from 'vitest'
import { createHttp } from '../../../lib/http/client.ts'
import { HttpFault } from '../../../lib/http/httpFault.ts'
import { httpPolicy } from '../../../lib/http/policy.ts'
import { startExchange } from '../../../lib/sim/server.ts'

const closing: { close(): Promise<unknown> }[] = []
afterAll(async () => {
  for (const one of closing) await one.close()
})

test('a key reaches the venue, and no fault, attempt or message', async () => {
  const secret = 'k3y-that-must-not-show'
  const server = await startExchange({
    faults: {
      rules: [
        { match: 'ping', kind: 'serverError' },
        { match: 'time', kind: 'serverError', times: 1 },
      ],
    },
  })
  const http = createHttp({ policy: httpPolicy.parse({ attemptsMax: 2, backoffMsMin: 1 }), env: {} })
  closing.push(http, server)
  const ask = (path: string) =>
    http.get({
      url: `${server.url}${path}?apiKey=${secret}&signature=${secret}`,
      expects: 'json',
      headers: { 'x-mbx-apikey': secret },
    })
  const failed = await ask('/fapi/v1/ping').catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(HttpFault)
  const { message, what, where, todo, details, stack, cause } = failed as HttpFault
  const told = [message, what, where, todo, stack, JSON.stringify(details), String(cause), (cause as Error).stack]
  const answer = await ask('/fapi/v1/time')
  expect(answer.attempts.length).toBe(2)
  expect(JSON.stringify([told, answer.attempts, answer.headers])).not.toContain(secret)
})
