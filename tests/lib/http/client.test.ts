import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { createHttp, type Http, type HttpRequest, type Wait } from '../../../lib/http/client.ts'
import { HttpFault, shownUrl } from '../../../lib/http/httpFault.ts'
import { type HttpPolicy, httpPolicy } from '../../../lib/http/policy.ts'
import { undiciTransport } from '../../../lib/http/transport.ts'
import { createRng } from '../../../lib/rng.ts'
import { defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { createExchange } from '../../../lib/sim/exchange/exchange.ts'
import type { FaultRule } from '../../../lib/sim/faults/plan.ts'
import { createMarket } from '../../../lib/sim/market.ts'
import { type RunningExchange, startExchange } from '../../../lib/sim/server.ts'
import { exchangeTransport, pretendTime } from './pretendTime.ts'

const futures = { name: 'futures', limit: 2400, windowMs: 60_000 }
const klinesPath = '/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=99'
const zipPath = '/data/futures/um/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-07-01.zip'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

/** A real server, real sockets, and a clock that does not wait. */
async function rig(rules: FaultRule[], policy: Partial<HttpPolicy> = {}) {
  const time = pretendTime()
  const server: RunningExchange = await startExchange({ faults: { seed: 3, rules }, elapsedMs: time.elapsedMs })
  const whole = httpPolicy.parse(policy)
  const rng = createRng('jitter')
  const http: Http = createHttp({
    policy: whole,
    clock: time.clock,
    random: () => rng.uniform(),
    transport: time.watch(undiciTransport(whole, {})),
  })
  open.push(http, server)
  const ask = (path = klinesPath, more: Partial<HttpRequest> = {}) =>
    http.get({ url: server.url + path, expects: 'json', budget: { pool: futures, weight: 1 }, ...more })
  return { server, http, ask, time }
}

const faultOf = async (promise: Promise<unknown>): Promise<HttpFault> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(HttpFault)
  return error as HttpFault
}

describe('failures that pass by themselves are waited out, and the answer is the right one', () => {
  const cases = [
    { kind: 'serverError', trouble: 'serverError' },
    { kind: 'backendTimeout', trouble: 'serverError' },
    { kind: 'codeWith200', trouble: 'venueError' },
    { kind: 'htmlWith200', trouble: 'notJson' },
    { kind: 'reset', trouble: 'connection' },
    { kind: 'resetInBody', trouble: 'connection' },
    { kind: 'truncated', trouble: /connection|wrongLength/ },
    { kind: 'rateLimited', trouble: 'rateLimited' },
    { kind: 'banned', trouble: 'banned' },
    { kind: 'forbidden', trouble: 'forbidden' },
  ] as const
  for (const { kind, trouble } of cases) {
    test(`${kind}, twice in a row`, async () => {
      const { ask } = await rig([{ match: 'klines', kind, times: 2 }])
      const { attempts, body } = await ask()
      expect(attempts.length).toBe(3)
      for (const attempt of attempts.slice(0, 2)) expect(attempt.trouble).toMatch(trouble)
      expect(JSON.parse(Buffer.from(body).toString()).length).toBe(99)
    })
  }

  test('a body that comes slowly is waited for', async () => {
    const { ask } = await rig([{ match: 'klines', kind: 'slow', times: 1 }])
    expect((await ask()).attempts.length).toBe(1)
  })

  test('a body that stands still is given up, and asked for again', async () => {
    const { ask } = await rig([{ match: 'klines', kind: 'slow', times: 1 }], {
      bodyTimeoutMs: 20,
      attemptTimeoutMs: 500,
    })
    const { attempts } = await ask()
    expect(attempts.map(({ trouble }) => trouble)).toEqual(['timeout', undefined])
  })

  test('all of them at once, over forty requests, with nothing lost', async () => {
    const kinds = [
      'serverError',
      'reset',
      'resetInBody',
      'truncated',
      'codeWith200',
      'htmlWith200',
      'rateLimited',
    ] as const
    const rules = kinds.map((kind) => ({ match: 'klines', kind, probability: 0.12, retryAfterSeconds: 1 }))
    const { ask, server } = await rig(rules, { attemptsMax: 20 })
    const from = Date.UTC(2026, 5, 1)
    const pages = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        ask(`/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=60&startTime=${from + i * 3_600_000}`),
      ),
    )
    const opens = pages.flatMap(({ body }) =>
      (JSON.parse(Buffer.from(body).toString()) as number[][]).map(([at]) => at),
    )
    expect(opens).toEqual(Array.from({ length: 2400 }, (_, i) => from + i * 60_000))
    expect(server.exchange.tally.requests).toBeGreaterThan(60)
  })
})

