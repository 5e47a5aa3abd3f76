import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { defaultEvents, defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { createExchange, type ExchangeOptions } from '../../../lib/sim/exchange/exchange.ts'
import { createMarket } from '../../../lib/sim/market.ts'
import { startExchange } from '../../../lib/sim/server.ts'
import { MINUTE_MS } from '../../../lib/time.ts'

const market = createMarket(defaultWorld)

function open(options: ExchangeOptions = {}) {
  const exchange = createExchange(market, options)
  const ask = (url: string) => {
    const { status, headers, body } = exchange.handle({ method: 'GET', url })
    const text = Buffer.from(body).toString()
    const isJson = headers['content-type']?.includes('json')
    return { status, headers, text, json: isJson ? JSON.parse(text) : undefined }
  }
  return { exchange, ask }
}

describe("errors are the venue's own", () => {
  const { ask } = open()
  const cases = [
    { url: '/fapi/v1/klines?interval=1m', code: -1102, says: 'no symbol' },
    { url: '/fapi/v1/klines?symbol=NOPE&interval=1m', code: -1121, says: 'a symbol nobody knows' },
    { url: '/fapi/v1/klines?symbol=BTCUSDT&interval=7m', code: -1120, says: 'an interval nobody has' },
    { url: '/fapi/v1/klines?symbol=BTCUSDT&interval=1s', code: -1120, says: 'seconds on futures' },
    { url: '/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1501', code: -1130, says: 'a limit over 1500' },
    { url: '/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1001', code: -1130, says: 'a spot limit over 1000' },
    { url: '/fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime=x', code: -1100, says: 'a time that is none' },
    {
      url: '/fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime=2&endTime=1',
      code: -1023,
      says: 'an end before its start',
    },
    {
      url: '/futures/data/openInterestHist?symbol=BTCUSDT&period=1h&startTime=1767225600000',
      code: -1130,
      says: 'statistics older than a month',
    },
    {
      url: '/fapi/v1/aggTrades?symbol=BTCUSDT&startTime=1785830430000&endTime=1785920430000',
      code: -1127,
      says: 'trades of more than an hour',
    },
  ]
  for (const { url, code, says } of cases) {
    test(says, () => expect(ask(url)).toMatchObject({ status: 400, json: { code } }))
  }
  test('times in seconds are accepted and find nothing', () => {
    expect(ask('/fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime=1767225600&endTime=1785920400')).toMatchObject({
      status: 200,
      json: [],
    })
  })
})

describe('candle ranges', () => {
  const { ask } = open()
  const times = (query: string) =>
    (ask(`/fapi/v1/klines?symbol=BTCUSDT&interval=1h&${query}`).json as number[][]).map((row) => row[0])
  const from = Date.UTC(2026, 2, 1)

  test('both ends are included, the oldest come first, and a start alone pages forward', () => {
    expect(times(`startTime=${from}&endTime=${from + 7_200_000}`)).toEqual([from, from + 3_600_000, from + 7_200_000])
    expect(times(`startTime=${from}&limit=2`)).toEqual([from, from + 3_600_000])
    expect(times(`startTime=${from + 1}&limit=1`)).toEqual([from + 3_600_000])
  })
  test('an end alone, or nothing, gives the newest', () => {
    expect(times(`endTime=${from}&limit=2`)).toEqual([from - 3_600_000, from])
    expect(times('limit=2').at(-1)).toBe(defaultEvents.nowTsMs - (defaultEvents.nowTsMs % 3_600_000))
  })
  test('before the listing there is nothing, and a start before it begins at it', () => {
    expect(ask(`/fapi/v1/klines?symbol=WIFUSDT&interval=1m&startTime=${from}&limit=1`).json[0][0]).toBe(
      defaultEvents.wifOnboardTsMs,
    )
    expect(ask('/fapi/v1/klines?symbol=NEWUSDT&interval=1m').json).toEqual([])
  })
  test('the newest rows are found across missing ones', () => {
    const rows = ask(`/fapi/v1/klines?symbol=XRPUSDT&interval=1m&limit=10&endTime=${defaultEvents.gapToTsMs}`)
      .json as number[][]
    expect(rows).toHaveLength(10)
    expect(rows[8]![0]).toBe(defaultEvents.gapFromTsMs - MINUTE_MS)
  })
})

describe('limits', () => {
  test('weights are the documented ones', () => {
    const cases = [
      ['/fapi/v1/klines?symbol=BTCUSDT&interval=1d&limit=99', 1],
      ['/fapi/v1/klines?symbol=BTCUSDT&interval=1d&limit=499', 2],
      ['/fapi/v1/klines?symbol=BTCUSDT&interval=1d', 5],
      ['/fapi/v1/klines?symbol=BTCUSDT&interval=1d&limit=1500', 10],
      ['/fapi/v1/ticker/24hr?symbol=BTCUSDT', 1],
      ['/fapi/v1/premiumIndex', 10],
      ['/fapi/v1/aggTrades?symbol=BTCUSDT&limit=1', 20],
      ['/api/v3/klines?symbol=BTCUSDT&interval=1d', 2],
    ] as const
    for (const [url, weight] of cases) {
      expect([url, open().ask(url).headers['x-mbx-used-weight-1m']]).toEqual([url, String(weight)])
    }
  })

  test('the header rises, 2400 is allowed, more is a 429, and the next minute starts anew', () => {
    let elapsedMs = 0
    const { ask, exchange } = open({ elapsedMs: () => elapsedMs })
    for (let i = 0; i < 120; i++) ask('/fapi/v1/aggTrades?symbol=BTCUSDT&limit=1')
    expect(exchange.tally).toMatchObject({ weight: 2400, refused: 0 })
    expect(ask('/fapi/v1/ping')).toMatchObject({ status: 429, json: { code: -1003 } })
    expect(ask('/api/v3/ping').status).toBe(200)
    expect(ask('/fapi/v1/fundingInfo').status).toBe(200)
    elapsedMs = 30_000 // the market's present is half past a minute
    expect(ask('/fapi/v1/ping').headers['x-mbx-used-weight-1m']).toBe('1')
  })

  test('whoever goes on after a 429 is banned, longer each time, and told until when', () => {
    let elapsedMs = 0
    const limits = { futures: { limit: 5, windowMs: MINUTE_MS } }
    const { ask } = open({ elapsedMs: () => elapsedMs, limits })
    const banEnd = () => {
      for (let i = 0; i < 40; i++) {
        const { status, json } = ask('/fapi/v1/ping')
        if (status === 418) return Number(/banned until (\d+)\./.exec(json.msg)![1])
      }
      throw new Error('never banned')
    }
    const first = banEnd()
    expect(first).toBe(defaultEvents.nowTsMs + 2 * MINUTE_MS)
    expect(ask('/fapi/v1/time').status).toBe(418)
    elapsedMs = first - defaultEvents.nowTsMs
    expect(ask('/fapi/v1/ping').status).toBe(200)
    expect(banEnd() - first).toBe(4 * MINUTE_MS)
  })

  test('funding and statistics have budgets of their own, and spot says how long to wait', () => {
    const limits = { funding: { limit: 1, windowMs: MINUTE_MS }, spot: { limit: 2, windowMs: MINUTE_MS } }
    const { ask } = open({ limits })
    expect(ask('/fapi/v1/fundingInfo').status).toBe(200)
    expect(ask('/fapi/v1/fundingInfo')).toMatchObject({ status: 429 })
    expect(ask('/fapi/v1/ping').status).toBe(200)
    ask('/api/v3/klines?symbol=BTCUSDT&interval=1d')
    expect(ask('/api/v3/ping')).toMatchObject({ status: 429, headers: { 'retry-after': '30' } })
  })
})

describe('the universe has its traps', () => {
  test('exchangeInfo shows what exists now, and more than perpetual coin contracts', () => {
    const { symbols } = open().ask('/fapi/v1/exchangeInfo').json as { symbols: Record<string, unknown>[] }
    const of = (name: string) => symbols.find(({ symbol }) => symbol === name)
    expect(of('LUNAUSDT')).toBeUndefined()
    expect(of('MATICUSDT')).toBeUndefined()
    expect(of('XAUUSDT')).toMatchObject({ contractType: 'TRADIFI_PERPETUAL', underlyingType: 'COMMODITY' })
    expect(of('BTCUSDT_260925')).toMatchObject({ contractType: 'CURRENT_QUARTER', pair: 'BTCUSDT' })
    expect(of('NEWUSDT')).toMatchObject({ contractType: '', status: 'PENDING_TRADING' })
    expect(of('BTCUSDT')).toMatchObject({ status: 'TRADING', pricePrecision: 2, deliveryDate: 4133404800000 })
    const perpetual = symbols.filter((one) => one['contractType'] === 'PERPETUAL' && one['underlyingType'] === 'COIN')
    expect(perpetual).toHaveLength(15)
  })
})

describe('aggregate trades', () => {
  const { ask } = open()
  test('page by id without a hole', () => {
    type Row = { a: number; f: number; l: number; T: number }
    const start = market.nowTsMs - 6 * 3_600_000
    const [first] = ask(`/fapi/v1/aggTrades?symbol=ETHUSDT&startTime=${start}&limit=1`).json as Row[]
    let rows: Row[] = []
    for (let fromId = first!.a; rows.length < 2500; fromId = rows.at(-1)!.a + 1) {
      rows = rows.concat(ask(`/fapi/v1/aggTrades?symbol=ETHUSDT&fromId=${fromId}&limit=1000`).json as Row[])
    }
    for (let i = 1; i < rows.length; i++) {
      expect(rows[i]!.a).toBe(rows[i - 1]!.a + 1)
      expect(rows[i]!.f).toBe(rows[i - 1]!.l + 1)
      expect(rows[i]!.T).toBeGreaterThanOrEqual(rows[i - 1]!.T)
    }
  })
  test('older than a day is not served on futures', () => {
    const rows = ask(`/fapi/v1/aggTrades?symbol=ETHUSDT&fromId=1&limit=1`).json as { T: number }[]
    expect(rows[0]!.T).toBeGreaterThanOrEqual(market.nowTsMs - 86_400_000)
  })
})

describe('an archive made in steps', () => {
  const month = '/data/futures/um/monthly/markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2026-06.zip'
  const steps = ({ exchange }: ReturnType<typeof open>, url: string) => [...exchange.prepare(url)].length

  test('is the same archive, and is made once', () => {
    const [prepared, asked] = [open(), open()]
    expect(steps(prepared, `${month}.CHECKSUM`)).toBe(30)
    expect(steps(prepared, month)).toBe(0)
    for (const url of [month, `${month}.CHECKSUM`]) expect(prepared.ask(url).text).toBe(asked.ask(url).text)
    expect(steps(asked, month)).toBe(0)
  })

  test('needs no step where there is none', () => {
    const exchange = open()
    for (const url of [month.replace('2026', '2036'), month.replace('BTC', 'NOPE'), '/nothing', '/?prefix=data/']) {
      expect(steps(exchange, url), url).toBe(0)
    }
    expect(steps(exchange, '/fapi/v1/klines?symbol=BTCUSDT&interval=1m')).toBe(0)
  })
})

describe('the archive bucket', () => {
  const { ask } = open()
  const keysOf = (xml: string) => [...xml.matchAll(/<Key>([^<]+)<\/Key>/g)].map((match) => match[1]!)
  const prefixesOf = (xml: string) => [...xml.matchAll(/<CommonPrefixes><Prefix>([^<]+)/g)].map((match) => match[1]!)

  test('folders list like S3, zips each followed by their checksum, dead symbols included', () => {
    expect(prefixesOf(ask('/?delimiter=/&prefix=data/futures/um/monthly/').text)).toEqual([
      'data/futures/um/monthly/aggTrades/',
      'data/futures/um/monthly/fundingRate/',
      'data/futures/um/monthly/indexPriceKlines/',
      'data/futures/um/monthly/klines/',
      'data/futures/um/monthly/markPriceKlines/',
      'data/futures/um/monthly/premiumIndexKlines/',
      'data/futures/um/monthly/trades/',
    ])
    const symbols = prefixesOf(ask('/data.binance.vision?delimiter=/&prefix=data/futures/um/monthly/klines/').text)
    expect(symbols).toContain('data/futures/um/monthly/klines/LUNAUSDT/')
    expect(symbols).toContain('data/futures/um/monthly/klines/MATICUSDT/')
    expect(symbols).not.toContain('data/futures/um/monthly/klines/NEWUSDT/')
    expect(symbols).toEqual([...symbols].sort())
    const keys = keysOf(ask('/?delimiter=/&prefix=data/futures/um/monthly/klines/WIFUSDT/1mo/').text)
    expect(keys.map((key) => key.split('/').at(-1))).toEqual([
      'WIFUSDT-1mo-2026-05.zip',
      'WIFUSDT-1mo-2026-05.zip.CHECKSUM',
      'WIFUSDT-1mo-2026-06.zip',
      'WIFUSDT-1mo-2026-06.zip.CHECKSUM',
      'WIFUSDT-1mo-2026-07.zip',
      'WIFUSDT-1mo-2026-07.zip.CHECKSUM',
    ])
  })

  for (const version of [1, 2] as const) {
    test(`paging by version ${version} gives the whole list, whatever the page`, () => {
      const prefix = 'data/futures/um/daily/klines/WIFUSDT/1'
      const listed = (maxKeys: number, delimiter: string) => {
        const found: string[] = []
        let next = ''
        for (;;) {
          const { text } = ask(
            `/?list-type=${version}&prefix=${prefix}&max-keys=${maxKeys}&delimiter=${delimiter}${next}`,
          )
          found.push(...prefixesOf(text), ...keysOf(text))
          if (!text.includes('<IsTruncated>true')) return found
          const token = /<NextContinuationToken>([^<]+)/.exec(text)?.[1]
          const marker = /<NextMarker>([^<]+)/.exec(text)?.[1] ?? found.at(-1)!
          next = version === 1 ? `&marker=${encodeURIComponent(marker)}` : `&continuation-token=${token}`
        }
      }
      const whole = listed(1000, '')
      expect(whole).toEqual([...new Set(whole)].sort())
      expect(listed(37, '')).toEqual(whole)
      expect(listed(2, '/')).toEqual([...new Set(whole.map((key) => `${key.split('/').slice(0, 7).join('/')}/`))])
    })
  }

  test('what is listed is there, matches its checksum, and what is not yet published is not', () => {
    const folder = 'data/futures/um/daily/klines/BTCUSDT/4h/'
    const keys = keysOf(ask(`/?prefix=${folder}`).text)
    expect(keys.at(-2)).toBe(`${folder}BTCUSDT-4h-2026-08-04.zip`)
    expect(ask(`/${folder}BTCUSDT-4h-2026-08-05.zip`).status).toBe(404)
    expect(ask('/data/futures/um/monthly/klines/BTCUSDT/4h/BTCUSDT-4h-2026-07.zip').status).toBe(200)
    expect(ask('/data/futures/um/monthly/klines/BTCUSDT/4h/BTCUSDT-4h-2026-08.zip').status).toBe(404)
    const exchange = createExchange(market)
    const zip = exchange.handle({ method: 'GET', url: `/${keys.at(-2)}` }).body
    expect(ask(`/${keys.at(-1)}`).text).toBe(
      `${createHash('sha256').update(zip).digest('hex')}  BTCUSDT-4h-2026-08-04.zip\n`,
    )
  })

  test('time moves on when told to, and new files appear', () => {
    const { exchange, ask: askIt } = open()
    exchange.advanceTo(defaultEvents.nowTsMs + 86_400_000)
    expect(askIt('/data/futures/um/daily/klines/BTCUSDT/4h/BTCUSDT-4h-2026-08-05.zip').status).toBe(200)
    expect(askIt('/fapi/v1/time').json).toEqual({ serverTime: defaultEvents.nowTsMs + 86_400_000 })
  })
})

test('the server speaks over sockets, keeps its own date, and closes', async () => {
  const server = await startExchange()
  const answer = await fetch(`${server.url}/fapi/v1/klines?symbol=BTCUSDT&interval=1d&limit=2`)
  expect(answer.headers.get('date')).toMatch(/^Wed, 05 Aug 2026 09:00:/)
  expect(await answer.json()).toHaveLength(2)
  const head = await fetch(`${server.url}/data/futures/um/monthly/klines/BTCUSDT/1d/BTCUSDT-1d-2026-07.zip`, {
    method: 'HEAD',
  })
  expect(Number(head.headers.get('content-length'))).toBeGreaterThan(500)
  await server.close()
  await expect(fetch(`${server.url}/fapi/v1/ping`)).rejects.toThrow()
})
