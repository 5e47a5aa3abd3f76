import { isDeepStrictEqual } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import type { AuditReport } from '../../../lib/audit/finding.ts'
import { defaultEvents } from '../../../lib/sim/defaultWorld.ts'
import type { FaultRule } from '../../../lib/sim/faults/plan.ts'
import { type RunningExchange, startExchange } from '../../../lib/sim/server.ts'
import type { Table } from '../../../lib/tables/table.ts'
import { HOUR_MS, MINUTE_MS, parseUtc } from '../../../lib/time.ts'
import { dataset } from '../../../pipeline/graphs/dataset.ts'
import { MemoryRun } from '../../support/memoryRun.ts'

const open: RunningExchange[] = []
afterAll(async () => {
  for (const one of open) await one.close()
})
async function serve(...rules: FaultRule[]) {
  const server = await startExchange({ faults: { seed: 4, rules } })
  open.push(server)
  return server
}

const present = parseUtc('2026-08-05T09:00')!
/** Patience for a test: the same steps, with hardly a wait between them. */
const http = { backoffMsMin: 1, backoffMsMax: 3, forbiddenPauseMs: 1, pauseMsMin: 1, attemptsMax: 30, budgetShare: 1 }
const overSockets = (url: string) => ({
  source: 'binance',
  baseUrls: { usdm: url, spot: url, archive: url, listing: url },
  http,
})

type Tables = Record<string, Table['columns']>
const tablesOf = (run: MemoryRun): Tables =>
  Object.fromEntries(
    ['ingestKlines', 'ingestFunding', 'ingestMetrics'].flatMap((task) =>
      [...run.of<Table>(task)]
        .filter(([address]) => !address.includes('universe'))
        .map(
          ([
            address,
            {
              columns: { markPrice, ...columns },
            },
          ]) => [address, columns],
        ),
    ),
  )
const marksOf = (run: MemoryRun): number => {
  const { valid } = run.of<Table>('ingestFunding').get('ingestFunding[BTCUSDT,2026-06]')!.columns['markPrice'] as {
    valid: Uint8Array
  }
  return valid.reduce((sum, flag) => sum + flag, 0)
}
const findingsOf = (run: MemoryRun): Set<string> =>
  new Set(
    ['auditBars', 'auditFunding', 'auditMetrics'].flatMap((task) =>
      [...run.of<AuditReport>(task).values()].flatMap(({ findings }) => findings.map(({ kind }) => kind)),
    ),
  )

