import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { createHttp } from '../../../lib/http/client.ts'
import { HttpFault, shownUrl } from '../../../lib/http/httpFault.ts'
import { httpPolicy } from '../../../lib/http/policy.ts'
import { startExchange } from '../../../lib/sim/server.ts'
import { baseUrls } from '../../../lib/venues/hosts.ts'

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

/** Everything a fault may be shown by: in words, in logs, and in the chain of its causes. */
function toldBy(error: unknown): string {
  const told: unknown[] = []
  for (let at = error; at instanceof Error; at = at.cause) {
    const { message, stack } = at
    told.push(
      message,
      stack,
      JSON.stringify(at),
      at instanceof HttpFault ? [at.what, at.where, at.todo, at.details] : [],
    )
  }
  return JSON.stringify(told)
}

describe('a venue that quotes what it was told', () => {
  const secret = 'k3y/that must+not=show'
  const echoes: { says: string; status: number; body: (quoted: string) => string }[] = [
    { says: '401 with words of its own', status: 401, body: (msg) => JSON.stringify({ code: -2015, msg }) },
    { says: '403 from its firewall', status: 403, body: (msg) => JSON.stringify({ code: 0, msg }) },
    { says: '200 with an error in it', status: 200, body: (msg) => JSON.stringify({ code: -1022, msg }) },
    { says: '200 with text that is no JSON', status: 200, body: (msg) => `${msg.slice(0, 60)}` },
    { says: '500', status: 500, body: (msg) => JSON.stringify({ code: -1000, msg }) },
  ]
  test.each(echoes)('answers $says: no fault says it on', async ({ status, body }) => {
    const server = createServer(({ url, headers }, response) => {
      const quoted = `${headers['x-mbx-apikey']} ${headers.authorization} ${url} ${decodeURIComponent(url!)}`
      response.writeHead(status).end(body(quoted))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const policy = { attemptsMax: 2, backoffMsMin: 1, forbiddenPauseMs: 1, pauseMsMin: 1, waitMsMax: 50 }
    const http = createHttp({ policy: httpPolicy.parse(policy), env: {} })
    closing.push(http, {
      close: async () => {
        server.closeAllConnections()
        server.close()
      },
    })
    const { port } = server.address() as AddressInfo
    const error = await http
      .get({
        url: `http://127.0.0.1:${port}/account?api_key=${encodeURIComponent(secret)}`,
        expects: 'json',
        headers: { 'x-mbx-apikey': secret, authorization: `Bearer ${secret}` },
      })
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(HttpFault)
    const told = toldBy(error)
    expect(told).not.toContain(secret)
    expect(told).not.toContain(encodeURIComponent(secret))
    // The parser quotes how a text begins.
    expect(told).not.toContain(secret.slice(0, 8))
    expect((error as HttpFault).status).toBe(status)
  })
})

test.each(['apiKey', 'api_key', 'X-Amz-Signature', 'X-Amz-Security-Token', 'listenKey', 'access_token', 'pwd'])(
  'a URL is shown without its %s',
  (name) => {
    const shown = shownUrl(`https://user:hunter22@a.example/b?symbol=BTCUSDT&${name}=abcdef`)
    expect(shown).toBe(`https://a.example/b?symbol=BTCUSDT&${name}=hidden`)
  },
)

test('what stands in every manifest takes no password: addresses of hosts and of a proxy', () => {
  for (const url of [
    'http://user:hunter22@a.example',
    'http://hunter22@a.example',
    'http://a.example/?apiKey=hunter22',
  ]) {
    const { error } = baseUrls.safeParse({ usdm: url })
    expect(error?.message).toContain('would stand in every manifest')
    expect(error?.message).not.toContain('hunter22')
  }
  const { error } = httpPolicy.safeParse({ proxyUrl: 'http://user:hunter22@proxy.example:8080' })
  expect(error?.message).toContain('set HTTPS_PROXY or HTTP_PROXY in the environment instead')
  expect(error?.message).not.toContain('hunter22')
  const query = httpPolicy.safeParse({ proxyUrl: 'http://proxy.example:8080/?token=hunter22' })
  expect(query.error?.message).toContain('would stand in every manifest')
  expect(query.error?.message).not.toContain('hunter22')
  expect(httpPolicy.parse({ proxyUrl: 'http://proxy.example:8080' }).proxyUrl).toBe('http://proxy.example:8080')
})
