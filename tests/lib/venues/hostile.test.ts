import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Fault } from '../../../lib/fault.ts'
import { defaultHttpPolicy } from '../../../lib/http/policy.ts'
import type { PlannedSlice } from '../../../lib/market/plan/partitions.ts'
import { HOUR_MS } from '../../../lib/time.ts'
import { nextAggTrades } from '../../../lib/venues/aggTradePages.ts'
import { fetchArchiveFile, fetchListing } from '../../../lib/venues/archive.ts'
import { configureHttp } from '../../../lib/venues/ask.ts'
import { askPages, askSlice } from '../../../lib/venues/askSlice.ts'
import { parseListing } from '../../../lib/venues/listing.ts'
import { aggTradesRequest, barsRequest, fundingRateRequest } from '../../../lib/venues/usdm.ts'

const closers: (() => void)[] = []
beforeAll(() => configureHttp({ ...defaultHttpPolicy, backoffMsMin: 1, backoffMsMax: 2, attemptsMax: 3 }))
afterAll(() => configureHttp(defaultHttpPolicy))
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A venue that answers every path in its own way. */
async function venue(answer: (path: string, asked: number) => string | Buffer | { status: number }) {
  let asked = 0
  const server = createServer((request, response) => {
    const said = answer(decodeURIComponent(request.url!), asked++)
    if (typeof said === 'string' || Buffer.isBuffer(said)) response.end(said)
    else response.writeHead(said.status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const choice = { venue: 'binance', baseUrls: { usdm: url, spot: url, archive: url, listing: url } } as const
  return { choice, asked: () => asked, url }
}

/** Ends a test that would else go on for ever. */
function context(requestsMax = 200) {
  const stop = new AbortController()
  let requests = 0
  const files = new Map<string, Uint8Array[]>()
  const notes: Readonly<Record<string, unknown>>[] = []
  return {
    signal: stop.signal,
    notes,
    note: (fact: Readonly<Record<string, unknown>>) => void notes.push(fact),
    progress: ({ requests: more = 0 }: { requests?: number }) => {
      requests += more
      if (requests > requestsMax) stop.abort(new Error('it asks for ever'))
    },
    openFile: (name: string) => {
      const chunks: Uint8Array[] = []
      return {
        write: (chunk: Uint8Array) => void chunks.push(Uint8Array.from(chunk)),
        finish: () => void files.set(name, chunks),
      }
    },
    files,
  }
}

const faultOf = async (promise: Promise<unknown>): Promise<Fault> => {
  const error = await promise.then(
    (made) => made,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Fault)
  return error as Fault
}

const listing = (inner: string, end = '</ListBucketResult>') =>
  `<?xml version="1.0"?><ListBucketResult xmlns="x"><Name>n</Name>${inner}${end}`
const prefix = 'data/futures/um/monthly/klines/'
const folder = (symbol: string) => `<CommonPrefixes><Prefix>${prefix}${symbol}/</Prefix></CommonPrefixes>`

describe('a listing', () => {
  test.each(['AAA', `${prefix}BTCUSDT/`])(
    'whose marker stays at %s is refused, and not asked for ever',
    async (marker) => {
      const { choice, asked, url } = await venue(() =>
        listing(`<IsTruncated>true</IsTruncated><NextMarker>${marker}</NextMarker>${folder('BTCUSDT')}`),
      )
      const fault = await faultOf(fetchListing(choice, prefix, context()))
      expect(fault.what).toMatch(/does not move on/)
      expect(fault.what).toContain(marker)
      expect(fault.where).toContain(url)
      expect(asked()).toBeLessThan(4)
    },
  )

  test('whose markers go back and forth is refused', async () => {
    const { choice, asked } = await venue((_, n) =>
      listing(`<IsTruncated>true</IsTruncated><NextMarker>${'BAC'[n % 3]}</NextMarker>${folder('BTCUSDT')}`),
    )
    expect((await faultOf(fetchListing(choice, prefix, context()))).what).toMatch(/does not move on/)
    expect(asked()).toBe(2)
  })

  test('that is cut is asked for again, and never a smaller universe', async () => {
    const whole = listing(`<IsTruncated>false</IsTruncated>${folder('BTCUSDT')}${folder('ETHUSDT')}`)
    const { choice, asked } = await venue((_, n) => (n === 0 ? whole.slice(0, whole.indexOf('ETH')) : whole))
    const pages = await fetchListing(choice, prefix, context())
    expect(parseListing(pages[0]!.bytes).folders.length).toBe(2)
    expect(asked()).toBe(2)
    const always = await venue(() => whole.slice(0, -30))
    expect((await faultOf(fetchListing(always.choice, prefix, context()))).what).toMatch(/cut off.*in each of 3 tries/)
  })

  const refused: [string, string][] = [
    ['that ends early', listing('<IsTruncated>false</IsTruncated>', '')],
    ['that goes on and does not say where', listing('<IsTruncated>true</IsTruncated>')],
    ['that says True and not where', listing('<IsTruncated>True</IsTruncated>')],
    ['that neither ends nor goes on', listing('<IsTruncated>maybe</IsTruncated>')],
    ['whose entry has no key', listing('<IsTruncated>false</IsTruncated><Contents><Size>1</Size></Contents>')],
    ['whose entry is not closed', listing('<IsTruncated>false</IsTruncated><Contents><Key>a</Key>')],
    ['whose folder has no name', listing('<IsTruncated>false</IsTruncated><CommonPrefixes></CommonPrefixes>')],
    [
      'with a character that is none',
      listing('<IsTruncated>false</IsTruncated><Contents><Key>&#1114112;</Key></Contents>'),
    ],
    ['with half a surrogate', listing('<IsTruncated>false</IsTruncated><Contents><Key>&#xD800;</Key></Contents>')],
    ['with tags within a key', listing('<IsTruncated>false</IsTruncated><Contents><Key><b>a</b></Key></Contents>')],
    ['with a comment', listing('<IsTruncated>false</IsTruncated><!-- <Contents><Key>a</Key></Contents> -->')],
  ]
  test.each(refused)('%s is refused in words', (_, xml) => {
    expect(() => parseListing(Buffer.from(xml))).toThrow(Fault)
  })

  test('may write True, attributes and CDATA, and is read', () => {
    const { keys, folders, next } = parseListing(
      Buffer.from(
        listing(
          `<IsTruncated>True</IsTruncated><NextMarker>z&#x4e2d;</NextMarker><Contents a="1"><Key xml:space="preserve">a.zip</Key><Size>3</Size></Contents><Contents><Key><![CDATA[b&c.zip]]></Key></Contents><CommonPrefixes><Prefix x='1'>p/</Prefix></CommonPrefixes>`,
          '</ListBucketResult>\n',
        ),
      ),
    )
    expect(keys.map(({ key }) => key)).toEqual(['a.zip', 'b&c.zip'])
    expect([folders, next]).toEqual([['p/'], 'z中'])
  })
})

const fromTsMs = 1_780_000_000_000 - (1_780_000_000_000 % HOUR_MS)
const slice: PlannedSlice = { key: 'k', id: 'i', fromTsMs, toTsMs: fromTsMs + HOUR_MS - 1, limit: 3 }

describe('pages of the API', () => {
  const trades = (first: number) =>
    JSON.stringify([0, 1, 2].map((i) => ({ a: first + i, p: '1', q: '1', f: 1, l: 1, T: fromTsMs + i, m: false })))
  const ask = (choice: Awaited<ReturnType<typeof venue>>['choice']) =>
    askPages(choice, slice, 'BTCUSDT', context(), aggTradesRequest, nextAggTrades(aggTradesRequest))

  test('of trades that are the same page again and again are refused', async () => {
    const { choice, asked, url } = await venue(() => trades(1000))
    const fault = await faultOf(ask(choice))
    expect(fault.what).toMatch(/id 1000.*from id 1003 on|from id 1003 on.*1000/)
    expect(fault.where).toContain(`${url}/fapi/v1/aggTrades?symbol=BTCUSDT&fromId=1003`)
    expect(asked()).toBe(2)
  })

  test('of trades that go back and forth are refused', async () => {
    const { choice, asked } = await venue((_, n) => trades([1000, 2000, 1000][n % 3]!))
    await faultOf(ask(choice))
    expect(asked()).toBeLessThanOrEqual(3)
  })

  const single = {
    bars: {
      rows: (at: number) => JSON.stringify([[at, '1', '1', '1', '1', '1', at + 59_999, '1', 1, '1', '1', '0']]),
      request: (query: Parameters<typeof fundingRateRequest>[0]) => barsRequest('klines', '1m', query),
    },
    settlements: {
      rows: (at: number) => JSON.stringify([{ symbol: 'BTCUSDT', fundingTime: at, fundingRate: '0.1' }]),
      request: fundingRateRequest,
    },
  }
  for (const [name, { rows, request }] of Object.entries(single)) {
    test(`of ${name} that are of another time altogether are refused; what reaches over is not`, async () => {
      for (const at of [fromTsMs - 90 * 86_400_000, fromTsMs + 86_400_000]) {
        const { choice, url } = await venue(() => rows(at))
        const fault = await faultOf(askSlice(choice, slice, 'BTCUSDT', context(), request))
        expect(fault.what).toContain('none of its rows lies in')
        expect(fault.where).toContain(url)
      }
      const { choice } = await venue(() => rows(fromTsMs))
      expect(await askSlice(choice, slice, 'BTCUSDT', context(), request)).toHaveLength(1)
      const empty = await venue(() => '[]')
      expect(await askSlice(empty.choice, slice, 'BTCUSDT', context(), request)).toHaveLength(1)
    })
  }
})

describe('an archive', () => {
  const file = { market: 'usdm', kind: 'fundingRate', symbol: 'BTCUSDT', period: '2026-05' } as const
  const sum = `${'ab'.repeat(32)}  BTCUSDT-fundingRate-2026-05.zip\n`

  test('behind a page that wants one to log in has not answered: that it has nothing is not recorded', async () => {
    const { choice, asked } = await venue(() => '<html>captive portal</html>')
    expect((await faultOf(fetchArchiveFile(choice, file, context()))).what).toMatch(/no checksum.*in each of 3 tries/)
    expect(asked()).toBe(3)
  })

  /** What an archive says to each of the three questions there are. */
  const archive = (zip: (asked: number) => string | Buffer, checksum: string, others: string | { status: number }) =>
    venue((path, n) => (path.endsWith('.CHECKSUM') ? checksum : path.endsWith('.zip') ? zip(n) : others))
  const gone = { status: 404 }
  const scrambled = Buffer.from('00ff13'.repeat(40), 'hex')

  test.each(['<html>', '\ufeff  <!doctype html>', '{"code":-1001,"msg":"Internal error"}', 'Blocked by your company'])(
    'whose zip reads %j has not answered either, on however many tries',
    async (page) => {
      const { choice } = await archive(() => page, sum, gone)
      const told = context()
      expect((await faultOf(fetchArchiveFile(choice, file, told))).what).toMatch(/no zip.*in each of 3 tries/)
      expect(told.files.size).toBe(0)
    },
  )

  const broken: { says: string; zip: string | Buffer; checksum: string }[] = [
    { says: 'a zip of no bytes', zip: '', checksum: sum },
    { says: 'no bytes for both', zip: '', checksum: '' },
    { says: 'a checksum of no bytes', zip: 'PK..', checksum: '' },
    { says: 'a checksum that is cut', zip: 'PK..', checksum: sum.slice(0, 20) },
    { says: 'a zip cut to two bytes', zip: 'PK', checksum: sum },
  ]
  test.each(broken)('that has published $says has answered: both are kept as they are', async ({ zip, checksum }) => {
    const { choice } = await archive(() => zip, checksum, gone)
    const told = context()
    const kept = await fetchArchiveFile(choice, file, told)
    expect(kept).toEqual([{ name: 'BTCUSDT-fundingRate-2026-05.zip.CHECKSUM', bytes: Buffer.from(checksum) }])
    expect(Buffer.concat(told.files.get('BTCUSDT-fundingRate-2026-05.zip')!)).toEqual(Buffer.from(zip))
    const note = told.notes.find(({ key }) => key !== undefined)
    expect(note).toMatchObject({ sizeBytes: zip.length, checksum: 'wrong' })
  })

  test('that says nothing to everything may be anybody: nothing is recorded', async () => {
    const { choice } = await archive(() => '', '', '')
    const told = context()
    const fault = await faultOf(fetchArchiveFile(choice, file, told))
    expect(fault.what).toMatch(/even a file that nobody has is answered/)
    expect(fault.where).toContain('BTCUSDT-fundingRate-2026-05.zip.none')
    expect(told.files.size).toBe(0)
  })

  test('whose wrong bytes change from try to try has trouble of its own, and is asked again', async () => {
    const { choice } = await archive((n) => (n % 2 === 0 ? '' : scrambled), sum, gone)
    const told = context()
    expect((await faultOf(fetchArchiveFile(choice, file, told))).what).toMatch(/no zip.*in each of 3 tries/)
    expect(told.files.size).toBe(0)
  })

  test('that was away most of the time, and then said nothing once, has not answered', async () => {
    const { choice } = await venue((path, n) =>
      path.endsWith('CHECKSUM') ? (n % 3 === 2 ? '' : { status: 503 }) : 'PK..',
    )
    expect((await faultOf(fetchArchiveFile(choice, file, context()))).what).toMatch(/in each of 3 tries/)
  })

  test('whose checksum is a few digits has not answered: that may be a status', async () => {
    const { choice } = await archive(() => 'PK..', '404', gone)
    expect((await faultOf(fetchArchiveFile(choice, file, context()))).what).toMatch(/no checksum.*in each of 3 tries/)
  })

  test('whose checksum is words has not answered', async () => {
    const { choice } = await archive(() => 'PK..', 'no', gone)
    expect((await faultOf(fetchArchiveFile(choice, file, context()))).what).toMatch(/no checksum.*in each of 3 tries/)
  })

  test('that comes back is read', async () => {
    const { choice } = await venue((path, n) => (n % 2 === 0 ? '<html>' : path.endsWith('CHECKSUM') ? sum : 'PK..'))
    const told = context()
    await fetchArchiveFile(choice, file, told)
    expect([...told.files.keys()]).toEqual(['BTCUSDT-fundingRate-2026-05.zip'])
  })

  test('cannot fill the disk: a zip is cut at what its kind and period may have', async () => {
    const { choice } = await venue((path) => (path.endsWith('CHECKSUM') ? sum : `PK${'x'.repeat(20 << 20)}`))
    expect(await faultOf(fetchArchiveFile(choice, file, context()))).toMatchObject({
      trouble: 'tooLarge',
      permanent: true,
    })
  })

  test('that has no such file says so', async () => {
    const { choice } = await venue(() => ({ status: 404 }))
    expect(await fetchArchiveFile(choice, file, context())).toBeUndefined()
  })
})
