import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { parseCsv } from '../../../lib/csv/parser.ts'
import { createRng } from '../../../lib/rng.ts'
import { klineCsv, klinesOf, type klineTable } from '../../../lib/tables/klines.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import type { QaReport } from '../../../lib/tables/qa.ts'
import { concatTables, makeTable, sliceTable, type TableOf } from '../../../lib/tables/table.ts'
import { DAY_MS, dayOf, dayStart, formatUtc, MINUTE_MS, parseUtc } from '../../../lib/time.ts'
import { buildMinute } from '../../../tasks/minute/buildMinute.ts'
import { qa } from '../../../tasks/minute/qa.ts'
import { runTask, storedTable, wholeTable } from '../../support/runTask.ts'
import { simDay } from '../../support/simTables.ts'

type Klines = TableOf<typeof klineTable>
type Minutes = TableOf<typeof minuteTable>

const at = (text: string) => parseUtc(text)!
const nextDayOf = (day: string, by = 1) => dayOf(dayStart(day) + by * DAY_MS)

function minutesOf(symbol: string, tables: readonly Klines[], from: string, to: string): Minutes {
  const inputs = { klines: tables.filter(({ rowCount }) => rowCount > 0).map((table) => storedTable(table)) }
  return wholeTable(minuteTable, runTask(buildMinute, inputs, { symbol, from, to }))
}

/** The report over minutes that begin two days before `from`. */
function assess(minutes: Minutes, params: z.input<typeof qa.params>): QaReport {
  return runTask(qa, { minutes: [storedTable(minutes)] }, params) as QaReport
}

const days = (from: string, count: number) => Array.from({ length: count }, (_, i) => nextDayOf(from, i))
const simMinutes = (symbol: string, day: string) =>
  minutesOf(
    symbol,
    days(nextDayOf(day, -2), 3).map((one) => simDay.klines(symbol, one)),
    nextDayOf(day, -2),
    nextDayOf(day),
  )

const spans = (report: QaReport) =>
  report.masks.map(({ fromMs, toMs, action, because }) => [formatUtc(fromMs), formatUtc(toMs), action, ...because])

describe('a gap', () => {
  const minutes = simMinutes('XRPUSDT', '2026-07-07')
  const params = { symbol: 'XRPUSDT', from: '2026-07-07', to: '2026-07-08' }

  test('is found to the bar, and masks from when it is knowable until its end is', () => {
    const report = assess(minutes, params)
    const [day] = report.days
    expect(day).toMatchObject({ status: 'quarantined', knownAtMs: at('2026-07-08T00:00Z') })
    expect(day!.metrics).toMatchObject({ expectedBars: 1440, presentBars: 1290, missingBars: 150, outageBars: 0 })
    expect(day!.findings).toContainEqual({
      kind: 'gap',
      fromMs: at('2026-07-07T03:30Z'),
      toMs: at('2026-07-07T06:00Z'),
      knownAtMs: at('2026-07-07T03:31Z'),
      bars: 150,
    })
    expect(spans(report)).toEqual([['2026-07-07T03:31:00.000Z', '2026-07-07T06:01:00.000Z', 'quarantine', 'gap']])
    expect(day!.metrics.maskedBars).toBe(150)
  })

  test('under the policy "tag" is said and masks nothing', () => {
    const report = assess(minutes, { ...params, policy: 'tag' })
    expect(report.masks).toEqual([])
    expect(report.days[0]!.status).toBe('tagged')
    expect(report.days[0]!.findings).toEqual(assess(minutes, params).days[0]!.findings)
  })

  test('under "reject" costs the rest of the day, from the bar on that makes it too much', () => {
    const report = assess(minutes, { ...params, policy: 'reject', badShareMax: 0.05 })
    expect(report.days[0]!.status).toBe('rejected')
    expect(report.days[0]!.findings.filter(({ kind }) => kind === 'badDay')).toHaveLength(1)
    // Seventy-two minutes are five per cent of a day: the next one is too much, and known when it should have closed.
    expect(spans(report)).toEqual([
      ['2026-07-07T03:31:00.000Z', '2026-07-07T06:01:00.000Z', 'quarantine', 'gap'],
      ['2026-07-07T04:43:00.000Z', '2026-07-08T00:00:00.000Z', 'reject', 'badDay'],
    ])
    expect(spans(assess(minutes, { ...params, policy: 'reject', badShareMax: 0.5 }))).toHaveLength(1)
  })
})