describe('waits', () => {
  test('a 429 with Retry-After holds everybody back that long', async () => {
    const { ask, time } = await rig([{ match: 'klines', kind: 'rateLimited', times: 1, retryAfterSeconds: 17 }])
    await ask()
    expect(time.elapsedMs()).toBeGreaterThanOrEqual(17_000)
    expect(time.elapsedMs()).toBeLessThan(19_000)
  })

  test('a 429 that says nothing means the next minute of the venue', async () => {
    const { ask, time } = await rig([{ match: 'klines', kind: 'rateLimited', times: 1 }])
    await ask()
    // The world opens thirty seconds after a full minute.
    expect(time.elapsedMs()).toBeGreaterThanOrEqual(30_000)
    expect(time.elapsedMs()).toBeLessThan(33_000)
  })

  test('a ban ends when its text says so, on the clock of the venue', async () => {
    const { ask, time } = await rig([{ match: 'klines', kind: 'banned', times: 1 }])
    await ask()
    expect(time.elapsedMs()).toBeGreaterThanOrEqual(120_000)
    expect(time.elapsedMs()).toBeLessThan(124_000)
  })

  test('a ban of days ends the run and says until when', async () => {
    const { ask } = await rig([{ match: 'klines', kind: 'banned', retryAfterSeconds: 3 * 86_400 }])
    const fault = await faultOf(ask())
    expect(fault).toMatchObject({ trouble: 'banned', permanent: true })
    expect(fault.what).toContain('wants to be left alone for')
  })

  test('a pause of one request is a pause of all on that host', async () => {
    const { ask, server, time } = await rig([
      { match: 'ETHUSDT', kind: 'rateLimited', times: 1, retryAfterSeconds: 40 },
    ])
    await ask('/fapi/v1/ping')
    const slow = ask('/fapi/v1/klines?symbol=ETHUSDT&interval=1h&limit=9')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const before = server.exchange.tally.requests
    await Promise.all([slow, ask(), ask()])
    expect(before).toBeLessThanOrEqual(3)
    expect(time.elapsedMs()).toBeGreaterThanOrEqual(40_000)
  })

  test('are told as they begin: for whom, after what, how long, and which try follows', async () => {
    const { ask, server } = await rig([
      { match: 'klines', kind: 'serverError', times: 2 },
      { match: 'exchangeInfo', kind: 'rateLimited', times: 1, retryAfterS: 7 },
    ] as FaultRule[])
    const told: Wait[] = []
    const onWait = (wait: Wait) => told.push(wait)
    await ask(klinesPath, { onWait })
    const host = new URL(server.url).host
    expect(told).toMatchObject([
      { host, after: expect.stringMatching(/^50\d$/), nextTry: { attempt: 2, attemptsMax: 8 } },
      { host, nextTry: { attempt: 3, attemptsMax: 8 } },
    ])
    for (const { waitMs } of told) expect(waitMs).toBeGreaterThan(0)
    told.length = 0
    // Whoever asks the same host meanwhile waits as well, and says why; no try is used up.
    await Promise.all([ask('/fapi/v1/exchangeInfo', { onWait }), ask(klinesPath, { onWait })])
    expect(told.length).toBeGreaterThan(0)
    for (const wait of told) expect(wait).toEqual({ host, after: '429', waitMs: expect.any(Number) })
  })

  test('the same seed gives the same waits', async () => {
    const waits = async () => {
      const { ask, time } = await rig([{ match: 'klines', kind: 'serverError', times: 5 }])
      await ask()
      return time.elapsedMs()
    }
    expect(await waits()).toBe(await waits())
  })
})

