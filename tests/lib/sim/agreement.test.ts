import { inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseScaledBig } from '../../../lib/decimal.ts'
import { csvPieces } from '../../../lib/sim/archive/csv.ts'
import { parseKey } from '../../../lib/sim/archive/keys.ts'
import { zipOf } from '../../../lib/sim/archive/zip.ts'
import { defaultEvents, defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { handleRequest } from '../../../lib/sim/exchange/exchange.ts'
import { createMarket, marketAt } from '../../../lib/sim/market.ts'
import { DAY_MS, dayOf, HOUR_MS, intervals, MINUTE_MS, nextOpen, openOf } from '../../../lib/time.ts'

const market = createMarket(defaultWorld)
type Row = [number, string, string, string, string, string, number, string, number, string, string, string]

function get<T>(url: string, from = market): T {
  const { status, body } = handleRequest(from, { method: 'GET', url })
  const value = JSON.parse(Buffer.from(body).toString()) as T
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(value)}`)
  return value
}

function archive(key: string): string[] {
  const file = parseKey(key)!
  const zip = zipOf('x.csv', csvPieces(market, market.find(file.market, file.symbol)!, file))
  const start = 30 + 'x.csv'.length
  const text = inflateRawSync(zip.subarray(start)).toString()
  return text.split('\n').filter((line) => /^-?\d/.test(line))
}

const num = (text: string) => parseScaledBig(text, 16)!
const sum = (rows: Row[], at: 5 | 7 | 9 | 10) => rows.reduce((total, row) => total + num(row[at]), 0n)

const ascending = (a: bigint, b: bigint) => (a < b ? -1 : 1)

const symbols = ['BTCUSDT', 'XRPUSDT', '1000PEPEUSDT', 'BTCUSDT_260925', 'WIFUSDT', 'DOTUSDT'] as const

describe('every way to ask gives the same numbers', () => {
  test('a coarse candle is its minutes, to the last digit', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...symbols),
        fc.constantFrom(...intervals.filter((one) => one !== '1s' && one !== '1M')),
        fc.integer({ min: defaultEvents.startTsMs, max: defaultEvents.nowTsMs }),
        (symbol, interval, tsMs) => {
          const open = openOf(tsMs, interval)
          const end = nextOpen(open, interval) - 1
          const [coarse] = get<Row[]>(
            `/fapi/v1/klines?symbol=${symbol}&interval=${interval}&startTime=${open}&endTime=${open}`,
          )
          const minutes: Row[] = []
          for (let from = open; from <= end; from += 1500 * MINUTE_MS) {
            const to = Math.min(end, from + 1500 * MINUTE_MS - 1)
            minutes.push(
              ...get<Row[]>(`/fapi/v1/klines?symbol=${symbol}&interval=1m&startTime=${from}&endTime=${to}&limit=1500`),
            )
          }
          if (coarse === undefined) {
            expect(minutes).toEqual([])
            return
          }
          expect(coarse[0]).toBe(open)
          expect(coarse[6]).toBe(end)
          expect([coarse[1], coarse[4]]).toEqual([minutes[0]![1], minutes.at(-1)![4]])
          expect(num(coarse[2])).toBe(
            minutes
              .map((row) => num(row[2]))
              .sort(ascending)
              .at(-1),
          )
          expect(num(coarse[3])).toBe(minutes.map((row) => num(row[3])).sort(ascending)[0])
          expect(coarse[8]).toBe(minutes.reduce((total, row) => total + row[8], 0))
          for (const at of [5, 7, 9, 10] as const) expect(num(coarse[at])).toBe(sum(minutes, at))
        },
      ),
      { numRuns: 40 },
    )
  })

  test('archive rows are the REST rows, for trades, mark, index and premium', () => {
    for (const [kind, path, name] of [
      ['klines', 'klines', 'symbol'],
      ['markPriceKlines', 'markPriceKlines', 'symbol'],
      ['indexPriceKlines', 'indexPriceKlines', 'pair'],
      ['premiumIndexKlines', 'premiumIndexKlines', 'symbol'],
    ] as const) {
      const from = openOf(defaultEvents.outageFromTsMs, '1d')
      const rest = get<Row[]>(
        `/fapi/v1/${path}?${name}=ETHUSDT&interval=5m&startTime=${from}&endTime=${from + DAY_MS - 1}`,
      )
      const rows = archive(`data/futures/um/daily/${kind}/ETHUSDT/5m/ETHUSDT-5m-${dayOf(from)}.zip`)
      expect(rows).toEqual(rest.map((row) => row.join(',')))
      expect(rows).toHaveLength(288)
    }
  })

  test('a monthly archive is its daily ones, and spot says microseconds', () => {
    for (const stem of [
      'data/futures/um/X/klines/LUNAUSDT/15m/LUNAUSDT-15m-',
      'data/spot/X/klines/SOLUSDT/15m/SOLUSDT-15m-',
    ]) {
      const month = archive(`${stem.replace('X', 'monthly')}2026-06.zip`)
      const days = Array.from({ length: stem.includes('LUNA') ? 27 : 30 }, (_, i) =>
        archive(`${stem.replace('X', 'daily')}2026-06-${String(i + 1).padStart(2, '0')}.zip`),
      )
      expect(days.flat()).toEqual(month)
      expect(month[0]!.split(',')[0]).toHaveLength(stem.includes('spot') ? 16 : 13)
    }
  })

  test('trades in the archive build the minute bars, and taker orders cover the trades', () => {
    const day = '2026-07-14'
    const trades = archive(`data/futures/um/daily/trades/DOTUSDT/DOTUSDT-trades-${day}.zip`).map((row) =>
      row.split(','),
    )
    const orders = archive(`data/futures/um/daily/aggTrades/DOTUSDT/DOTUSDT-aggTrades-${day}.zip`).map((row) =>
      row.split(','),
    )
    const [kline] = archive(`data/futures/um/daily/klines/DOTUSDT/1d/DOTUSDT-1d-${day}.zip`).map((row) =>
      row.split(','),
    )
    expect(trades.length).toBe(Number(kline![8]))
    expect(trades.reduce((total, row) => total + num(row[3]!), 0n)).toBe(num(kline![7]!))
    expect(orders.reduce((total, row) => total + num(row[2]!), 0n)).toBe(num(kline![5]!))
    expect(trades[0]![1]).toBe(kline![1])
    let next = Number(trades[0]![0])
    let id = Number(orders[0]![0])
    for (const [agg, , , first, last] of orders) {
      expect(Number(agg)).toBe(id++)
      expect(Number(first)).toBe(next)
      next = Number(last) + 1
    }
    expect(next).toBe(Number(trades.at(-1)![0]) + 1)
    // Ids go on from day to day.
    const [following] = archive('data/futures/um/daily/aggTrades/DOTUSDT/DOTUSDT-aggTrades-2026-07-15.zip')
    expect(Number(following!.split(',')[0])).toBe(id)
    expect(Number(following!.split(',')[3])).toBe(next)
  })

  test('second bars of a coin pair add up to its minutes', () => {
    const from = defaultEvents.outageFromTsMs
    const seconds = get<Row[]>(
      `/api/v3/klines?symbol=SOLUSDT&interval=1s&startTime=${from}&endTime=${from + 10 * MINUTE_MS - 1}&limit=1000`,
    )
    const minutes = get<Row[]>(
      `/api/v3/klines?symbol=SOLUSDT&interval=1m&startTime=${from}&endTime=${from + 10 * MINUTE_MS - 1}`,
    )
    expect(seconds).toHaveLength(600)
    for (const at of [5, 7, 9, 10] as const) expect(sum(seconds, at)).toBe(sum(minutes, at))
    expect(seconds.at(-1)![4]).toBe(minutes.at(-1)![4])
  })

  test('the ticker is the last 1,440 minutes', () => {
    const ticker = get<Record<string, string | number>>('/fapi/v1/ticker/24hr?symbol=LTCUSDT')
    const minutes = get<Row[]>(`/fapi/v1/klines?symbol=LTCUSDT&interval=1m&startTime=${ticker['openTime']}&limit=1500`)
    expect(minutes).toHaveLength(1440)
    expect(num(ticker['quoteVolume'] as string)).toBe(sum(minutes, 7))
    expect(ticker['count']).toBe(minutes.reduce((total, row) => total + row[8], 0))
    expect(ticker['lastPrice']).toBe(minutes.at(-1)![4])
    const [last] = get<{ l: number; p: string }[]>('/fapi/v1/aggTrades?symbol=LTCUSDT&limit=1')
    expect([last!.l, last!.p]).toEqual([ticker['lastId'], ticker['lastPrice']])
  })

  test('funding follows from the premium klines by the published rule', () => {
    const due = Date.UTC(2026, 6, 10, 16)
    const [row] = get<{ fundingRate: string; fundingTime: number; markPrice: string }[]>(
      `/fapi/v1/fundingRate?symbol=SOLUSDT&startTime=${due}&endTime=${due + 100}`,
    )
    const samples = get<Row[]>(
      `/fapi/v1/premiumIndexKlines?symbol=SOLUSDT&interval=1m&startTime=${due - 8 * HOUR_MS}&endTime=${due - 1}&limit=1500`,
    )
    expect(samples).toHaveLength(480)
    const weights = (480 * 481) / 2
    const premium = samples.reduce((total, sample, i) => total + (i + 1) * Number(sample[4]), 0) / weights
    const rate = premium + Math.max(-0.0005, Math.min(0.0005, 0.0001 - premium))
    expect(Number(row!.fundingRate)).toBeCloseTo(rate, 7)
    expect(row!.fundingTime - due).toBeLessThanOrEqual(29)
    const [mark] = get<Row[]>(`/fapi/v1/markPriceKlines?symbol=SOLUSDT&interval=1m&startTime=${due}&limit=1`)
    expect(row!.markPrice).toBe(mark![1])
    const file = archive('data/futures/um/monthly/fundingRate/SOLUSDT/SOLUSDT-fundingRate-2026-07.zip')
    expect(file).toContain(`${row!.fundingTime},8,${row!.fundingRate}`)
  })

  test('metrics files hold what the statistics endpoints say, under the label of their time', () => {
    const at = Date.UTC(2026, 6, 20, 10, 5) // the end of five minutes whose row is named 10:00 by then
    const [interest] = get<Record<string, string>[]>(
      `/futures/data/openInterestHist?symbol=BTCUSDT&period=5m&startTime=${at}&limit=1`,
    )
    const rows = [
      ...csvPieces(
        market,
        market.find('usdm', 'BTCUSDT')!,
        parseKey('data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2026-07-20.zip')!,
      ),
    ]
    const lines = Buffer.concat(rows.map(({ bytes }) => bytes))
      .toString()
      .trim()
      .split('\n')
    expect(lines).toHaveLength(289)
    const line = lines.find((one) => one.startsWith('2026-07-20 10:00:00'))!
    expect(line.split(',').slice(2, 4)).toEqual([interest!['sumOpenInterest'], interest!['sumOpenInterestValue']])
    expect([...lines.slice(1)].sort()).not.toEqual(lines.slice(1))
  })
})

describe('a market is the same however much of it is looked at', () => {
  test('a day made alone is that day in a range', () => {
    fc.assert(
      fc.property(fc.constantFrom(...symbols), fc.integer({ min: 90, max: 216 }), (symbol, d) => {
        const fresh = createMarket(defaultWorld)
        const from = fresh.dayStartTsMs(d)
        const url = `/fapi/v1/klines?symbol=${symbol}&interval=1m&startTime=${from}&limit=1440`
        const alone = get<Row[]>(url, fresh)
        get(`/fapi/v1/klines?symbol=${symbol}&interval=1h&startTime=${from - 3 * DAY_MS}&limit=100`)
        expect(get<Row[]>(url)).toEqual(alone)
      }),
      { numRuns: 8 },
    )
  })

  test('mark, index and premium open where they closed, across midnight too', () => {
    const midnight = Date.UTC(2026, 6, 3)
    for (const path of ['markPriceKlines?symbol', 'indexPriceKlines?pair', 'premiumIndexKlines?symbol']) {
      const rows = get<Row[]>(`/fapi/v1/${path}=ETHUSDT&interval=1m&startTime=${midnight - 5 * MINUTE_MS}&limit=10`)
      expect(rows.slice(1).map((row) => row[1])).toEqual(rows.slice(0, -1).map((row) => row[4]))
      for (const [, open, high, low, close] of rows) {
        expect(num(high)).toBeGreaterThanOrEqual(num(open))
        expect(num(low)).toBeLessThanOrEqual(num(close))
      }
    }
  })

  test('a later present changes nothing that was known', () => {
    const earlier = marketAt(market, defaultEvents.nowTsMs - 40 * DAY_MS)
    const to = openOf(earlier.nowTsMs, '1m') - 1
    for (const path of [
      `klines?symbol=BTCUSDT&interval=1m&limit=600&endTime=${to}`,
      `klines?symbol=BTCUSDT&interval=1d&limit=100&endTime=${to - DAY_MS}`,
      `markPriceKlines?symbol=ETHUSDT&interval=1h&limit=100&endTime=${to - HOUR_MS}`,
      `fundingRate?symbol=SOLUSDT&startTime=${to - 20 * DAY_MS}&endTime=${to}`,
    ]) {
      expect(get(`/fapi/v1/${path}`, earlier)).toEqual(get(`/fapi/v1/${path}`))
    }
  })

  test('another symbol in the world leaves the others alone', () => {
    const fewer = createMarket({
      ...defaultWorld,
      instruments: defaultWorld.instruments.filter(({ symbol }) => symbol === 'ETHUSDT'),
      assets: defaultWorld.assets.filter(({ name }) => name === 'ETH'),
    })
    const url = '/fapi/v1/klines?symbol=ETHUSDT&interval=5m&limit=300'
    expect(get(url, fewer)).toEqual(get(url))
  })
})

describe('the events of the default world', () => {
  test('an outage is flat minutes with count 0, a gap is rows that are not there', () => {
    const { outageFromTsMs, outageToTsMs, gapFromTsMs, gapToTsMs } = defaultEvents
    const outage = get<Row[]>(
      `/fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime=${outageFromTsMs - MINUTE_MS}&endTime=${outageToTsMs - 1}`,
    )
    expect(outage).toHaveLength(44)
    expect(new Set(outage.slice(1).map((row) => `${row[1]} ${row[2]} ${row[3]} ${row[4]} ${row[8]}`))).toEqual(
      new Set([`${outage[0]![4]} ${outage[0]![4]} ${outage[0]![4]} ${outage[0]![4]} 0`]),
    )
    const gap = get<Row[]>(
      `/fapi/v1/klines?symbol=XRPUSDT&interval=1m&startTime=${gapFromTsMs - MINUTE_MS}&endTime=${gapToTsMs}`,
    )
    expect(gap.map((row) => row[0])).toEqual([gapFromTsMs - MINUTE_MS, gapToTsMs])
    expect(archive('data/futures/um/daily/klines/XRPUSDT/1m/XRPUSDT-1m-2026-07-07.zip')).toHaveLength(1440 - 150)
    expect(archive('data/futures/um/daily/markPriceKlines/XRPUSDT/1m/XRPUSDT-1m-2026-07-07.zip')).toHaveLength(1440)
  })

  test('a delisted contract freezes, then its rows end, and only the archive remembers it', () => {
    const rows = archive('data/futures/um/monthly/klines/LUNAUSDT/1h/LUNAUSDT-1h-2026-06.zip').map((row) =>
      row.split(','),
    )
    expect(rows).toHaveLength(27 * 24)
    const end = rows.findIndex((row) => Number(row[0]) >= defaultEvents.lunaDelistTsMs)
    expect(new Set(rows.slice(end).map((row) => `${row[1]} ${row[4]} ${row[8]}`)).size).toBe(1)
    expect(rows[end]![8]).toBe('0')
    expect(rows[end - 1]![8]).not.toBe('0')
    expect(rows[end]![1]).toBe(rows[end - 1]![4])
    expect(() => get('/fapi/v1/klines?symbol=LUNAUSDT&interval=1h')).toThrow('-1121')
    const then = marketAt(market, defaultEvents.lunaDelistTsMs + HOUR_MS)
    const info = get<{ symbols: { symbol: string; status: string; deliveryDate: number }[] }>(
      '/fapi/v1/exchangeInfo',
      then,
    )
    expect(info.symbols.find(({ symbol }) => symbol === 'LUNAUSDT')).toMatchObject({
      status: 'SETTLING',
      deliveryDate: defaultEvents.lunaDelistTsMs,
    })
    const funding = archive('data/futures/um/monthly/fundingRate/LUNAUSDT/LUNAUSDT-fundingRate-2026-06.zip')
    expect(Number(funding.at(-1)!.split(',')[0])).toBeLessThan(defaultEvents.lunaDelistTsMs)
  })

  test('funding goes from eight hours to four', () => {
    const { pepeFundingChangeTsMs } = defaultEvents
    const rows = get<{ fundingTime: number }[]>(
      `/fapi/v1/fundingRate?symbol=1000PEPEUSDT&startTime=${pepeFundingChangeTsMs - DAY_MS}&endTime=${pepeFundingChangeTsMs + DAY_MS + 100}`,
    )
    const hours = rows.map((row) => Math.floor(row.fundingTime / HOUR_MS))
    expect(hours.slice(1).map((hour, i) => hour - hours[i]!)).toEqual([8, 8, 8, 4, 4, 4, 4, 4, 4])
    expect(get<{ symbol: string; fundingIntervalHours: number }[]>('/fapi/v1/fundingInfo')).toMatchObject([
      { symbol: '1000PEPEUSDT', fundingIntervalHours: 4 },
    ])
  })

  test('a renamed coin goes on under its new symbol where the old one stopped', () => {
    const old = archive('data/futures/um/monthly/klines/MATICUSDT/1m/MATICUSDT-1m-2026-05.zip').at(-1)!.split(',')
    const next = archive('data/futures/um/monthly/klines/POLUSDT/1m/POLUSDT-1m-2026-05.zip')[0]!.split(',')
    expect(Number(old[6]) + 1).toBe(defaultEvents.renameFromTsMs)
    expect(Number(next[0])).toBe(defaultEvents.renameToTsMs)
    expect(Math.abs(Number(next[1]) / Number(old[4]) - 1)).toBeLessThan(0.05)
  })

  test('the last candle is still open, and made of the trades so far', () => {
    const [open] = get<Row[]>('/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1')
    expect(open![6]).toBeGreaterThan(market.nowTsMs)
    const trades = get<{ q: string; T: number }[]>(`/fapi/v1/aggTrades?symbol=BTCUSDT&startTime=${open![0]}&limit=1000`)
    expect(trades.every(({ T }) => T < market.nowTsMs)).toBe(true)
    expect(trades.reduce((total, { q }) => total + num(q), 0n)).toBe(num(open![5]))
  })
})
