import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import type { AuditReport, FindingKind } from '../../../lib/audit/finding.ts'
import { formatScaled, formatScaledShort, parseScaledBig } from '../../../lib/decimal.ts'
import { settlementsOf } from '../../../lib/market/ingest/settlements.ts'
import { klineTable } from '../../../lib/tables/klines.ts'
import { decodeTable, encodeTable } from '../../../lib/tables/parquet.ts'
import type { TableOf } from '../../../lib/tables/table.ts'
import { bigAt } from '../../../lib/tables/wideInts.ts'
import { MINUTE_MS, monthStart, nextMonth, parseUtc } from '../../../lib/time.ts'
import { parseExchangeInfo } from '../../../lib/venues/exchangeInfo.ts'
import type { SourceContext } from '../../../pipeline/engine/task.ts'
import { dataset } from '../../../pipeline/graphs/dataset.ts'
import { auditFunding } from '../../../tasks/ingest/funding/auditFunding.ts'
import { fetchFundingPage } from '../../../tasks/ingest/funding/fetchFundingPage.ts'
import { auditBars } from '../../../tasks/ingest/klines/auditBars.ts'
import { ingestKlines } from '../../../tasks/ingest/klines/ingestKlines.ts'
import { fetchOpenInterestPage } from '../../../tasks/ingest/openInterest/fetchOpenInterestPage.ts'
import { ingestOpenInterest } from '../../../tasks/ingest/openInterest/ingestOpenInterest.ts'
import { fetchTakerVolumePage } from '../../../tasks/ingest/takerVolume/fetchTakerVolumePage.ts'
import { ingestTakerVolume } from '../../../tasks/ingest/takerVolume/ingestTakerVolume.ts'
import { type LocalContent, localVenue } from '../../support/localVenue.ts'
import { MemoryRun } from '../../support/memoryRun.ts'
import { archiveFiles, fileSet } from '../../support/rawFiles.ts'

const root = process.env['TICKPIPE_MARKET_DATA'] ?? join(import.meta.dirname, '../../../../shared/market-data')
const vision = join(root, 'binance-vision')
const read = (...path: string[]): Buffer => {
  const bytes = readFileSync(join(root, ...path))
  return path.at(-1)!.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})
async function serve(content: LocalContent) {
  const venue = await localVenue(content)
  closing.push(() => venue.close())
  return venue
}

/** What a source sees of the engine. */
const context = (): SourceContext => ({
  signal: new AbortController().signal,
  asOfMs: 0,
  attempt: 1,
  log: () => {},
  note: () => {},
  progress: () => {},
  openFile: () => {
    throw new Error('no file is streamed here')
  },
})

type Klines = TableOf<typeof klineTable>
type BarFile = { symbol: string; interval: string; month: string; bytes: () => Buffer }
const barFiles = (folder: string): BarFile[] =>
  readdirSync(join(vision, folder)).map((name) => {
    const [, symbol, interval, month] = /^(\w+)-(1[mh])-(\d{4}-\d{2})\.csv\.gz$/.exec(name)!
    return { symbol: symbol!, interval: interval!, month: month!, bytes: () => read('binance-vision', folder, name) }
  })

/** The files of one folder through the whole pipeline, month by month as they are; the audits and tables by address. */
async function ingest(files: readonly BarFile[], market: 'usdm' | 'spot') {
  const folder = market === 'spot' ? 'data/spot' : 'data/futures/um'
  const venue = await serve({
    archives: Object.fromEntries(
      files.map(({ symbol, interval, month, bytes }) => [
        `${folder}/monthly/klines/${symbol}/${interval}/${symbol}-${interval}-${month}`,
        bytes,
      ]),
    ),
  })
  const audits = new Map<string, AuditReport>()
  const tables = new Map<string, TableOf<typeof klineTable>>()
  for (const month of [...new Set(files.map((file) => file.month))]) {
    const symbols = files.filter((file) => file.month === month).map(({ symbol }) => symbol)
    const run = new MemoryRun(
      dataset,
      {
        source: 'archives',
        baseUrls: { archive: venue.url, listing: venue.url },
        from: `${month}-01`,
        to: `${nextMonth(month)}-01`,
        universe: { mode: 'listed', symbols },
        bars: [{ market, interval: files[0]!.interval }],
        funding: false,
      },
      parseUtc('2026-11-01')!,
    )
    await run.make('dataset')
    for (const [address, report] of run.of<AuditReport>('auditBars')) audits.set(address, report)
    for (const [address, table] of run.of<TableOf<typeof klineTable>>('ingestKlines')) tables.set(address, table)
  }
  return { venue, audits, tables }
}

