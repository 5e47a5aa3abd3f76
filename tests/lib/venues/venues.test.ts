import { describe, expect, test } from 'vitest'
import { archiveKey } from '../../../lib/venues/archiveKeys.ts'
import { parseChecksum } from '../../../lib/venues/checksumFile.ts'
import { parseExchangeInfo } from '../../../lib/venues/exchangeInfo.ts'
import { baseUrlOf, hostVariables } from '../../../lib/venues/hosts.ts'
import { parseListing } from '../../../lib/venues/listing.ts'
import { barsRequest } from '../../../lib/venues/usdm.ts'

describe('archiveKey', () => {
  const cases = [
    [
      { market: 'usdm', kind: 'klines', symbol: 'BTCUSDT', interval: '1m', period: '2024-01' },
      'data/futures/um/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-01.zip',
    ],
    [
      { market: 'usdm', kind: 'markPriceKlines', symbol: 'BTCUSDT', interval: '1M', period: '2024-01' },
      'data/futures/um/monthly/markPriceKlines/BTCUSDT/1mo/BTCUSDT-1mo-2024-01.zip',
    ],
    [
      { market: 'spot', kind: 'trades', symbol: 'BTCUSDT', period: '2024-01-02' },
      'data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2024-01-02.zip',
    ],
    [
      { market: 'usdm', kind: 'fundingRate', symbol: 'BTCUSDT', period: '2024-01' },
      'data/futures/um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2024-01.zip',
    ],
    [
      { market: 'usdm', kind: 'metrics', symbol: 'BTCUSDT', period: '2024-01-02' },
      'data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2024-01-02.zip',
    ],
  ] as const
  for (const [file, key] of cases) test(key, () => expect(archiveKey(file)).toBe(key))
})

describe('parseChecksum', () => {
  const sha = 'a0'.repeat(32)
  test('reads the line sha256sum writes, with or without its end', () => {
    expect(parseChecksum(Buffer.from(`${sha}  X-1m-2024-01.zip\n`))).toEqual({ sha256: sha, name: 'X-1m-2024-01.zip' })
    expect(parseChecksum(Buffer.from(`${sha.toUpperCase()}  X.zip`))?.sha256).toBe(sha)
  })
  test('knows contracts whose names are not of Latin letters', () => {
    const name = '币安人生USDT-1h-2026-05.zip'
    expect(parseChecksum(Buffer.from(`${sha}  ${name}\n`))).toEqual({ sha256: sha, name })
  })
  test('is undefined for anything else', () => {
    for (const text of [
      '',
      '<html>',
      `${sha.slice(1)}  X.zip\n`,
      `${sha}  X.zip\n${sha}  Y.zip\n`,
      `${sha}  ../X.zip\n`,
    ]) {
      expect(parseChecksum(Buffer.from(text)), text).toBeUndefined()
    }
  })
})

describe('parseListing', () => {
  const page = (inner: string) =>
    Buffer.from(`<?xml version="1.0"?><ListBucketResult xmlns="x"><Name>n</Name>${inner}</ListBucketResult>`)
  test('reads keys, folders and where to go on', () => {
    const { keys, folders, next } = parseListing(
      page(
        '<IsTruncated>true</IsTruncated><NextMarker>data/b&amp;c/</NextMarker><Contents><Key>data/a.zip</Key><LastModified>2024-01-02T02:14:09.000Z</LastModified><ETag>&quot;0123&quot;</ETag><Size>11000</Size></Contents><CommonPrefixes><Prefix>data/b&amp;c/</Prefix></CommonPrefixes>',
      ),
    )
    expect(keys).toEqual([
      { key: 'data/a.zip', sizeBytes: 11000, lastModified: '2024-01-02T02:14:09.000Z', etag: '0123' },
    ])
    expect(folders).toEqual(['data/b&c/'])
    expect(next).toBe('data/b&c/')
  })
  test('without a marker the last name is the marker', () => {
    expect(
      parseListing(
        page('<IsTruncated>true</IsTruncated><Contents><Key>k1</Key></Contents><Contents><Key>k2</Key></Contents>'),
      ).next,
    ).toBe('k2')
    expect(parseListing(page('<IsTruncated>false</IsTruncated>')).next).toBeUndefined()
  })
  test('refuses what is no listing', () => {
    expect(() => parseListing(Buffer.from('<Error><Code>AccessDenied</Code></Error>'))).toThrow('not a listing')
  })
})

describe('parseExchangeInfo', () => {
  const entry = (over: object) => ({
    symbol: 'AUSDT',
    contractType: 'PERPETUAL',
    status: 'TRADING',
    underlyingType: 'COIN',
    quoteAsset: 'USDT',
    onboardDate: 1,
    deliveryDate: 4133404800000,
    filters: [
      { filterType: 'PRICE_FILTER', tickSize: '0.10' },
      { filterType: 'LOT_SIZE', stepSize: '1' },
      { filterType: 'MIN_NOTIONAL', notional: '5.0' },
      { filterType: 'NEVER_SEEN', x: [1] },
    ],
    ...over,
  })
  const parse = (...symbols: object[]) => parseExchangeInfo(Buffer.from(JSON.stringify({ symbols })))
  const traps: [object, RegExp][] = [
    [{ contractType: 'TRADIFI_PERPETUAL' }, /TRADIFI/],
    [{ contractType: '' }, /empty/],
    [{ contractType: 'CURRENT_QUARTER DELIVERING' }, /DELIVERING/],
    [{ underlyingType: 'EQUITY' }, /EQUITY/],
    [{ quoteAsset: 'USD1' }, /USD1/],
    [{ status: 'SETTLING' }, /SETTLING/],
    [{ status: 'NEVER_SEEN' }, /NEVER_SEEN/],
  ]
  for (const [over, why] of traps) {
    test(`${JSON.stringify(over)} is not tradable, and says why`, () => {
      const { tradable, rejected } = parse(entry(over))
      expect(tradable).toEqual([])
      expect(rejected[0]!.reason).toMatch(why)
    })
  }
  test('takes rules from the filters, not from precisions, and knows no end where none is announced', () => {
    expect(parse(entry({ pricePrecision: 5 })).tradable[0]).toEqual({
      symbol: 'AUSDT',
      tickSize: '0.10',
      stepSize: '1',
      minNotional: '5.0',
      onboardTsMs: 1,
    })
    expect(parse(entry({ deliveryDate: 99 })).tradable[0]).toMatchObject({ deliveryTsMs: 99 })
  })
})

test("a base URL comes from the config, else from the environment, else it is the venue's own", () => {
  const env = { [hostVariables.usdm]: 'http://mirror/' }
  expect(baseUrlOf('usdm', { usdm: 'http://mine' }, env)).toBe('http://mine')
  expect(baseUrlOf('usdm', undefined, env)).toBe('http://mirror')
  expect(baseUrlOf('archive', undefined, env)).toBe('https://data.binance.vision')
})

test('index prices are asked for by pair, and a page of 499 bars weighs two', () => {
  const query = { symbol: 'BTCUSDT', fromTsMs: 1, toTsMs: 2, limit: 499 }
  expect(barsRequest('indexPriceKlines', '1m', query)).toMatchObject({
    path: '/fapi/v1/indexPriceKlines?pair=BTCUSDT&interval=1m&startTime=1&endTime=2&limit=499',
    budget: { weight: 2 },
  })
  expect([99, 100, 1000, 1500].map((limit) => barsRequest('klines', '1m', { ...query, limit }).budget!.weight)).toEqual(
    [1, 2, 5, 10],
  )
})
