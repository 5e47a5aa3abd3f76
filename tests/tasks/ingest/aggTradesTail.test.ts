import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditReport } from '../../../lib/audit/finding.ts'
import { aggTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { auditTradePages, pagedTradesOf, tradeSeam } from '../../../lib/market/trades/tradePages.ts'
import { type RunningExchange, startExchange } from '../../../lib/sim/server.ts'
import type { Table } from '../../../lib/tables/table.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, parseUtc } from '../../../lib/time.ts'
import { nextAggTrades } from '../../../lib/venues/aggTradePages.ts'
import { aggTradesRequest } from '../../../lib/venues/usdm.ts'
import { dataset } from '../../../pipeline/graphs/dataset.ts'
import { collected } from '../../support/batches.ts'
import { MemoryRun } from '../../support/memoryRun.ts'
import { fileSet } from '../../support/rawFiles.ts'

const present = parseUtc('2026-08-05T09:00')!
const config = {
  from: '2026-08-04',
  universe: { mode: 'listed', symbols: ['DOTUSDT'] },
  bars: [],
  funding: false,
  aggTrades: ['usdm'],
}
const open: RunningExchange[] = []
afterAll(async () => {
  for (const one of open) await one.close()
})

const columnsOf = (run: MemoryRun) => [...run.of<Table>('ingestAggTrades')].sort(([a], [b]) => (a < b ? -1 : 1))
const ids = (run: MemoryRun): bigint[] =>
  columnsOf(run).flatMap(([, { columns }]) => [...(columns['aggTradeId'] as BigInt64Array)])
const audits = (run: MemoryRun, task: string) =>
  [...run.of<AuditReport>(task)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, audit]) => audit)
const asked = (run: MemoryRun): string[] =>
  run.notes.flatMap(({ url }) => (typeof url === 'string' && url.includes('/aggTrades?') ? [url] : []))

describe('aggregate trades up to now', () => {
  let meant: MemoryRun
  beforeAll(async () => {
    meant = new MemoryRun(dataset, config, present)
    await meant.make('dataset')
  })

  test('come from the archive, then from the API, without a seam', async () => {
    const run = meant
    const all = ids(run)
    expect(columnsOf(run).map(([address]) => address)).toEqual([
      'ingestAggTrades[DOTUSDT,2026-08-04]',
      'ingestAggTrades[DOTUSDT,2026-08-05]',
    ])
    expect(all.length).toBeGreaterThan(10_000)
    expect(all.every((id, i) => i === 0 || id === all[i - 1]! + 1n)).toBe(true)
    const last = columnsOf(run).at(-1)![1].columns['tsMs'] as Float64Array
    expect(last.at(-1)).toBeGreaterThan(present - 5 * MINUTE_MS)
    expect(last.at(-1)).toBeLessThan(present)
    for (const task of ['auditAggTrades', 'auditAggTradeSeam']) {
      expect(new Set(audits(run, task).map(({ verdict }) => verdict))).toEqual(new Set(['PASS']))
    }
    // An hour takes several pages, of which all but the first go on by id; the archive's days are not asked for.
    expect(asked(run).length).toBeGreaterThan(9)
    expect(asked(run).some((url) => url.includes('fromId='))).toBe(true)
    const starts = asked(run).flatMap((url) => /startTime=(\d+)/.exec(url)?.[1] ?? [])
    expect(Math.min(...starts.map(Number))).toBe(parseUtc('2026-08-05'))
    const slices = run.notes.flatMap(({ slice }) => (slice === undefined ? [] : [slice as { status: string }]))
    expect(slices.map(({ status }) => status)).toEqual(new Array(9).fill('ok'))
  })

  test('go on where they stopped: hours that are over are not asked for again', async () => {
    const known = new Map<string, unknown>()
    const first = new MemoryRun(dataset, config, present - 3.5 * HOUR_MS, known)
    await first.make('dataset')
    const second = new MemoryRun(dataset, config, present, known)
    await second.make('dataset')
    expect(ids(second).slice(0, ids(first).length)).toEqual(ids(first))
    const starts = asked(second).flatMap((url) => /startTime=(\d+)/.exec(url)?.[1] ?? [])
    expect(starts.map(Number)).toEqual([5, 6, 7, 8].map((hour) => parseUtc('2026-08-05')! + hour * HOUR_MS))
  })

  test('of a day whose archive is late are the same rows as its own, as far back as the API reaches', async () => {
    const server = await startExchange({
      faults: { seed: 1, rules: [{ match: 'DOTUSDT-aggTrades-2026-08-04', kind: 'missingFile' }] },
    })
    open.push(server)
    const { url } = server
    const late = new MemoryRun(
      dataset,
      {
        ...config,
        source: 'binance',
        baseUrls: { usdm: url, spot: url, archive: url, listing: url },
        http: { budgetShare: 1 },
      },
      present,
    )
    await late.make('dataset')
    const of = (run: MemoryRun) => run.values.get('ingestAggTrades[DOTUSDT,2026-08-04]') as Table
    const [came, whole] = [of(late), of(meant)]
    const served = parseUtc('2026-08-04T10:00')!
    const skipped = (whole.columns['tsMs'] as Float64Array).findIndex((tsMs) => tsMs >= served)
    expect(skipped).toBeGreaterThan(0)
    for (const name of ['aggTradeId', 'price', 'qty', 'firstTradeId', 'lastTradeId', 'tsMs', 'isBuyerMaker']) {
      const column = whole.columns[name] as Float64Array
      expect(came.columns[name], name).toEqual(column.slice(skipped))
    }
    expect(audits(late, 'auditAggTrades')[0]).toMatchObject({
      verdict: 'WARN',
      findings: [{ kind: 'missingRows', fromTsMs: parseUtc('2026-08-04'), toTsMs: served }],
    })
    expect(audits(late, 'auditAggTradeSeam').map(({ verdict }) => verdict)).toEqual(['PASS'])
  })

  test('end with the archive where there is no API', async () => {
    const [{ url }] = open as [RunningExchange]
    const baseUrls = { usdm: url, spot: url, archive: url, listing: url }
    const run = new MemoryRun(dataset, { ...config, from: '2026-08-02', source: 'archives', baseUrls }, present)
    await run.make('dataset')
    expect(asked(run)).toEqual([])
    expect(columnsOf(run).map(([address]) => address)).toEqual(['ingestAggTrades[DOTUSDT,2026-08-02]'])
  })
})

