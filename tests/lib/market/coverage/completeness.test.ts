import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { byMonth, joinGaps, type RowGrid, type StoredSpan, stateOf } from '../../../../lib/market/coverage/completeness.ts'
import { coverageOf, type Holdings } from '../../../../lib/market/coverage/coverage.ts'
import { planDataset } from '../../../../lib/market/plan/planDataset.ts'
import { DAY_MS, HOUR_MS, type Interval, intervals, MINUTE_MS, nextOpen, openOf, parseUtc } from '../../../../lib/time.ts'

const at = (text: string) => parseUtc(text)!
const bars = (interval: Interval): RowGrid => ({ kind: 'bars', interval })
const stored = (times: readonly number[], more: Partial<StoredSpan> = {}): StoredSpan => ({
  rows: times.length,
  times: () => Float64Array.from(times),
  settlements: () => ({
    settledTsMs: Float64Array.from(times),
    intervalHours: { values: new Int32Array(times.length).fill(8), valid: new Uint8Array(times.length).fill(1) },
  }),
  ...more,
})
const never = () => {
  throw new Error('this was not to be decoded')
}
const every = (stepMs: number, from: string, to: string, without: readonly string[] = []) => {
  const found: number[] = []
  for (let tsMs = at(from); tsMs < at(to); tsMs += stepMs)
    if (!without.some((text) => at(text) === tsMs)) found.push(tsMs)
  return found
}
const march = { fromTsMs: at('2026-03-01'), toTsMs: at('2026-04-01') }

describe('bars', () => {
  test('that are as many as there should be are complete, and nothing is decoded to know that', () => {
    const hours = stored(every(HOUR_MS, '2026-03-01', '2026-04-01'), { times: never })
    expect(stateOf(march, hours, bars('1h'), undefined)).toEqual({ expected: 744, rows: 744, gaps: [] })
  })

  test('lack what lies in their gaps, to the bar', () => {
    const some = stored(every(HOUR_MS, '2026-03-01', '2026-04-01', ['2026-03-05T07:00', '2026-03-05T08:00']))
    expect(stateOf(march, some, bars('1h'), undefined)).toEqual({
      expected: 744,
      rows: 742,
      gaps: [{ fromTsMs: at('2026-03-05T07:00'), toTsMs: at('2026-03-05T09:00'), rows: 2, why: 'venueGap' }],
    })
  })

  test('nobody fetched, or failed to fetch, are missing up to where they could be', () => {
    const open = { ...march, closedBeforeTsMs: at('2026-03-02T05:30') }
    expect(stateOf(open, undefined, bars('1h'), undefined).gaps).toEqual([
      { fromTsMs: march.fromTsMs, toTsMs: at('2026-03-02T05:00'), rows: 29, why: 'notFetched' },
    ])
    expect(stateOf(march, undefined, bars('1h'), 'it broke').gaps).toMatchObject([{ why: 'failed', note: 'it broke' }])
  })

  test('of an earlier look lack what came since', () => {
    const early = stored(every(HOUR_MS, '2026-03-01', '2026-03-02'), { closedBeforeTsMs: at('2026-03-02') })
    const open = { ...march, closedBeforeTsMs: at('2026-03-02T05:30') }
    expect(stateOf(open, early, bars('1h'), undefined)).toEqual({
      expected: 29,
      rows: 24,
      gaps: [{ fromTsMs: at('2026-03-02'), toTsMs: at('2026-03-02T05:00'), rows: 5, why: 'notFetched' }],
    })
  })

  test('whose table is gone are counted all the same', () => {
    const gone = stored(every(HOUR_MS, '2026-03-01', '2026-03-31'), { times: () => undefined })
    const { expected, rows, gaps } = stateOf(march, gone, bars('1h'), undefined)
    expect([expected, rows, gaps.map((gap) => gap.rows)]).toEqual([744, 720, [24]])
  })

  test('rows and gaps add up to what there should be, on every grid and whatever is missing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...intervals.filter((interval) => interval !== '1s' && interval !== '1m')),
        fc.integer({ min: 0, max: 40 }),
        fc.array(fc.boolean(), { minLength: 40, maxLength: 3000 }),
        (interval, startDays, isHere) => {
          const fromTsMs = at('2025-12-20') + startDays * DAY_MS
          const opens: number[] = []
          const floor = openOf(fromTsMs, interval)
          for (let open = floor < fromTsMs ? nextOpen(floor, interval) : floor; opens.length < 200; )
            open = nextOpen(opens[opens.push(open) - 1]!, interval)
          const toTsMs = nextOpen(opens.at(-1)!, interval)
          const kept = opens.filter((_, i) => isHere[i % isHere.length])
          const state = stateOf({ fromTsMs, toTsMs }, stored(kept), bars(interval), undefined)
          expect(state.expected).toBe(200)
          expect(state.gaps.reduce((sum, { rows }) => sum + rows!, state.rows)).toBe(200)
          for (const gap of state.gaps)
            expect(kept.filter((open) => open >= gap.fromTsMs && open < gap.toTsMs)).toEqual([])
        },
      ),
      { seed: 5, numRuns: 60 },
    )
  })
})