describe.skipIf(!existsSync(vision))(
  'files as the venue published them (skipped where they are not on this machine)',
  () => {
    test('twenty months of contract minutes: complete, on the grid, and an outage shown as flat minutes is named', async () => {
      const { audits, tables, venue } = await ingest(barFiles('um-klines-1m'), 'usdm')
      expect(audits.size).toBe(20)
      const rows = [...tables.values()].reduce((sum, { rowCount }) => sum + rowCount, 0)
      expect(rows).toBe(849_600)
      for (const [address, { findings }] of audits) {
        const isOutage = address.includes('FILUSDT,1m,2024-10')
        const kinds = findings.map(({ kind, rows: n }) => [kind, n])
        expect(kinds, address).toEqual(
          isOutage
            ? [
                ['flatRun', 14],
                ['flatRun', 74],
              ]
            : [],
        )
      }
      // Nothing was missing, so nothing but the months was asked for.
      expect(venue.asked.every((url) => url.includes('/monthly/'))).toBe(true)

      const fil = [...tables].find(([address]) => address.includes('FILUSDT,1m,2024-10'))![1]
      const open = fil.columns.openTsMs
      expect(open[0]).toBe(monthStart('2024-10'))
      expect(open.at(-1)).toBe(monthStart('2024-11') - MINUTE_MS)
      expect(fil.columns.count.filter((n) => n === 0).length).toBe(89)
    }, 120_000)

    test('spot hours: no header, milliseconds up to 2024, microseconds from 2025 on, and no seam between them', async () => {
      const { audits, tables } = await ingest(barFiles('spot-klines-1h'), 'spot')
      expect([...audits.values()].map(({ verdict }) => verdict)).toEqual(Array(6).fill('PASS'))
      const btc = [...tables].filter(([address]) => address.includes('BTCUSDT')).sort(([a], [b]) => (a < b ? -1 : 1))
      const open = btc.flatMap(([, { columns }]) => [...columns.openTsMs])
      expect(open.length).toBe(720 + 744 + 744 + 672)
      expect(open.every((at, i) => i === 0 || at === open[i - 1]! + 3_600_000)).toBe(true)
      // The venue wrote 16 digits here; what is kept is the millisecond.
      expect(btc[2]![1].columns.closeTsMs[0]).toBe(parseUtc('2025-01-01T00:59:59.999Z'))
    }, 60_000)

    test('a day that holds ten minutes says what it lacks', async () => {
      const bytes = () => read('binance-vision', 'spot-klines-1m', 'ADABTC-1m-2021-11-27.csv')
      const { tradeBars } = await import('../../../lib/market/ingest/bars.ts')
      const day = parseUtc('2021-11-27')!
      const { table, findings } = tradeBars(
        [archiveFiles('ADABTC-1m-2021-11-27', bytes().toString())],
        { market: 'spot', kind: 'klines', symbol: 'ADABTC', interval: '1m', fromTsMs: day, toTsMs: day + 86_400_000 },
        'quarantine',
      )
      expect(table.rowCount).toBe(10)
      expect(findings.map(({ kind, fromTsMs }) => [kind, fromTsMs])).toEqual([['missingRows', day + 10 * MINUTE_MS]])
    })

    // These hold prices and volumes alone: turnover is made of them, at the close and to the last digit.
    test.each([
      { name: '1000PEPE', interval: '1h', rows: 8_999, beyond: 'volume', beyondRows: 2_980 },
      { name: 'BTC', interval: '4h', rows: 2_997, beyond: 'quoteVolume', beyondRows: 31 },
    ] as const)('bars of $name by $interval, of ten billion and more: no row is lost and no digit', async (want) => {
      const file = ['ohlcv', 'derived-csv', 'freqtrade-um-feather', `${want.name}_USDT_USDT-1h-futures.csv.gz`]
      const hours = read(...file)
        .toString()
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(','))
      const perBar = want.interval === '4h' ? 4 : 1
      const units = (text: string) => parseScaledBig(text, 8)!
      const text = (sum: bigint) => formatScaledShort(sum, 8)
      const bars = []
      for (let at = 0; at + perBar <= hours.length; at += perBar) {
        const part = hours.slice(at, at + perBar)
        const extreme = (column: number, sign: number) =>
          part.map((row) => row[column]!).sort((a, b) => sign * (Number(a) - Number(b)))[0]!
        const openTsMs = Number(part[0]![0])
        const volume = part.reduce((sum, row) => sum + units(row[5]!), 0n)
        const quoteVolume = part.reduce((sum, row) => sum + (units(row[5]!) * units(row[4]!)) / 10n ** 8n, 0n)
        const [open, high, low, close] = [part[0]![1]!, extreme(2, -1), extreme(3, 1), part.at(-1)![4]!]
        bars.push({ openTsMs, volume, quoteVolume, prices: [open, high, low, close] })
      }
      const lines = bars.map(({ openTsMs, prices, volume, quoteVolume }) =>
        [
          openTsMs,
          ...prices,
          text(volume),
          openTsMs + perBar * 3_600_000 - 1,
          text(quoteVolume),
          9,
          text(volume / 3n),
          0,
          0,
        ].join(),
      )
      const params = {
        ...{ market: 'usdm' as const, kind: 'klines' as const, symbol: 'X', policy: 'quarantine' as const },
        interval: want.interval,
        fromTsMs: bars[0]!.openTsMs,
        toTsMs: bars.at(-1)!.openTsMs + perBar * 3_600_000,
      }
      const raw = [archiveFiles('X-1h-2024', `${lines.join('\n')}\n`)]
      const none = { seed: () => '', log: () => {} }
      const report = auditBars.run({ raw }, { ...params, partition: 'X' }, none) as AuditReport
      expect(report.findings.filter(({ kind }) => kind === 'badCell' || kind === 'impossibleRow')).toEqual([])
      const table = decodeTable(klineTable, encodeTable((await ingestKlines.run({ raw }, params, none)) as Klines))
      expect(table.rowCount).toBe(want.rows)
      const rows = bars.map((_, row) => [bigAt(table.columns.volume, row), bigAt(table.columns.quoteVolume, row)])
      expect(rows).toEqual(bars.map(({ volume, quoteVolume }) => [volume, quoteVolume]))
      expect(bars.filter((bar) => bar[want.beyond] >= 10n ** 18n)).toHaveLength(want.beyondRows)
    })

    const fundingFiles = [
      { venue: 'binance', from: '2020-01-01', kinds: ['shiftedClock'] },
      { venue: 'bybit', from: '2021-01-01', kinds: ['shiftedClock'] },
      { venue: 'mexc', from: '2021-01-01', kinds: ['shiftedClock'] },
      { venue: 'kucoin', from: '2021-01-01', kinds: ['shiftedClock'] },
      { venue: 'gate', from: '2020-01-01', kinds: ['missingRows'] },
    ] as const
    for (const { venue: name, from, kinds } of fundingFiles) {
      test(`funding of ${name}, as if the API gave it: ${kinds.join(', ')}`, async () => {
        const lines = read('funding', 'multi-exchange', `BTC-USDT_${name}_${from}_2024-01-01_funding_history.csv.gz`)
          .toString()
          .trim()
          .split(/\r?\n/)
          .slice(1)
        const rows = lines.map((line) => {
          const [, date, rate] = line.split(',')
          const tsMs = parseUtc(date!)!
          return { tsMs, row: { symbol: 'BTCUSDT', fundingTime: tsMs, fundingRate: rate!, markPrice: '' } }
        })
        const venue = await serve({ rows: { '/fapi/v1/fundingRate': rows } })
        const params = { symbol: 'BTCUSDT', fromTsMs: parseUtc(from)!, toTsMs: parseUtc('2024-01-01')! }
        const { slicesOf } = await import('../../../lib/market/plan/slices.ts')
        const slices = slicesOf(
          { endpoint: '/fapi/v1/fundingRate', version: 1, limit: 999 },
          'BTCUSDT',
          '1h',
          params.fromTsMs,
          params.toTsMs,
        )
        const raw = []
        for (const slice of slices) {
          const made = await fetchFundingPage.run(
            {},
            { venue: 'binance', baseUrls: { usdm: venue.url }, symbol: 'BTCUSDT', slice },
            context(),
          )
          raw.push(
            fileSet(
              Object.fromEntries(
                (made as { name: string; bytes: Uint8Array }[]).map((file) => [file.name, file.bytes]),
              ),
            ),
          )
        }
        const report = auditFunding.run(
          { raw },
          { ...params, policy: 'quarantine', partition: name },
          { seed: () => '', log: () => {} },
        ) as AuditReport
        expect([...new Set(report.findings.map(({ kind }) => kind))]).toEqual(kinds as readonly FindingKind[])
        expect(report.rows).toBe(rows.length)
      })
    }

    // dydx prints ten digits, htx the eighteen of a double.
    test.each([
      { name: 'dydx', from: '2022-01-01', rows: 17_520, digits: '0.0000058615' },
      { name: 'htx', from: '2021-01-01', rows: 3_284, digits: '0.000658153991747989' },
    ])('funding of $name: every rate is kept to its last digit', ({ name, from, ...want }) => {
      const lines = read('funding', 'multi-exchange', `BTC-USDT_${name}_${from}_2024-01-01_funding_history.csv.gz`)
        .toString()
        .trim()
        .split(/\r?\n/)
        .slice(1)
      const rows = lines.map((line) => {
        const [, date, rate] = line.split(',')
        return { symbol: 'BTCUSDT', fundingTime: parseUtc(date!)!, fundingRate: rate!, markPrice: '' }
      })
      const page = fileSet({ 'BTCUSDT-1.json': JSON.stringify(rows) })
      const span = { symbol: 'BTCUSDT', fromTsMs: parseUtc(from)!, toTsMs: parseUtc('2024-01-01')! }
      const { table, findings } = settlementsOf([page], span, 'quarantine')
      expect(findings.filter(({ kind }) => kind === 'badCell')).toEqual([])
      const ascending = rows.toSorted((a, b) => a.fundingTime - b.fundingTime)
      expect(ascending).toHaveLength(want.rows)
      expect(Array.from(table.columns.rate, (units) => formatScaled(units, 18))).toEqual(
        ascending.map(({ fundingRate }) => formatScaled(parseScaledBig(fundingRate, 18)!, 18)),
      )
      expect(rows.some(({ fundingRate }) => fundingRate === want.digits)).toBe(true)
    })

    test('open interest and taker volume of four hours: the two series begin four hours apart, and stay so', async () => {
      const table = (name: string) => {
        const [head, ...lines] = read('binance-futures-data', name).toString().trim().split(/\r?\n/)
        return lines.map((line) => {
          const row = Object.fromEntries(line.split(',').map((cell, i) => [head!.split(',')[i], cell]))
          return { tsMs: Number(row['timestamp']), row }
        })
      }
      const venue = await serve({
        rows: {
          '/futures/data/openInterestHist': table('btcusdt_futures_oi.csv'),
          '/futures/data/takerlongshortRatio': table('btcusdt_futures_taker.csv'),
        },
      })
      const [fromTsMs, toTsMs] = [parseUtc('2026-03-01')!, parseUtc('2026-04-10')!]
      const slice = { key: 'x', id: 'x', fromTsMs, toTsMs: toTsMs - 1, limit: 499 }
      const source = { venue: 'binance' as const, baseUrls: { usdm: venue.url }, symbol: 'BTCUSDT', slice }
      const pages = async (task: typeof fetchOpenInterestPage | typeof fetchTakerVolumePage) => {
        const made = (await task.run({}, source, context())) as { name: string; bytes: Uint8Array }[]
        return [fileSet(Object.fromEntries(made.map(({ name, bytes }) => [name, bytes])))]
      }
      const params = { symbol: 'BTCUSDT', fromTsMs, toTsMs, policy: 'reject' as const }
      const none = { seed: () => '', log: () => {} }
      const stocks = (await ingestOpenInterest.run(
        { metrics: undefined, pages: await pages(fetchOpenInterestPage) },
        params,
        none,
      )) as { rowCount: number; columns: { tsMs: Float64Array; openInterest: BigInt64Array } }
      const flows = (await ingestTakerVolume.run({ pages: await pages(fetchTakerVolumePage) }, params, none)) as {
        rowCount: number
        columns: { tsMs: Float64Array; buyVolume: BigInt64Array }
      }
      expect([stocks.rowCount, flows.rowCount]).toEqual([186, 186])
      expect(stocks.columns.tsMs[0]! - flows.columns.tsMs[0]!).toBe(4 * 3_600_000)
      expect(stocks.columns.openInterest[0]).toBe(7_894_234_400_000n)
      expect(flows.columns.buyVolume[0]).toBe(3_360_171_800_000n)
    })

    test('exchange info of 2021: 122 symbols, and a reason for each that is no perpetual one can trade', () => {
      const line = read('raw-captures', 'binance-futures', 'BINANCE_FUTURES.0.gz')
        .toString()
        .split('\n')
        .find((one) => one.includes('"symbols"'))!
      const { tradable, rejected } = parseExchangeInfo(
        Buffer.from(line.slice(line.indexOf('{"timezone') >= 0 ? line.indexOf('{"timezone') : line.indexOf('{'))),
      )
      expect(tradable.length + rejected.length).toBe(122)
      expect(tradable.find(({ symbol }) => symbol === 'BTCUSDT')).toMatchObject({ tickSize: '0.01', stepSize: '0.001' })
      expect(rejected.every(({ reason }) => reason.length > 10)).toBe(true)
    })
  },
)