describe('pages of aggregate trades', () => {
  const from = parseUtc('2026-08-05')!
  const row = (a: number, T = from + a) => ({ a, p: '1.5', q: '2', nq: '2', f: a, l: a, T, m: true })
  const pages = (...rows: object[][]) =>
    rows.map((one, i) => fileSet({ [`X-${from}-${from + HOUR_MS}-0000${i}.json`]: JSON.stringify(one) }))
  const day = { symbol: 'X', fromTsMs: from, toTsMs: from + DAY_MS }
  const read = (raw: ReturnType<typeof pages>) => ({
    ids: collected(pagedTradesOf(raw, aggTradeForm(from), day, 'quarantine')).tables.flatMap(({ columns }) => [
      ...columns.aggTradeId,
    ]),
    kinds: auditTradePages(raw, aggTradeForm(from), day, 'quarantine').findings.map(({ kind, rows }) => [kind, rows]),
  })

  test('that reach into each other are one row each, whatever order they were collected in', () => {
    const raw = pages([row(1), row(2), row(3)], [row(2), row(3), row(4)], [row(4), row(5)])
    const want = { ids: [1n, 2n, 3n, 4n, 5n], kinds: [] }
    expect(read(raw)).toEqual(want)
    expect(read([...raw].reverse())).toEqual(want)
  })

  test.each([
    { says: 'ids that are missing between pages', raw: pages([row(1)], [row(4)]), kinds: [['missingIds', 2]] },
    { says: 'ids that are missing within one', raw: pages([row(1), row(3)]), kinds: [['missingIds', 1]] },
    { says: 'rows in disorder', raw: pages([row(1), row(3), row(2)]), kinds: [['outOfOrder', 1]] },
    { says: 'a row twice', raw: pages([row(1), row(1)]), kinds: [['duplicateRows', 1]] },
    { says: 'two rows of one id', raw: pages([row(1), row(1, from)]), kinds: [['conflictingRows', 1]] },
    {
      says: 'a price that is none',
      raw: pages([row(1), { ...row(2), p: 'NaN' }]),
      kinds: [['badCell', undefined]],
    },
  ])('say of what is wrong: $says', ({ raw, kinds }) => expect(read(raw).kinds).toEqual(kinds))

  test('leave out what belongs to another day', () => {
    expect(read(pages([row(1, from - 1), row(2), row(3, from + DAY_MS)])).ids).toEqual([2n])
  })

  test('end with the page that is not full or reaches beyond; a form nobody knows is refused', () => {
    const next = nextAggTrades(aggTradesRequest)
    const query = { symbol: 'X', fromTsMs: from, toTsMs: from + 10, limit: 2 }
    expect(next([], query)).toBeUndefined()
    expect(next([row(1)], query)).toBeUndefined()
    expect(next([row(7), row(6)], query)?.path).toBe('/fapi/v1/aggTrades?symbol=X&fromId=8&limit=2')
    expect(next([row(1), row(11)], query)).toBeUndefined()
    expect(() => next([row(1), { id: 2 }], query)).toThrow('changed their form')
  })

  test('meet the day before where its ids end', () => {
    const table = (...given: number[]) => ({
      rowCount: given.length,
      columns: { aggTradeId: BigInt64Array.from(given, BigInt), tsMs: Float64Array.from(given) },
    })
    const kinds = (before: number[], after: number[]) =>
      tradeSeam(table(...before), table(...after), 'tag').map(({ kind, rows }) => [kind, rows])
    expect(kinds([1, 2], [3, 4])).toEqual([])
    expect(kinds([1, 2], [5])).toEqual([['missingIds', 2]])
    expect(kinds([1, 2], [2])).toEqual([['outOfOrder', undefined]])
    expect(kinds([], [2])).toEqual([])
  })
})