describe('settlements', () => {
  const grid: RowGrid = { kind: 'settlements', isFirst: false }

  test('of any one interval are complete by their number', () => {
    for (const hours of [1, 2, 4, 8]) {
      const all = stored(every(hours * HOUR_MS, '2026-03-01', '2026-04-01'), { settlements: never })
      expect(stateOf(march, all, grid, undefined).gaps).toEqual([])
    }
  })

  test('that are too far apart, or begin too late, leave gaps', () => {
    const some = stored(
      every(8 * HOUR_MS, '2026-03-01', '2026-04-01', ['2026-03-01', '2026-03-09T08:00', '2026-03-09T16:00']),
    )
    const { expected, gaps } = stateOf(march, some, grid, undefined)
    expect(expected).toBe(93)
    expect(gaps.map(({ rows }) => rows)).toEqual([1, 2])
    const listed = stateOf(march, some, { ...grid, isFirst: true }, undefined)
    expect(listed.gaps.map(({ rows }) => rows)).toEqual([2])
  })
})

test('statistics are named by either end of their five minutes', () => {
  const day = { fromTsMs: at('2026-03-01'), toTsMs: at('2026-03-02') }
  const starts = every(5 * MINUTE_MS, '2026-03-01', '2026-03-02', ['2026-03-01T10:00'])
  const ends = starts.map((tsMs) => tsMs + 5 * MINUTE_MS)
  for (const [times, atEnd] of [
    [starts, false],
    [ends, true],
  ] as const) {
    expect(stateOf(day, stored(times), { kind: 'fiveMinutes', atEnd }, undefined).gaps).toEqual([
      { fromTsMs: at('2026-03-01T10:00'), toTsMs: at('2026-03-01T10:05'), rows: 1, why: 'venueGap' },
    ])
  }
})

test('gaps that touch are one, and a month is as bad as its worst', () => {
  const gap = (from: number, to: number, why: 'failed' | 'venueGap') => ({
    fromTsMs: from,
    toTsMs: to,
    rows: to - from,
    why,
  })
  expect(joinGaps([gap(0, 2, 'failed'), gap(2, 5, 'failed'), gap(5, 6, 'venueGap')])).toEqual([
    gap(0, 5, 'failed'),
    gap(5, 6, 'venueGap'),
  ])
  const days = [gap(0, 1, 'venueGap'), gap(0, 1, 'failed')].map((one, i) => ({
    fromTsMs: march.fromTsMs + i * DAY_MS,
    expected: 2,
    rows: 1,
    gaps: [one],
  }))
  expect(byMonth(days)).toEqual([{ month: '2026-03', expected: 4, rows: 2, worst: 'failed' }])
})

describe('a plan', () => {
  const wished = { fromTsMs: at('2026-01-01'), toTsMs: Number.MAX_SAFE_INTEGER, hasApi: true }
  const wish = {
    ...wished,
    bars: [{ market: 'usdm', kind: 'klines', interval: '1d' }],
    funding: false,
    metrics: false,
    trades: false,
    aggTrades: false,
    openInterest: false,
    takerVolume: false,
  } as const
  const nothing: Holdings = { stored: () => undefined, failureOf: () => undefined, tradeMarkets: () => ['usdm'] }

  test('says when a symbol was not listed, and so lacks nothing', () => {
    const life = { symbol: 'LUNAUSDT', onboardTsMs: at('2026-02-10'), deliveryTsMs: at('2026-05-03') }
    const now = at('2026-08-05')
    const [series] = coverageOf(planDataset([life], wish, now), wished, nothing)
    expect(series!.gaps.map(({ why, fromTsMs, toTsMs }) => [why, fromTsMs, toTsMs])).toEqual([
      ['notListed', wished.fromTsMs, life.onboardTsMs],
      ['notFetched', life.onboardTsMs, life.deliveryTsMs],
      ['notListed', life.deliveryTsMs, now],
    ])
    expect(series!.months.map(({ month, expected }) => [month, expected])).toEqual([
      ['2026-02', 19],
      ['2026-03', 31],
      ['2026-04', 30],
      ['2026-05', 2],
    ])
  })

  test('of archives alone knows that the last days are not published yet', () => {
    const only = { ...wished, hasApi: false }
    const life = { symbol: 'BTCUSDT', onboardTsMs: 0 }
    const plan = planDataset([life], { ...wish, hasApi: false }, at('2026-08-05'))
    const last = coverageOf(plan, only, nothing)[0]!.gaps.at(-1)!
    expect([last.why, last.note]).toEqual(['notFetched', 'the archive does not have it yet'])
  })
})