describe('an outage', () => {
  test('is of another kind than a gap: flat bars, found once they have lasted', () => {
    const report = assess(simMinutes('ETHUSDT', '2026-06-02'), {
      symbol: 'ETHUSDT',
      from: '2026-06-02',
      to: '2026-06-03',
    })
    const [day] = report.days
    expect(day!.metrics).toMatchObject({ missingBars: 0, outageBars: 39, quietBars: 4, staleBars: 38 })
    expect(spans(report)).toEqual([
      ['2026-06-02T14:16:00.000Z', '2026-06-02T14:55:00.000Z', 'quarantine', 'outage', 'stale'],
    ])
  })
})

describe('outliers', () => {
  const minutes = simMinutes('DOTUSDT', '2026-07-14')
  const params = { symbol: 'DOTUSDT', from: '2026-07-14', to: '2026-07-15' }
  const row = minutes.columns.openTsMs.indexOf(at('2026-07-14T12:00Z'))
  const close = minutes.columns.close.slice()
  close[row] = (close[row]! * 13n) / 10n
  const high = minutes.columns.high.slice()
  high[row] = close[row]!
  const jumped = makeTable(minuteTable, { ...minutes.columns, close, high })

  test('of returns are tagged with their size, and never mask', () => {
    const report = assess(jumped, params)
    expect(report.days[0]!.findings).toMatchObject([
      { kind: 'returnOutlier', fromMs: at('2026-07-14T12:00Z'), bars: 2, knownAtMs: at('2026-07-14T12:01Z') },
    ])
    expect(report.days[0]!.findings[0]!.worst).toBeGreaterThan(100)
    expect(report.masks).toEqual([])
    expect(report.days[0]!.status).toBe('tagged')
    expect(assess(jumped, { ...params, policy: 'reject', badShareMax: 0 }).masks).toEqual([])
  })

  test('a quiet day is ok', () => {
    expect(assess(minutes, params).days[0]).toMatchObject({ status: 'ok', findings: [] })
  })
})

describe('the life of a symbol', () => {
  test('before its first bar it is absent, not full of gaps', () => {
    const minutes = minutesOf('WIFUSDT', [simDay.klines('WIFUSDT', '2026-05-20')], '2026-05-19', '2026-05-21')
    const report = assess(minutes, { symbol: 'WIFUSDT', from: '2026-05-19', to: '2026-05-21' })
    expect(report.days.map(({ status }) => status)).toEqual(['absent', 'ok'])
    expect(report.days[1]!.metrics.expectedBars).toBe(14 * 60)
  })

  test('a price that is frozen after the delisting is an outage to the end', () => {
    const minutes = simMinutes('LUNAUSDT', '2026-06-18')
    const report = assess(minutes, { symbol: 'LUNAUSDT', from: '2026-06-18', to: '2026-06-19' })
    expect(spans(report)).toEqual([
      ['2026-06-18T09:05:00.000Z', '2026-06-19T00:00:00.000Z', 'quarantine', 'outage', 'stale'],
    ])
  })
})

