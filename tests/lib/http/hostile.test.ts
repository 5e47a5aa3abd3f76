import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createHttp, type HttpRequest } from '../../../lib/http/client.ts'
import type { HttpFault } from '../../../lib/http/httpFault.ts'
import { type HttpPolicy, httpPolicy } from '../../../lib/http/policy.ts'
import { type Transport, undiciTransport, type WireAnswer } from '../../../lib/http/transport.ts'
import { createRng } from '../../../lib/rng.ts'
import { pretendTime } from './pretendTime.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

type Said = { status: number; headers?: Record<string, string>; body?: string }

/** A venue that always says the same, or one thing after another, asked on a clock that does not wait. */
function rig(said: Said | readonly Said[], policy: Partial<HttpPolicy> = {}) {
  const time = pretendTime()
  const rng = createRng('hostile')
  const atMs: number[] = []
  const transport: Transport = {
    async send(): Promise<WireAnswer> {
      const list = Array.isArray(said) ? (said as readonly Said[]) : [said as Said]
      const { status, headers = {}, body = '{}' } = list[Math.min(atMs.length, list.length - 1)]!
      atMs.push(time.elapsedMs())
      return { status, headers, body: once(Buffer.from(body)), discard: () => {} }
    },
    close: async () => {},
  }
  const http = createHttp({
    policy: httpPolicy.parse(policy),
    clock: time.clock,
    random: () => rng.uniform(),
    transport: time.watch(transport),
  })
  const ask = (more: Partial<HttpRequest> = {}) => http.get({ url: 'http://venue/x', expects: 'json', ...more })
  return { http, ask, atMs, time }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body
}

const thrown = async (promise: Promise<unknown>): Promise<HttpFault> => {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(error).toBeDefined()
  return error as HttpFault
}