describe('a data set', () => {
  const june = {
    from: '2026-06-23',
    to: '2026-06-27',
    universe: { allow: ['BTCUSDT', 'DOTUSDT', 'LUNAUSDT', 'XAUUSDT'], dates: ['2026-06-10'], size: 2 },
    bars: [{ interval: '1h' }],
    metrics: true,
  }

  test('survives every fault at once with nothing lost: the tables are those of a venue without faults', async () => {
    const right = new MemoryRun(dataset, june, present)
    await right.make('dataset')
    const answers = [
      'serverError',
      'reset',
      'resetInBody',
      'truncated',
      'backendTimeout',
      'rateLimited',
      'forbidden',
    ] as const
    const july = 'BTCUSDT-1h-2026-06'
    const { url, exchange } = await serve(
      ...answers.map((kind) => ({ match: '.', kind, probability: 0.05, retryAfterSeconds: 0 })),
      { match: '^/fapi', kind: 'htmlWith200', probability: 0.2 },
      { match: '^/fapi', kind: 'codeWith200', probability: 0.2 },
      { match: `${july}.zip`, kind: 'missingRows' },
      { match: `${july}.zip`, kind: 'duplicateRows' },
      { match: `${july}.zip`, kind: 'reorderRows' },
      { match: `${july}.zip`, kind: 'offGridRow' },
      { match: `${july}.zip`, kind: 'headerFlip' },
      { match: 'LUNAUSDT-1h-2026-06.zip', kind: 'republished' },
      { match: 'LUNAUSDT-1h-2026-06.zip', kind: 'unitFlip' },
      { match: 'BTCUSDT-fundingRate', kind: 'wrongChecksum' },
      { match: 'metrics-2026-06-24', kind: 'labelFlip' },
    )
    const wrong = new MemoryRun(dataset, { ...june, ...overSockets(url) }, present)
    await wrong.make('dataset')
    const [came, meant] = [tablesOf(wrong), tablesOf(right)]
    expect(Object.keys(came)).toEqual(Object.keys(meant))
    expect(Object.keys(meant).filter((address) => !isDeepStrictEqual(came[address], meant[address]))).toEqual([])
    // Nothing of the archive's settlements is taken, and the API has them all, with mark prices that no archive tells.
    expect(marksOf(right)).toBe(0)
    expect(marksOf(wrong)).toBeGreaterThan(80)
    expect(Object.keys(tablesOf(wrong)).length).toBe(12)
    const found = findingsOf(wrong)
    for (const kind of [
      'duplicateRows',
      'outOfOrder',
      'offGrid',
      'missingHeader',
      'unexpectedTimeUnit',
      'checksumMismatch',
    ]) {
      expect(found, kind).toContain(kind)
    }
    // A contract that had died: its price stood still, and its statistics had ended.
    expect(findingsOf(right)).toEqual(new Set(['missingRows', 'frozenPrice']))
    expect(exchange.tally.requests).toBeGreaterThan(60)
  }, 120_000)

  test('that was stopped half-way asks only for what is missing, and asks for nothing twice', async () => {
    const { url } = await serve({ match: 'BTCUSDT-metrics-2026-06-24', kind: 'restricted', times: 1 })
    const known = new Map<string, unknown>()
    const config = { ...june, ...overSockets(url) }
    const stopped = new MemoryRun(dataset, config, present, known)
    await expect(stopped.make('dataset')).rejects.toThrow('does not serve this place')
    const goneOn = new MemoryRun(dataset, config, present, known)
    await goneOn.make('dataset')
    const urls = [...stopped.notes, ...goneOn.notes]
      .filter(({ url: asked, status }) => asked !== undefined && status === 200)
      .map(({ url: asked }) => asked)
    expect(new Set(urls).size).toBe(urls.length)
    const again = new MemoryRun(dataset, config, present, known)
    await again.make('dataset')
    expect(again.notes).toEqual([])
  }, 60_000)

  test('needs no API when archives are enough, and says so where the API serves nobody here', async () => {
    const { url } = await serve({ match: '^/(fapi|api|futures)/', kind: 'restricted' })
    await expect(
      new MemoryRun(dataset, { ...june, ...overSockets(url) }, present).make('dataset'),
    ).rejects.toMatchObject({
      todo: expect.stringContaining("source: 'archives'"),
    })
    const archives = new MemoryRun(dataset, { ...june, ...overSockets(url), source: 'archives' }, present)
    await archives.make('dataset')
    expect(Object.keys(tablesOf(archives)).length).toBeGreaterThan(10)
  }, 60_000)
})

describe('the tail', () => {
  const minutes = (asOf: string) => ({
    from: '2026-08-02',
    universe: { mode: 'listed', symbols: ['BTCUSDT'] },
    bars: [{ interval: '1m' }],
    funding: false,
    asOf,
  })
  const run = async (asOf: string, known = new Map<string, unknown>()) => {
    const { asOf: _, ...config } = minutes(asOf)
    const made = new MemoryRun(dataset, config, parseUtc(asOf)!, known)
    await made.make('dataset')
    return made
  }
  const opens = (made: MemoryRun): number[] =>
    [...made.of<Table>('ingestKlines')]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, { columns }]) => [...(columns['openTsMs'] as Float64Array)])

  test('joins archive days and the API without a seam, and holds no bar that is still open', async () => {
    const made = await run('2026-08-05T09:00')
    const from = parseUtc('2026-08-02')!
    const count = (present - from) / MINUTE_MS
    expect(opens(made)).toEqual(Array.from({ length: count }, (_, i) => from + i * MINUTE_MS))
    const audits = [...made.of<AuditReport>('auditBars').values()]
    expect(audits.map(({ verdict }) => verdict)).toEqual(['PASS', 'PASS', 'PASS', 'PASS'])
    const slices = made.notes.flatMap(({ slice }) =>
      slice === undefined ? [] : [slice as { status: string; items: number }],
    )
    expect(slices.length).toBeGreaterThan(3)
    expect(slices.every(({ status, items }) => status === 'ok' && items > 0)).toBe(true)
  })

  test('moves on: a later run asks only for what is new since', async () => {
    const known = new Map<string, unknown>()
    const first = await run('2026-08-04T20:00', known)
    const second = await run('2026-08-05T09:00', known)
    expect(opens(second).slice(0, opens(first).length)).toEqual(opens(first))
    const asked = (made: MemoryRun) =>
      made.notes.flatMap(({ url }) => (typeof url === 'string' && url.includes('/klines?') ? [url] : []))
    const starts = asked(second).map((url) => Number(/startTime=(\d+)/.exec(url)![1]))
    // The slice that was open then, and those after it; nothing before.
    expect(Math.min(...starts)).toBeGreaterThan(parseUtc('2026-08-04T20:00')! - 500 * MINUTE_MS)
    expect(asked(second).filter((url) => asked(first).includes(url))).toEqual([])
  })
})