describe('verdicts cannot look ahead', () => {
  const minutes = simMinutes('XRPUSDT', '2026-07-07')
  const range = { symbol: 'XRPUSDT', from: '2026-07-07', to: '2026-07-08', outlierMultiple: 8, badShareMax: 0.01 }

  /** What anybody can have known by then: masks in force, and findings that had shown, however long they would last. */
  const knownBy = (report: QaReport, nowMs: number) => ({
    masks: report.masks
      .filter(({ fromMs }) => fromMs <= nowMs)
      .map(({ fromMs, toMs, action }) => [fromMs, Math.min(toMs, nowMs), action]),
    findings: report.days
      .flatMap(({ findings }) => findings)
      .filter(({ knownAtMs }) => knownAtMs <= nowMs)
      .map(({ kind, fromMs, toMs, knownAtMs }) => [kind, fromMs, Math.min(toMs, nowMs), knownAtMs]),
  })

  for (const policy of ['reject', 'quarantine', 'tag'] as const) {
    test(`${policy}: with another future everything known by now is the same`, () => {
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 0, max: 1440 }), (seed, minute) => {
          const nowMs = dayStart('2026-07-07') + minute * MINUTE_MS
          const params = { ...range, policy }
          const other = assess(otherFuture(minutes, nowMs, seed), params)
          expect(knownBy(other, nowMs)).toEqual(knownBy(assess(minutes, params), nowMs))
        }),
        { numRuns: 15 },
      )
    })
  }

  test('the two days before are history enough', () => {
    const early = days('2026-07-02', 6).map((day) => simDay.klines('XRPUSDT', day))
    const longer = minutesOf('XRPUSDT', early, '2026-07-02', '2026-07-08')
    expect(assess(longer, range)).toEqual(assess(minutes, range))
  })

  test('a report of two days says of each what a report of that day says', () => {
    const long = minutesOf(
      'XRPUSDT',
      days('2026-07-04', 5).map((day) => simDay.klines('XRPUSDT', day)),
      '2026-07-04',
      '2026-07-09',
    )
    const both = assess(long, { ...range, from: '2026-07-07', to: '2026-07-09' })
    const parts = ['2026-07-07', '2026-07-08'].map((from) => assess(long, { ...range, from, to: nextDayOf(from) }))
    expect(both.days).toEqual(parts.flatMap((report) => report.days))
    expect(both.masks).toEqual(parts.flatMap((report) => report.masks))
  })
})

/** Rows closed by `nowMs` as they are; of the later ones some vanish, stop trading, contradict themselves or leap. */
function otherFuture(minutes: Minutes, nowMs: number, seed: number): Minutes {
  const rng = createRng(seed)
  const known = minutes.columns.openTsMs.findIndex((ts) => ts + MINUTE_MS > nowMs)
  if (known < 0) return minutes
  const parts = [sliceTable(minutes, 0, known)]
  for (let row = known; row < minutes.rowCount; row++) {
    const one = concatTables(minuteTable, [sliceTable(minutes, row, row + 1)])
    const fate = rng.below(6)
    if (fate === 0) continue
    if (fate === 1) one.columns.close[0] = one.columns.close[0]! * 2n
    if (fate === 2) one.columns.dataOk[0] = 0
    if (fate === 3) one.columns.stalenessMs[0] = 1e7
    if (fate === 4) (one.columns.state as string[])[0] = 'outage'
    parts.push(one)
  }
  return concatTables(minuteTable, parts)
}

const root = process.env['TICKPIPE_MARKET_DATA'] ?? join(import.meta.dirname, '../../../../shared/market-data')
const months = join(root, 'binance-vision/um-klines-1m')

describe.skipIf(!existsSync(months))('real minutes', () => {
  test('the outages of 2024-10-28 are found where they were, and most of the month is fine', () => {
    const table = (month: string) => {
      const file = `FILUSDT-1m-${month}.csv.gz`
      const bytes = gunzipSync(readFileSync(join(months, file)))
      return klinesOf('FILUSDT', parseCsv(klineCsv, bytes, { file }).table)
    }
    const minutes = minutesOf('FILUSDT', [table('2024-09'), table('2024-10')], '2024-09-29', '2024-11-01')
    const report = assess(minutes, { symbol: 'FILUSDT', from: '2024-10-01', to: '2024-11-01' })
    const bad = report.days.filter(({ status }) => status === 'quarantined')
    expect(bad.map(({ day, metrics }) => [day, metrics.outageBars + metrics.quietBars])).toEqual([['2024-10-28', 89]])
    expect(report.masks.at(-1)).toEqual({
      fromMs: at('2024-10-28T20:05Z'),
      toMs: at('2024-10-28T21:15Z'),
      action: 'quarantine',
      because: ['outage', 'stale'],
    })
    expect(report.days.filter(({ status }) => status === 'ok').length).toBeGreaterThan(20)
  })
})
