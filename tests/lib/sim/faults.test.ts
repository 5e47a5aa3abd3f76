import { createHash } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { createExchange } from '../../../lib/sim/exchange/exchange.ts'
import type { FaultRule } from '../../../lib/sim/faults/plan.ts'
import { createMarket } from '../../../lib/sim/market.ts'
import { type RunningExchange, startExchange } from '../../../lib/sim/server.ts'

const market = createMarket(defaultWorld)
const klines = '/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=20'
const zipPath = '/data/futures/um/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2026-07-01.zip'

function open(...rules: FaultRule[]) {
  const exchange = createExchange(market, { faults: { seed: 7, rules } })
  const ask = (url: string) => {
    const { status, headers, body } = exchange.handle({ method: 'GET', url })
    return { status, headers, body, text: Buffer.from(body).toString() }
  }
  const lines = (url: string) => {
    const zip = ask(url).body
    const name = new DataView(zip.buffer, zip.byteOffset).getUint16(26, true)
    return inflateRawSync(zip.subarray(30 + name))
      .toString()
      .trimEnd()
      .split('\n')
  }
  return { ask, lines }
}

describe('answers in place of the right one', () => {
  const cases = [
    { kind: 'rateLimited', status: 429, has: '"code":-1003' },
    { kind: 'banned', status: 418, has: 'banned until 1785920550000' },
    { kind: 'restricted', status: 451, has: 'restricted location' },
    { kind: 'forbidden', status: 403, has: '<html>' },
    { kind: 'backendTimeout', status: 408, has: '-1007' },
    { kind: 'serverError', status: 500, has: '<html>' },
    { kind: 'codeWith200', status: 200, has: '{"code":-1001' },
    { kind: 'htmlWith200', status: 200, has: '<html>' },
  ] as const
  for (const { kind, status, has } of cases) {
    test(`${kind}, twice, after one good answer, then never again`, () => {
      const { ask } = open({ match: 'klines', kind, times: 2, after: 1 })
      const right = ask(klines)
      const [first, second, third] = [ask(klines), ask(klines), ask(klines)]
      expect(first.status).toBe(status)
      expect(first.text).toContain(has)
      expect(second.text).not.toBe(right.text)
      expect(third.text).toBe(right.text)
      expect(ask('/fapi/v1/ping').status).toBe(200)
    })
  }

  test('chance comes from the seed', () => {
    const run = () => {
      const { ask } = open({ match: '.', kind: 'serverError', probability: 0.3 })
      return Array.from({ length: 60 }, () => ask('/fapi/v1/ping').status === 200)
    }
    expect(run()).toEqual(run())
    const good = run().filter(Boolean).length
    expect(good).toBeGreaterThan(25)
    expect(good).toBeLessThan(58)
  })
})