describe('a venue that says to come back at once is not taken at its word', () => {
  const past = 'Fri, 01 Jan 1999 00:00:00 GMT'
  const cases: [string, Said][] = [
    ['403 with 0', { status: 403, headers: { 'retry-after': '0' } }],
    ['429 with 0', { status: 429, headers: { 'retry-after': '0' } }],
    ['429 with a date that is over', { status: 429, headers: { 'retry-after': past } }],
    ['429 with 00', { status: 429, headers: { 'retry-after': '00' } }],
    [
      '418 whose ban is over',
      { status: 418, body: '{"code":-1003,"msg":"Way too many requests; IP banned until 1000000000000."}' },
    ],
    ['418 with 0', { status: 418, headers: { 'retry-after': '0' } }],
  ]
  for (const [says, said] of cases) {
    test(`${says}: pauses of a second and more, doubling, and an end`, async () => {
      const { ask, atMs } = rig(said)
      const fault = await thrown(ask())
      expect(fault).toMatchObject({ permanent: true })
      expect(fault.what).toContain('wants to be left alone')
      expect(atMs.length).toBeLessThanOrEqual(12)
      const pauses = atMs.slice(1).map((at, i) => at - atMs[i]!)
      for (const [i, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(1000 * 2 ** i)
      expect(new Set(pauses.map((pause) => Math.round(pause % 1000))).size).toBeGreaterThan(1)
    })
  }

  test.each(['-5', '1.5', 'soon', ''])(
    '429 with Retry-After "%s" says nothing: the next window is waited for',
    async (text) => {
      const { ask, atMs } = rig([{ status: 429, headers: { 'retry-after': text } }, { status: 200 }])
      await ask()
      const secondsLeft = 60 - (Math.floor(1_760_000_000_000 / 1000) % 60)
      expect(atMs[1]).toBeGreaterThanOrEqual(secondsLeft * 1000)
      expect(atMs[1]).toBeLessThan(secondsLeft * 1000 + 3000)
    },
  )

  test.each(['99999999999', '9'.repeat(400)])('Retry-After of %s seconds ends the run at once', async (text) => {
    const { ask, atMs } = rig({ status: 429, headers: { 'retry-after': text } })
    const fault = await thrown(ask())
    expect(fault).toMatchObject({ trouble: 'rateLimited', permanent: true })
    expect(fault.what).toContain('wants to be left alone')
    expect(atMs.length).toBe(1)
  })

  test('a pause is left as soon as one is told to stop', async () => {
    const { ask, atMs, time } = rig({ status: 429, headers: { 'retry-after': '600' } })
    const stop = new AbortController()
    const asked = thrown(ask({ signal: stop.signal }))
    while (atMs.length === 0) await new Promise(setImmediate)
    stop.abort(new Error('stop'))
    expect((await asked) as Error).toBeInstanceOf(Error)
    expect(time.elapsedMs()).toBeLessThan(600_000)
  })
})

describe('a body of another form than was asked for', () => {
  const page = { status: 200, body: '<html>log in first</html>' }
  const whyWrong = (body: Uint8Array) => (body[0] === 0x50 ? undefined : 'this is no zip')

  test('is a failed attempt, and asked for again', async () => {
    const { ask } = rig([page, page, { status: 200, body: 'PK' }])
    const { attempts, body } = await ask({ expects: 'bytes', whyWrong })
    expect(attempts.map(({ trouble }) => trouble)).toEqual(['wrongForm', 'wrongForm', undefined])
    expect(Buffer.from(body).toString()).toBe('PK')
  })

  test.each(['<html>', '', 'P', 'pk'])('%j of a download never gets into its sink', async (text) => {
    const { http } = rig({ status: 200, body: text }, { attemptsMax: 3 })
    let wrote = 0
    let finished = 0
    const sink = () => ({ write: () => wrote++, finish: () => finished++ }) as never
    const isZip = (begin: Uint8Array) => (Buffer.from(begin).toString('latin1', 0, 2) === 'PK' ? undefined : 'no zip')
    const fault = await thrown(http.download({ url: 'http://venue/x.zip', expects: 'bytes', whyWrong: isZip }, sink))
    expect(fault).toMatchObject({ trouble: 'wrongForm', permanent: false })
    expect(fault.what).toContain('in each of 3 tries')
    expect([wrote, finished]).toEqual([0, 0])
  })
})

describe('bodies over real sockets', () => {
  async function serve(answer: (response: ServerResponse) => void, policy: Partial<HttpPolicy>) {
    const server = createServer((_, response) => answer(response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const whole = httpPolicy.parse({ backoffMsMin: 1, backoffMsMax: 2, ...policy })
    const http = createHttp({ policy: whole, transport: undiciTransport(whole, {}) })
    open.push(http, { close: () => server.closeAllConnections() }, { close: () => server.close() })
    return { http, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x` }
  }

  test('that drip for ever are given up when the attempt has taken too long', async () => {
    const { http, url } = await serve(
      (response) => {
        response.write('[')
        const timer = setInterval(() => response.write(' '), 20)
        response.on('close', () => clearInterval(timer))
      },
      { attemptsMax: 2, attemptTimeoutMs: 200 },
    )
    expect(await thrown(http.get({ url, expects: 'json' }))).toMatchObject({ trouble: 'timeout' })
  })

  test('without an end are cut at what belongs there, and not asked for again', async () => {
    let asked = 0
    const { http, url } = await serve((response) => {
      asked++
      const block = Buffer.alloc(1 << 16, 0x50)
      const go = () => {
        while (!response.destroyed && response.write(block));
        response.once('drain', go)
      }
      go()
    }, {})
    let kept = 0
    const sink = () => ({ write: (chunk: Uint8Array) => void (kept += chunk.length), finish: () => {} })
    const fault = await thrown(http.download({ url, expects: 'bytes', sizeBytesMax: 1 << 20 }, sink))
    expect(fault).toMatchObject({ trouble: 'tooLarge', permanent: true })
    expect(kept).toBeLessThanOrEqual(1 << 20)
    expect(asked).toBe(1)
  })
})
