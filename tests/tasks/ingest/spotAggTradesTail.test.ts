import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditReport } from '../../../lib/audit/finding.ts'
import { spotAggTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { auditTradePages, pagedTradesOf } from '../../../lib/market/trades/tradePages.ts'
import { type RunningExchange, startExchange } from '../../../lib/sim/server.ts'
import type { Table } from '../../../lib/tables/table.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, parseUtc } from '../../../lib/time.ts'
import { nextAggTrades } from '../../../lib/venues/aggTradePages.ts'
import { msOf, spotAggTradesRequest } from '../../../lib/venues/spot.ts'
import { dataset } from '../../../pipeline/graphs/dataset.ts'
import { collected } from '../../support/batches.ts'
import { MemoryRun } from '../../support/memoryRun.ts'
import { fileSet } from '../../support/rawFiles.ts'

const present = parseUtc('2026-08-05T04:00')!
const config = {
  from: '2026-08-04',
  universe: { mode: 'listed', symbols: ['BTCUSDT'] },
  bars: [],
  funding: false,
  aggTrades: ['spot'],
}
let server: RunningExchange
afterAll(() => server?.close())

const days = (run: MemoryRun) => [...run.of<Table>('ingestSpotAggTrades')].sort(([a], [b]) => (a < b ? -1 : 1))
const asked = (run: MemoryRun): string[] =>
  run.notes.flatMap(({ url }) => (typeof url === 'string' && url.includes('/api/v3/aggTrades?') ? [url] : []))
const verdicts = (run: MemoryRun, task: string) =>
  [...run.of<AuditReport>(task)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { verdict }]) => verdict)