describe('failures that do not pass are told at once', () => {
  test('451 names the place and the way on', async () => {
    const { ask, server } = await rig([{ match: 'klines', kind: 'restricted' }])
    const fault = await faultOf(ask())
    expect(fault).toMatchObject({ trouble: 'restricted', permanent: true, status: 451 })
    expect(fault.what).toContain('restricted location')
    expect(fault.todo).toContain("source: 'archives'")
    expect(server.exchange.tally.requests).toBe(1)
  })

  test("a wrong symbol is the venue's own words", async () => {
    const { ask } = await rig([])
    const fault = await faultOf(ask('/fapi/v1/klines?symbol=NOPE&interval=1h'))
    expect(fault).toMatchObject({ trouble: 'refused', permanent: true, status: 400, venueCode: -1121 })
    expect(fault.what).toContain('Invalid symbol')
  })

  test('404 is a fact', async () => {
    const { ask } = await rig([])
    expect(await faultOf(ask(zipPath.replace('2026', '2020'), { expects: 'bytes' }))).toMatchObject({
      trouble: 'notFound',
      permanent: true,
    })
  })

  test('after the last try it says how often it tried', async () => {
    const { ask, server } = await rig([{ match: 'klines', kind: 'serverError' }], { attemptsMax: 4 })
    const fault = await faultOf(ask())
    expect(fault).toMatchObject({ trouble: 'serverError', permanent: false })
    expect(fault.what).toContain('in each of 4 tries')
    expect(server.exchange.tally.requests).toBe(4)
  })

  test('a body over its limit is not read', async () => {
    const { ask } = await rig([])
    expect(await faultOf(ask(klinesPath, { sizeBytesMax: 1000 }))).toMatchObject({
      trouble: 'tooLarge',
      permanent: true,
    })
  })

  test('being stopped is not a failure of the venue', async () => {
    const { ask } = await rig([{ match: 'klines', kind: 'serverError' }])
    await expect(ask(klinesPath, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  })
})

describe('downloads', () => {
  test('are hashed on their way, and a broken try leaves no half file', async () => {
    const { http, server } = await rig([{ match: 'zip$', kind: 'resetInBody', times: 2 }])
    const finished: Buffer[] = []
    let opened = 0
    const answer = await http.download({ url: server.url + zipPath, expects: 'bytes' }, () => {
      opened++
      const chunks: Uint8Array[] = []
      return {
        write: (chunk) => chunks.push(Uint8Array.from(chunk)),
        finish: () => finished.push(Buffer.concat(chunks)),
      }
    })
    expect(opened).toBe(3)
    expect(finished.length).toBe(1)
    expect(answer.sizeBytes).toBe(finished[0]!.length)
    expect(answer.sha256).toBe(createHash('sha256').update(finished[0]!).digest('hex'))
    const listed = await http.get({ url: `${server.url}${zipPath}.CHECKSUM`, expects: 'bytes' })
    expect(Buffer.from(listed.body).toString()).toContain(answer.sha256)
  })
})

describe('the budget of weight', () => {
  const market = createMarket(defaultWorld)

  /** Ten minutes of asking as fast as the budget lets one, without sockets. */
  async function ask(share: number, requests: number) {
    const limit = 60
    const time = pretendTime()
    const exchange = createExchange(market, {
      elapsedMs: time.elapsedMs,
      limits: { futures: { limit, windowMs: 60_000 } },
    })
    const policy = httpPolicy.parse({ budgetShare: share })
    const http = createHttp({ policy, clock: time.clock, transport: time.watch(exchangeTransport(exchange)) })
    const pool = { ...futures, limit }
    const perWindow = new Map<number, number>()
    let next = 0
    const worker = async () => {
      while (next++ < requests) {
        await http.get({ url: 'http://exchange/fapi/v1/ping', expects: 'json', budget: { pool, weight: 1 } })
        const minute = Math.floor((market.nowTsMs + time.elapsedMs()) / 60_000)
        perWindow.set(minute, (perWindow.get(minute) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    return { exchange, time, perWindow: [...perWindow.values()] }
  }

  test('at the full limit is used to 95 % and more, and never overdrawn', async () => {
    const { exchange, perWindow } = await ask(1, 300)
    expect(exchange.tally.refused).toBe(0)
    expect(perWindow.length).toBe(5)
    expect(Math.max(...perWindow)).toBeLessThanOrEqual(60)
    for (const weight of perWindow) expect(weight / 60).toBeGreaterThanOrEqual(0.95)
  })

  test('at its share of 60 % leaves the rest to others', async () => {
    const { exchange, perWindow } = await ask(0.6, 108)
    expect(exchange.tally.refused).toBe(0)
    expect(Math.max(...perWindow)).toBeLessThanOrEqual(36)
  })

  test('counts what others on the same address spend', async () => {
    const time = pretendTime()
    const exchange = createExchange(market, { elapsedMs: time.elapsedMs })
    for (let i = 0; i < 55; i++) exchange.handle({ method: 'GET', url: '/fapi/v1/ticker/24hr' })
    const policy = httpPolicy.parse({ budgetShare: 1 })
    const http = createHttp({ policy, clock: time.clock, transport: time.watch(exchangeTransport(exchange)) })
    const told: Wait[] = []
    const url = 'http://exchange/fapi/v1/ticker/24hr'
    const onWait = (wait: Wait) => told.push(wait)
    const get = () => http.get({ url, expects: 'json', budget: { pool: futures, weight: 40 }, onWait })
    await Promise.all(Array.from({ length: 9 }, get))
    expect(exchange.tally.refused).toBe(0)
    // 2200 were spent: five fit into this minute, and four wait for the next.
    expect(time.elapsedMs()).toBeGreaterThanOrEqual(29_000)
    // The first of the four says so, and for how long.
    expect(told).toEqual([{ host: 'exchange', after: 'all its weight was spent', waitMs: expect.any(Number) }])
    expect(told[0]!.waitMs).toBeGreaterThan(28_000)
    expect(told[0]!.waitMs).toBeLessThan(31_000)
  })

  test('a request that can never fit is refused with the setting to change', async () => {
    const { http, server } = await rig([], { budgetShare: 0.01 })
    const budget = { pool: futures, weight: 40 }
    await expect(http.get({ url: `${server.url}/fapi/v1/ping`, expects: 'json', budget })).rejects.toThrow(
      'one request weighs 40 and the budget of futures is 24 a window',
    )
  })
})

test('a key in a URL is never shown', () => {
  const shown = shownUrl('https://user:pass@venue.example/x?symbol=A&apiKey=s3cret&signature=s3cret')
  expect(shown).not.toMatch(/s3cret|pass|user/)
  expect(shown).toContain('symbol=A')
})
