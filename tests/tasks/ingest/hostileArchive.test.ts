import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditReport } from '../../../lib/audit/finding.ts'
import { defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { createExchange } from '../../../lib/sim/exchange/exchange.ts'
import { createMarket } from '../../../lib/sim/market.ts'
import type { Table } from '../../../lib/tables/table.ts'
import { HOUR_MS, parseUtc } from '../../../lib/time.ts'
import { readSingleFileZip } from '../../../lib/zip.ts'
import { dataset } from '../../../pipeline/graphs/dataset.ts'
import { MemoryRun } from '../../support/memoryRun.ts'
import { zipOfOne } from '../../support/rawFiles.ts'

const exchange = createExchange(createMarket(defaultWorld), {})
const get = (url: string) => exchange.handle({ method: 'GET', url, headers: {} })
type Answer = { status: number; body: Uint8Array }
/** What a hostile archive says to a request, or nothing where it says what the exchange does. */
type Edit = (url: string) => Answer | undefined

const closers: (() => void)[] = []
afterAll(() => {
  for (const close of closers) close()
})

async function serve(edit: Edit): Promise<string> {
  const server = createServer((request, response) => {
    const { status, body } = edit(request.url!) ?? get(request.url!)
    response.writeHead(status).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const present = parseUtc('2026-08-05T09:00')!
const config = {
  from: '2026-06-23',
  to: '2026-06-27',
  universe: { mode: 'listed', symbols: ['BTCUSDT'] },
  bars: [{ interval: '1h' }],
}

async function run(edit: Edit, more: object = {}) {
  const url = await serve(edit)
  const baseUrls = { usdm: url, spot: url, archive: url, listing: url }
  const http = { backoffMsMin: 1, backoffMsMax: 2, attemptsMax: 3, budgetShare: 1 }
  const made = new MemoryRun(dataset, { ...config, source: 'binance', ...more, baseUrls, http }, present)
  await made.make('dataset')
  return {
    bars: only(made.of<Table>('ingestKlines')).columns,
    rates: only(made.of<Table>('ingestFunding')).columns['rate'],
    kinds: ['auditBars', 'auditFunding'].map((task) =>
      [...made.of<AuditReport>(task).values()].flatMap(({ findings }) => findings.map(({ kind }) => kind)),
    ),
    reports: ['auditBars', 'auditFunding'].flatMap((task) => [...made.of<AuditReport>(task).values()]),
  }
}
const only = (tables: Map<string, Table>): Table => {
  expect(tables.size).toBe(1)
  return [...tables.values()][0]!
}

const month = /klines\/BTCUSDT\/1h\/BTCUSDT-1h-2026-06\.zip/
const funding = /BTCUSDT-fundingRate-2026-06\.zip/

/** Files that match, with other text inside and a checksum that is right. */
const rewritten =
  (match: RegExp, edit: (csv: string) => string): Edit =>
  (url) => {
    if (!match.test(url)) return undefined
    const path = url.replace(/\.CHECKSUM$/, '')
    const answer = get(path)
    if (answer.status !== 200) return undefined
    const name = path.split('/').at(-1)!
    const member = readSingleFileZip(answer.body, name)
    const zip = zipOfOne(member.name, edit(Buffer.from(member.bytes).toString()))
    if (path === url) return { status: 200, body: zip }
    const sha256 = createHash('sha256').update(zip).digest('hex')
    return { status: 200, body: Buffer.from(`${sha256}  ${name}\n`) }
  }

/** Zips that match, as somebody broke them; their checksums are those of whole ones. */
const broken =
  (match: RegExp, edit: (zip: Uint8Array) => Uint8Array): Edit =>
  (url) => {
    if (!match.test(url) || url.endsWith('.CHECKSUM')) return undefined
    const answer = get(url)
    return answer.status === 200 ? { status: 200, body: edit(answer.body) } : undefined
  }
const empty = () => new Uint8Array(0)
const half = (zip: Uint8Array) => zip.slice(0, zip.length >> 1)
const scrambled = (zip: Uint8Array) => zip.map((byte) => byte ^ 0xa5)
const both = ['unreadableFile', 'checksumMismatch']

const threeHoursLate = (csv: string) => csv.replace(/\b\d{13}\b/g, (at) => String(Number(at) + 3 * HOUR_MS))

describe('under quarantine the data set is the right one', () => {
  let right: Awaited<ReturnType<typeof run>>
  beforeAll(async () => {
    right = await run(() => undefined)
  })

  const cases: { says: string; edit: Edit; bars: string[]; funding: string[] }[] = [
    { says: 'with a venue that tells the truth', edit: () => undefined, bars: [], funding: [] },
    {
      says: "where ETH's month stands under BTC's name",
      edit: (url) => (month.test(url) ? get(url.replaceAll('BTC', 'ETH')) : undefined),
      bars: ['wrongName'],
      funding: [],
    },
    {
      says: 'where a month of bars is three hours late',
      edit: rewritten(month, threeHoursLate),
      bars: ['shiftedClock'],
      funding: [],
    },
    {
      says: 'where all archives of bars are three hours late, by month and by day',
      edit: rewritten(/\/klines\/BTCUSDT\/1h\/.*\.zip/, threeHoursLate),
      bars: ['shiftedClock'],
      funding: [],
    },
    {
      says: 'where a month of settlements is three hours late',
      edit: rewritten(funding, threeHoursLate),
      bars: [],
      funding: ['shiftedClock'],
    },
    {
      says: 'where a month of bars is a file of no bytes',
      edit: broken(month, empty),
      bars: both,
      funding: [],
    },
    {
      says: 'where a month of bars is cut, and so are its days',
      edit: broken(/\/klines\/BTCUSDT\/1h\/.*\.zip/, half),
      bars: both,
      funding: [],
    },
    {
      says: 'where all archives of bars and settlements are files of no bytes',
      edit: broken(/\.zip/, empty),
      bars: both,
      funding: both,
    },
    {
      says: 'where a month of settlements is a file of no bytes, and so is its checksum',
      edit: (url) => (funding.test(url) && !url.endsWith('.none') ? { status: 200, body: empty() } : undefined),
      bars: [],
      funding: both,
    },
    {
      says: 'where a month of settlements is gone',
      edit: (url) => (funding.test(url) ? { status: 404, body: Buffer.from('gone') } : undefined),
      bars: [],
      funding: [],
    },
  ]
  for (const { says, edit, bars, funding: rates } of cases) {
    test(says, async () => {
      const found = await run(edit)
      expect(found.bars).toEqual(right.bars)
      expect(found.rates).toEqual(right.rates)
      expect(found.kinds.map((kinds) => [...new Set(kinds)])).toEqual([bars, rates])
      // Others served whatever was left out.
      for (const { verdict } of found.reports) expect(['PASS', 'WARN']).toContain(verdict)
    }, 30_000)
  }

  test('under tag the wrong rows are kept, and marked', async () => {
    const found = await run((url) => (month.test(url) ? get(url.replaceAll('BTC', 'ETH')) : undefined), {
      policy: 'tag',
    })
    expect(found.bars).not.toEqual(right.bars)
    expect(found.kinds[0]).toContain('wrongName')
  }, 30_000)

  test('what is broken is told with its length, its first bytes and both hashes', async () => {
    const { reports } = await run(broken(month, half))
    const bytes = half(get('/data/futures/um/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2026-06.zip').body)
    const [unreadable, mismatch] = reports[0]!.findings.map(({ what }) => what)
    expect(unreadable).toContain(`Its ${bytes.length} bytes begin with 504b0304`)
    expect(unreadable).toMatch(/others served its rows$/)
    expect(mismatch).toContain(
      `hashes to ${createHash('sha256').update(bytes).digest('hex')} and its checksum file says`,
    )
  }, 30_000)

  test("a page in the place of a file is nobody's answer: the run fails, and nothing is kept for ever", async () => {
    const page = { status: 200, body: Buffer.from('<html>log in</html>') }
    const packed = { status: 200, body: gzipSync(page.body) }
    for (const [match, body] of [
      [/\/klines\/BTCUSDT\/1h\/.*\.zip$/, page],
      [/\.zip/, page],
      [/\.zip$/, packed],
    ] as const) {
      await expect(run((url) => (match.test(url) ? body : undefined))).rejects.toThrow(/in each of 3 tries/)
    }
    await expect(run(broken(month, scrambled))).rejects.toThrow(/in each of 3 tries/)
  }, 30_000)

  test('nobody but the API has what the archive broke: without it that is left out, and told', async () => {
    const { reports } = await run(broken(/\.zip/, empty), { source: 'archives' })
    for (const { verdict, rows } of reports) expect([verdict, rows]).toEqual(['QUARANTINE', 0])
  }, 30_000)

  test('without an API a month of settlements that is gone is a finding', async () => {
    const url = await serve((asked) => (funding.test(asked) ? { status: 404, body: Buffer.from('gone') } : undefined))
    const baseUrls = { usdm: url, spot: url, archive: url, listing: url }
    const made = new MemoryRun(dataset, { ...config, source: 'archives', baseUrls }, present)
    await made.make('dataset')
    const [report] = [...made.of<AuditReport>('auditFunding').values()]
    expect(report).toMatchObject({ verdict: 'WARN', rows: 0, findings: [{ kind: 'missingRows' }] })
  }, 30_000)
})

describe('a young day of aggregate trades of a pair whose archive is broken', () => {
  const day = async (edit: Edit, policy: string) => {
    const url = await serve(edit)
    const trades = {
      from: '2026-08-03',
      to: '2026-08-04',
      universe: { mode: 'listed', symbols: ['DOTUSDT'] },
      bars: [],
      funding: false,
      aggTrades: ['spot'],
      source: 'binance',
      baseUrls: { usdm: url, spot: url, archive: url, listing: url },
      http: { backoffMsMin: 1, backoffMsMax: 2, attemptsMax: 3, budgetShare: 1 },
      policy,
    }
    const made = new MemoryRun(dataset, trades, parseUtc('2026-08-05T06:00')!)
    await made.make('dataset')
    const [report] = [...made.of<AuditReport>('auditSpotAggTrades').values()]
    return { ids: only(made.of<Table>('ingestSpotAggTrades')).columns['aggTradeId'], report: report! }
  }

  test.each(['quarantine', 'tag'])(
    'is served by the API, under %s too',
    async (policy) => {
      const right = await day(() => undefined, policy)
      expect(right.report.verdict).toBe('PASS')
      const { ids, report } = await day(broken(/aggTrades\/DOTUSDT\/.*\.zip/, empty), policy)
      expect(ids).toEqual(right.ids)
      expect(report.verdict).toBe('WARN')
      expect(report.findings.map(({ kind }) => kind)).toEqual(both)
    },
    60_000,
  )
})