describe('the universe', () => {
  const config = (rules: object) => ({ from: '2026-06-10', to: '2026-06-11', universe: rules })
  type Universe = {
    symbols: {
      symbol: string
      tickSize: string
      stepSize: string
      rulesFrom: string
      quoteVolumeUsdDaily: number
      active: { fromTsMs: number; toTsMs?: number }[]
    }[]
    rejected: { symbol: string; reason: string }[]
    selection: {
      gone: string[]
      hasSurvivorship: boolean
      mode: string
      dates: { tsMs: number; symbols: string[] }[]
      survivorshipGap?: { onlyHistorical: string[]; onlyLive: string[]; volumeShare: number }
    }
  }
  const universeOf = async (rules: object): Promise<Universe> => {
    const run = new MemoryRun(dataset, config(rules), present)
    await run.make('universe')
    return [...run.of<Universe>('buildUniverse').values()][0]!
  }

  test('of a past date keeps who died later, with rules told by its own data', async () => {
    const { symbols, selection, rejected } = await universeOf({ size: 6 })
    const luna = symbols.find(({ symbol }) => symbol === 'LUNAUSDT')
    expect(luna).toMatchObject({ tickSize: '0.001', stepSize: '0.01', rulesFrom: 'inferred' })
    expect(selection).toMatchObject({ gone: ['LUNAUSDT'], hasSurvivorship: false, mode: 'historical' })
    expect(symbols.find(({ symbol }) => symbol === 'BTCUSDT')).toMatchObject({
      tickSize: '0.10',
      rulesFrom: 'snapshot',
    })
    const why = new Map(rejected.map(({ symbol, reason }) => [symbol, reason]))
    expect(why.get('XAUUSDT')).toBe('its contract type is TRADIFI_PERPETUAL')
    expect(why.get('BTCUSDT_260925')).toBe('it has a delivery date')
    expect(why.get('MATICUSDT')).toContain('its bars ended before 2026-06-10')
    expect(why.get('DOTUSDT')).toMatch(/rank \d+ of \d+ by volume/)
    // Every name the archive or the venue knows is in, or has a reason.
    expect(symbols.length + rejected.length).toBeGreaterThanOrEqual(18)
  }, 60_000)

  test('of today is refused for the past, unless survivorship is allowed, which is then stamped on it', async () => {
    await expect(universeOf({ mode: 'live', size: 6 })).rejects.toThrow('it holds only those who survived')
    const { selection, symbols } = await universeOf({ mode: 'live', size: 6, allowSurvivorship: true })
    expect(selection).toMatchObject({ mode: 'live', hasSurvivorship: true })
    expect(symbols.map(({ symbol }) => symbol)).not.toContain('LUNAUSDT')
  }, 60_000)

  test('takes the dead for as old as they were: an age that is asked for does not leave the survivors only', async () => {
    const { symbols, selection } = await universeOf({ size: 6, minAgeDays: 90 })
    expect(symbols.map(({ symbol }) => symbol)).toContain('LUNAUSDT')
    expect(selection.survivorshipGap).toMatchObject({ liveFrom: 'listing', onlyHistorical: ['LUNAUSDT'] })
    expect(selection.survivorshipGap!.onlyLive).toHaveLength(1)
    expect(selection.survivorshipGap!.volumeShare).toBeGreaterThan(0)
  }, 60_000)

  test('of several dates is their union, and every member has its tables', async () => {
    const dates = ['2026-04-01', '2026-05-01', '2026-06-01', '2026-07-01']
    const run = new MemoryRun(
      dataset,
      {
        from: '2026-04-01',
        to: '2026-07-10',
        universe: {
          dates,
          size: 5,
          allow: ['LUNAUSDT', 'SUIUSDT', 'POLUSDT', 'MATICUSDT', 'DOTUSDT', 'XRPUSDT', 'WIFUSDT'],
        },
        bars: [{ interval: '4h' }],
        funding: false,
      },
      present,
    )
    await run.make('dataset')
    const [{ symbols, selection }] = [...run.of<Universe>('buildUniverse').values()] as [Universe]
    const members = new Set(selection.dates.flatMap((date) => date.symbols))
    expect(selection.dates.map(({ tsMs }) => tsMs)).toEqual(dates.map((date) => parseUtc(date)!))
    expect(symbols.map(({ symbol }) => symbol)).toEqual([...members].sort())
    expect(members.size).toBeGreaterThan(5)
    // A member's stretches say the same as the dates.
    for (const { tsMs, symbols: then } of selection.dates) {
      const isActive = ({ active }: Universe['symbols'][number]) =>
        active.some(({ fromTsMs, toTsMs = Number.POSITIVE_INFINITY }) => fromTsMs <= tsMs && tsMs < toTsMs)
      expect(symbols.filter(isActive).map(({ symbol }) => symbol)).toEqual([...then].sort())
    }
    const ingested = [...run.of('ingestKlines').keys()].filter((address) => !address.includes('[universe,'))
    const tables = new Set(ingested.map((address) => /\[(\w+),/.exec(address)![1]!))
    expect(tables).toEqual(members)
  }, 60_000)

  test('does not look ahead: what the market does from the date on changes nothing', async () => {
    const rules = { size: 4, allow: ['BTCUSDT', 'LUNAUSDT', 'POLUSDT', 'SUIUSDT', 'XRPUSDT'] }
    const then = new MemoryRun(dataset, config(rules), defaultEvents.lunaDelistTsMs + HOUR_MS)
    const now = new MemoryRun(dataset, config(rules), present)
    const choice = async (run: MemoryRun) => {
      await run.make('universe')
      const { symbols } = [...run.of<Universe>('buildUniverse').values()][0]!
      return symbols.map(({ symbol, quoteVolumeUsdDaily }) => [symbol, quoteVolumeUsdDaily])
    }
    expect(await choice(then)).toEqual(await choice(now))
  }, 60_000)
})

describe('the venue’s statistics', () => {
  test('of a month are complete up to now, and their audits find nothing', async () => {
    const statistics = {
      from: '2026-08-01',
      universe: { mode: 'listed', symbols: ['BTCUSDT'] },
      bars: [],
      funding: false,
      openInterest: true,
      takerVolume: true,
    }
    const run = new MemoryRun(dataset, statistics, present)
    await run.make('dataset')
    const steps = Math.floor((present - parseUtc('2026-08-01')!) / (5 * MINUTE_MS))
    for (const [task, audit] of [
      ['ingestOpenInterest', 'auditOpenInterest'],
      ['ingestTakerVolume', 'auditTakerVolume'],
    ] as const) {
      const rows = [...run.of<Table>(task).values()].reduce((sum, { rowCount }) => sum + rowCount, 0)
      expect(rows, task).toBe(steps)
      const audits = [...run.of<AuditReport>(audit).values()]
      expect(audits.map(({ findings }) => findings)).toEqual([[], [], [], [], []])
    }
    const asked = run.notes.flatMap(({ url }) => (typeof url === 'string' ? [url] : []))
    expect(new Set(asked).size).toBe(asked.length)
  })

  test('audits trades by what was noted while they were read, and by their files where they are rejected', async () => {
    const day = { from: '2026-06-24', to: '2026-06-25', universe: { mode: 'listed', symbols: ['LTCUSDT'] } }
    const audited = async (policy: 'quarantine' | 'reject') => {
      const config = { ...day, bars: [], funding: false, trades: ['usdm'], policy }
      const run = new MemoryRun(dataset, config, present)
      await run.make('audit')
      return { audits: [...run.of<AuditReport>('auditTrades')], tables: run.of('ingestTrades').size }
    }
    const noted = await audited('quarantine')
    expect(noted).toMatchObject({ audits: [['auditTrades[LTCUSDT,2026-06-24]', { verdict: 'PASS' }]], tables: 1 })
    expect(await audited('reject')).toEqual({ audits: noted.audits, tables: 0 })
  }, 60_000)
})