describe('archives that are wrong', () => {
  const right = open().lines(zipPath)
  const sha = (zip: Uint8Array) => createHash('sha256').update(zip).digest('hex')

  test('a checksum of other bytes', () => {
    const { ask } = open({ match: 'BTCUSDT-1h', kind: 'wrongChecksum' })
    expect(ask(`${zipPath}.CHECKSUM`).text).not.toContain(sha(ask(zipPath).body))
  })

  test('a second edition with rows the first lacked, each with its own checksum', () => {
    const { ask, lines } = open({ match: 'BTCUSDT-1h', kind: 'republished' })
    const promised = ask(`${zipPath}.CHECKSUM`).text
    const first = ask(zipPath).body
    expect(promised).toContain(sha(first))
    expect(lines(zipPath)).toEqual(right)
    expect(ask(`${zipPath}.CHECKSUM`).text).toContain(sha(ask(zipPath).body))
    expect(ask(`${zipPath}.CHECKSUM`).text).not.toBe(promised)
  })

  test('the first edition of a month is the month without its last rows', () => {
    const month = zipPath.replace('/daily/', '/monthly/').replace('07-01', '06')
    const whole = open().lines(month)
    expect(whole.length).toBe(1 + 30 * 24)
    expect(open({ match: 'BTCUSDT-1h', kind: 'republished' }).lines(month)).toEqual(whole.slice(0, -3))
  })

  test('a missing day, and a listing that is months behind', () => {
    const folder = '/?prefix=data/futures/um/daily/klines/BTCUSDT/1h/'
    const missing = open({ match: '2026-07-01', kind: 'missingFile' })
    expect(missing.ask(zipPath).status).toBe(404)
    expect(missing.ask(`${zipPath}.CHECKSUM`).status).toBe(404)
    expect(missing.ask(folder).text).not.toContain('2026-07-01.zip')
    expect(missing.ask(folder).text).toContain('2026-07-02.zip')
    const stale = open({ match: 'klines', kind: 'staleListing' })
    expect(stale.ask(folder).text).not.toContain('2026-07-01.zip')
    expect(stale.ask(folder).text).toContain('2026-06-01.zip')
    expect(stale.ask(zipPath).status).toBe(200)
  })

  test('defective rows under a right checksum, the same every time', () => {
    const spoiled = (kind: FaultRule['kind'], path = zipPath) => {
      const one = open({ match: 'daily', kind })
      expect(one.ask(`${path}.CHECKSUM`).text).toContain(sha(one.ask(path).body))
      expect(one.lines(path)).toEqual(open({ match: 'daily', kind }).lines(path))
      return one.lines(path)
    }
    expect(spoiled('duplicateRows')).toHaveLength(right.length + 3)
    expect(new Set(spoiled('duplicateRows'))).toEqual(new Set(right))
    expect(spoiled('missingRows')).toHaveLength(right.length - 5)
    expect(spoiled('reorderRows')).not.toEqual(right)
    expect([...spoiled('reorderRows')].sort()).toEqual([...right].sort())
    expect(spoiled('offGridRow').filter((row, i) => row !== right[i])).toHaveLength(1)
    expect(spoiled('headerFlip')).toEqual(right.slice(1))
    expect(spoiled('unitFlip')[1]).toMatch(/^1782864000000000,.*,1782867599999999,/)
    const spot = '/data/spot/daily/klines/SOLUSDT/1h/SOLUSDT-1h-2026-07-01.zip'
    expect(spoiled('headerFlip', spot)[0]).toMatch(/^open_time/)
    expect(spoiled('unitFlip', spot)[0]).toMatch(/^1782864000000,.*,1782867599999,/)
    // Named by the other end: on 2026-06-25 the end that is right changed.
    const labels = (day: string) => {
      const metrics = `/data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-${day}.zip`
      return spoiled('labelFlip', metrics)
        .slice(1)
        .map((row) => row.slice(0, 19))
        .sort()
    }
    expect([labels('2026-06-24').at(0), labels('2026-06-24').at(-1)]).toEqual([
      '2026-06-24 00:00:00',
      '2026-06-24 23:55:00',
    ])
    expect([labels('2026-07-01').at(0), labels('2026-07-01').at(-1)]).toEqual([
      '2026-07-01 00:05:00',
      '2026-07-02 00:00:00',
    ])
  })

  test('rows of REST answers are spoiled the same way', () => {
    const right = JSON.parse(open().ask(klines).text) as unknown[][]
    const rows = (kind: FaultRule['kind']) => JSON.parse(open({ match: 'klines', kind }).ask(klines).text) as number[][]
    expect(rows('duplicateRows')).toHaveLength(23)
    expect(rows('missingRows')).toHaveLength(15)
    expect(rows('offGridRow').filter((row) => row[0]! % 3_600_000 !== 0)).toHaveLength(1)
    expect(rows('unitFlip')[0]![0]).toBe((right[0]![0] as number) * 1000)
  })
})

describe('bad carriage, over a real socket', () => {
  let server: RunningExchange
  afterEach(() => server.close())
  const body = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer())

  for (const kind of ['reset', 'resetInBody', 'truncated'] as const) {
    test(`${kind}: the client sees a failure, and the next try is whole`, async () => {
      server = await startExchange({ faults: { rules: [{ match: 'klines', kind, times: 1 }] } })
      await expect(body(server.url + zipPath)).rejects.toThrow()
      expect((await body(server.url + zipPath)).length).toBe(open().ask(zipPath).body.length)
    })
  }

  test('slow: it all arrives, in pieces', async () => {
    server = await startExchange({ faults: { rules: [{ match: 'ping', kind: 'slow' }] } })
    expect((await body(`${server.url}/fapi/v1/ping`)).toString()).toBe('{}')
  })
})