describe('aggregate trades of a coin pair up to now', () => {
  let meant: MemoryRun
  beforeAll(async () => {
    meant = new MemoryRun(dataset, config, present)
    await meant.make('dataset')
  }, 60_000)

  test('come from the archive, then from the API, without a seam', () => {
    expect(days(meant).map(([address]) => address)).toEqual([
      'ingestSpotAggTrades[BTCUSDT,2026-08-04]',
      'ingestSpotAggTrades[BTCUSDT,2026-08-05]',
    ])
    const ids = days(meant).flatMap(([, { columns }]) => [...(columns['aggTradeId'] as BigInt64Array)])
    expect(ids.length).toBeGreaterThan(5000)
    expect(ids.every((id, i) => i === 0 || id === ids[i - 1]! + 1n)).toBe(true)
    const tsUs = days(meant)[1]![1].columns['tsUs'] as Float64Array
    expect(tsUs.at(-1)).toBeGreaterThan((present - 5 * MINUTE_MS) * 1000)
    expect(tsUs.at(-1)).toBeLessThan(present * 1000)
    // Microseconds, and not milliseconds with zeros behind them.
    expect(tsUs.filter((time) => time % 1000 !== 0).length).toBeGreaterThan(tsUs.length * 0.9)
    expect(verdicts(meant, 'auditSpotAggTrades')).toEqual(['PASS', 'PASS'])
    expect(verdicts(meant, 'auditSpotAggTradeSeam')).toEqual(['PASS'])
  })

  test('are asked by the hour, and go on by id; what is noted of them is in milliseconds', () => {
    const starts = asked(meant).flatMap((url) => /startTime=(\d+)/.exec(url)?.[1] ?? [])
    expect(starts.map(Number)).toEqual([0, 1, 2, 3].map((hour) => parseUtc('2026-08-05')! + hour * HOUR_MS))
    expect(asked(meant).some((url) => url.includes('fromId='))).toBe(true)
    const slices = meant.notes.flatMap(({ slice }) => (slice as { firstTsMs: number; status: string }) ?? [])
    expect(slices.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok'])
    slices.forEach(({ firstTsMs }, hour) => {
      expect(Math.floor((firstTsMs - parseUtc('2026-08-05')!) / HOUR_MS)).toBe(hour)
    })
  })

  test('of a day whose archive is late are the same rows as its own, all of them and to the microsecond', async () => {
    server = await startExchange({
      faults: {
        seed: 1,
        rules: [{ match: 'spot/daily/aggTrades/DOTUSDT/DOTUSDT-aggTrades-2026-08-03', kind: 'missingFile' }],
      },
    })
    const { url } = server
    const universe = { mode: 'listed', symbols: ['DOTUSDT'] }
    const day = { ...config, universe, from: '2026-08-03', to: '2026-08-04' }
    const baseUrls = { usdm: url, spot: url, archive: url, listing: url }
    // A day and a quarter after it the archive may have it or not: both are planned for.
    const soon = parseUtc('2026-08-05T06:00')!
    const late = new MemoryRun(dataset, { ...day, source: 'binance', baseUrls, http: { budgetShare: 1 } }, soon)
    await late.make('dataset')
    const whole = new MemoryRun(dataset, day, soon)
    await whole.make('dataset')
    expect(asked(whole)).toEqual([])
    expect(asked(late)).toHaveLength(24)
    const [came, want] = [days(late)[0]![1], days(whole)[0]![1]]
    expect(want.rowCount).toBeGreaterThan(2000)
    for (const name of Object.keys(want.columns)) expect(came.columns[name], name).toEqual(want.columns[name])
    expect(verdicts(late, 'auditSpotAggTrades')).toEqual(['PASS'])
    expect(server.exchange.tally.refused).toBe(0)
  }, 60_000)

  test('are collected beside those of the contract of the same name', async () => {
    const soon = parseUtc('2026-08-05T00:30')!
    const both = new MemoryRun(dataset, { ...config, aggTrades: ['usdm', 'spot'] }, soon)
    await both.make('dataset')
    expect(days(both)).toHaveLength(2)
    expect(both.of<Table>('ingestAggTrades').size).toBe(2)
    expect(new Set([...verdicts(both, 'auditSpotAggTradeSeam'), ...verdicts(both, 'auditAggTradeSeam')])).toEqual(
      new Set(['PASS']),
    )
  }, 60_000)
})

describe('pages of aggregate trades of a coin pair', () => {
  const from = parseUtc('2026-08-05')!
  const row = (a: number, T: number) => ({ a, p: '1.5', q: '2', f: a, l: a, T, m: true, M: true })
  const page = (...rows: object[]) => [fileSet({ [`X-${from}-${from + HOUR_MS}-00000.json`]: JSON.stringify(rows) })]
  const day = { symbol: 'X', fromTsMs: from, toTsMs: from + DAY_MS }
  const timesOf = (raw: ReturnType<typeof page>) =>
    collected(pagedTradesOf(raw, spotAggTradeForm(from), day, 'quarantine')).tables.flatMap(({ columns }) => [
      ...columns.tsUs,
    ])

  test('may count in either unit: where the header is not known, times are whole milliseconds', () => {
    expect(timesOf(page(row(1, from * 1000 + 7), row(2, from * 1000 + 1_234_567)))).toEqual([
      from * 1000 + 7,
      from * 1000 + 1_234_567,
    ])
    expect(timesOf(page(row(1, from), row(2, from + 1234)))).toEqual([from * 1000, (from + 1234) * 1000])
    const { findings } = auditTradePages(page(row(1, from), row(2, from + 1)), spotAggTradeForm(from), day, 'tag')
    expect(findings).toEqual([])
  })

  test('leave out what belongs to another day, to the microsecond', () => {
    const end = (from + DAY_MS) * 1000
    expect(timesOf(page(row(1, from * 1000 - 1), row(2, from * 1000), row(3, end - 1), row(4, end)))).toEqual([
      from * 1000,
      end - 1,
    ])
  })

  test('end where the slice does, in whatever unit; and the request asks for microseconds', () => {
    const next = nextAggTrades(spotAggTradesRequest)
    const query = { symbol: 'X', fromTsMs: from, toTsMs: from + 10, limit: 2 }
    for (const unit of [1, 1000]) {
      const path = '/api/v3/aggTrades?symbol=X&fromId=8&limit=2'
      expect(next([row(6, from * unit), row(7, (from + 10) * unit)], query)?.path).toBe(path)
      expect(next([row(6, from * unit), row(7, (from + 11) * unit)], query)).toBeUndefined()
    }
    expect(spotAggTradesRequest(query)).toMatchObject({
      host: 'spot',
      headers: { 'x-mbx-time-unit': 'MICROSECOND' },
      budget: { pool: { name: 'spot weight' }, weight: 4 },
    })
    expect([from, from * 1000 + 999].map(msOf)).toEqual([from, from])
  })
})
