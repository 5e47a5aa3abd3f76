import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { eventRanks } from '../../../lib/backtest/eventOrder.ts'
import type { universe } from '../../../lib/market/universe.ts'
import { type eventTable as EventTable, eventTable, type ReplaySummary } from '../../../lib/tables/events.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import { encodeTable } from '../../../lib/tables/parquet.ts'
import type { QaReport } from '../../../lib/tables/qa.ts'
import { makeTable, sliceTable, type TableOf } from '../../../lib/tables/table.ts'
import { dayStart, MINUTE_MS, parseUtc } from '../../../lib/time.ts'
import { buildMinute } from '../../../tasks/minute/buildMinute.ts'
import { qa } from '../../../tasks/minute/qa.ts'
import { replay } from '../../../tasks/replay/replay.ts'
import { replayEvents } from '../../../tasks/replay/replayEvents.ts'
import { runTask, storedTable, wholeTable } from '../../support/runTask.ts'
import { simDay } from '../../support/simTables.ts'

type Minutes = TableOf<typeof minuteTable>
type Events = TableOf<typeof EventTable>

const at = (text: string) => parseUtc(text)!
const days = ['2026-07-06', '2026-07-07', '2026-07-08']
const symbols = ['ETHUSDT', 'XRPUSDT', 'DOTUSDT']
const range = { from: '2026-07-07', to: '2026-07-09' }

const minutes = symbols.map((symbol): Minutes => {
  const inputs = {
    klines: days.map((day) => storedTable(simDay.klines(symbol, day))),
    mark: days.map((day) => storedTable(simDay.mark(symbol, day))),
  }
  return wholeTable(minuteTable, runTask(buildMinute, inputs, { symbol, from: days[0]!, to: '2026-07-09' }))
})
const reports = minutes.map(
  (table, i) =>
    runTask(qa, { minutes: [storedTable(table)] }, { symbol: symbols[i]!, ...range }) as unknown as QaReport,
)
const listed = (symbol: string) => ({ symbol, tickSize: '0.1', stepSize: '1', minNotional: '5', onboardTsMs: 0 })
const selection = {
  mode: 'historical' as const,
  size: 2,
  minQuoteVolumeUsd: 0,
  minAgeDays: 0,
  lookbackDays: 1,
  hasSurvivorship: false,
  gone: [],
  dates: [
    { tsMs: at('2026-07-01'), symbols: ['XRPUSDT', 'ETHUSDT'] },
    { tsMs: at('2026-07-08'), symbols: ['DOTUSDT', 'ETHUSDT'] },
  ],
}
const members: z.infer<typeof universe.schema> = { symbols: symbols.map(listed), rejected: [], selection }
const inputs = {
  universe: members,
  minutes: minutes.map(storedTable),
  trades: ['2026-07-07', '2026-07-08'].map((day) => storedTable(simDay.trades('DOTUSDT', day))),
  funding: symbols.map((symbol) => simDay.funding(symbol, '2026-07')),
  qa: reports,
}

const summaryOf = (given: Partial<Parameters<typeof replay.run>[0]> = {}, params = range) =>
  runTask(replay, { ...inputs, ...given }, params) as unknown as ReplaySummary
const eventsOf = (given: Partial<Parameters<typeof replay.run>[0]> = {}): Events =>
  wholeTable(eventTable, runTask(replayEvents, { ...inputs, ...given }, range))

const whole = summaryOf()
const events = eventsOf()
const { columns } = events

describe('the order of events', () => {
  test('is by instant, rank, venue sequence, source: one sort of all rows gives the same', () => {
    const order = Array.from({ length: events.rowCount }, (_, i) => i)
    const keyOf = (i: number) => [
      columns.tsMs[i]!,
      columns.rank[i]!,
      Number.isNaN(columns.sequence[i]) ? 0 : columns.sequence[i]!,
    ]
    const sorted = [...order].sort((a, b) => {
      const [x, y] = [keyOf(a), keyOf(b)]
      for (let k = 0; k < 3; k++) if (x[k] !== y[k]) return x[k]! - y[k]!
      return columns.source[a] === columns.source[b] ? a - b : columns.source[a]! < columns.source[b]! ? -1 : 1
    })
    expect(sorted.findIndex((row, i) => row !== i)).toBe(-1)
    expect(events.rowCount).toBe(whole.events)
  })

  test('at one instant: mark, funding, universe and verdicts, bar close, and only then the next open', () => {
    const instant = at('2026-07-08T00:00Z')
    const rows = Array.from(columns.tsMs.keys()).filter(
      (i) => columns.tsMs[i] === instant && columns.class[i] !== 'trade',
    )
    expect(rows.map((i) => `${columns.class[i]} ${columns.source[i]}`)).toEqual([
      ...['mark DOTUSDT', 'mark ETHUSDT', 'mark XRPUSDT'],
      ...['funding DOTUSDT', 'funding ETHUSDT', 'funding XRPUSDT'],
      ...['universe DOTUSDT', 'universe XRPUSDT'],
      ...['barClose DOTUSDT', 'barClose ETHUSDT', 'barClose XRPUSDT'],
      ...['barOpen DOTUSDT', 'barOpen ETHUSDT', 'barOpen XRPUSDT'],
    ])
    for (const i of rows) expect(columns.rank[i]).toBe(eventRanks[columns.class[i] as keyof typeof eventRanks])
  })

  test('a bar is known at its close, with the values of the minute table', () => {
    const i = columns.class.findIndex(
      (kind, row) =>
        kind === 'barClose' && columns.source[row] === 'ETHUSDT' && columns.tsMs[row] === at('2026-07-07T12:00Z'),
    )
    const table = minutes[0]!.columns
    const row = table.openTsMs.indexOf(at('2026-07-07T11:59Z'))
    expect(columns.close[i]).toBe(Number(table.close[row]!) / 1e8)
    expect(columns.volume[i]).toBe(Number(table.volume[row]!) / 1e8)
  })

  test('membership at the start is its first event, and later only what changes', () => {
    const changes = Array.from(columns.tsMs.keys()).filter((i) => !Number.isNaN(columns.member[i]!))
    expect(changes.map((i) => [columns.tsMs[i], columns.source[i], columns.member[i]])).toEqual([
      [at('2026-07-07'), 'ETHUSDT', 1],
      [at('2026-07-07'), 'XRPUSDT', 1],
      [at('2026-07-08'), 'DOTUSDT', 1],
      [at('2026-07-08'), 'XRPUSDT', 0],
    ])
  })

  test('a verdict is an event of the instant it was knowable', () => {
    const masks = Array.from(columns.tsMs.keys()).filter((i) => !Number.isNaN(columns.mask[i]!))
    expect(masks.map((i) => [columns.tsMs[i], columns.source[i], columns.mask[i]])).toEqual([
      [at('2026-07-07T03:31Z'), 'XRPUSDT#qa', 1],
      [at('2026-07-07T06:01Z'), 'XRPUSDT#qa', 0],
    ])
  })

  test('trades keep the venue’s sequence', () => {
    const trades = Array.from(columns.tsMs.keys()).filter((i) => columns.class[i] === 'trade')
    expect(trades.length).toBe(whole.byClass['trade'])
    expect(trades.every((i, k) => k === 0 || columns.sequence[i]! > columns.sequence[trades[k - 1]!]!)).toBe(true)
  })
})

describe('the digest of the stream', () => {
  const shuffled = {
    minutes: minutes
      .flatMap((table) => [sliceTable(table, 0, 2000), sliceTable(table, 2000, table.rowCount)])
      .reverse()
      .map(storedTable),
    trades: [...inputs.trades].reverse(),
    funding: [...inputs.funding].reverse(),
    qa: [...reports].reverse(),
    universe: { ...members, symbols: [...members.symbols].reverse() },
  }

  test('is the same for any order of symbols and pieces, and so are the bytes of the events', () => {
    expect(summaryOf(shuffled)).toEqual(whole)
    expect(Buffer.compare(encodeTable(eventsOf(shuffled)), encodeTable(events))).toBe(0)
  })

  test('goes on from a day in the middle to the same digest', () => {
    const first = summaryOf({}, { from: '2026-07-07', to: '2026-07-08' })
    const second = summaryOf({ before: first }, { from: '2026-07-08', to: '2026-07-09' })
    expect(second.digest).toBe(whole.digest)
    expect(second.events).toBe(whole.events)
    expect(second.byClass).toEqual(whole.byClass)
    expect([...first.days, ...second.days]).toEqual(whole.days)
    expect(() => summaryOf({ before: first })).toThrow('it goes on from a replay that ends at 2026-07-08')
  })

  test('tells one changed digit, and in which day it is', () => {
    const close = minutes[2]!.columns.close.slice()
    close[minutes[2]!.columns.openTsMs.indexOf(at('2026-07-08T09:00Z'))]! += 1n
    const changed = makeTable(minuteTable, { ...minutes[2]!.columns, close })
    const other = summaryOf({ minutes: [...inputs.minutes.slice(0, 2), storedTable(changed)] })
    expect(other.digest).not.toBe(whole.digest)
    expect(other.days.map(({ digest }, i) => digest === whole.days[i]!.digest)).toEqual([true, false])
  })

  test('nothing later than an instant changes the events up to it', () => {
    const nowMs = at('2026-07-07T18:00Z')
    const cut = minutes.map((table) => {
      const end = table.columns.openTsMs.findIndex((ts) => ts + MINUTE_MS > nowMs)
      return storedTable(sliceTable(table, 0, end))
    })
    const past = (table: Events) => {
      const end = table.columns.tsMs.findIndex((tsMs) => tsMs >= nowMs)
      return sliceTable(table, 0, end < 0 ? table.rowCount : end)
    }
    const short = past(eventsOf({ minutes: cut }))
    expect(short.rowCount).toBeGreaterThan(5000)
    expect(Buffer.compare(encodeTable(short), encodeTable(past(events)))).toBe(0)
  })

  test('of nothing at all is a digest too', () => {
    const none = summaryOf({ minutes: [], trades: [], funding: [], qa: [], universe: { symbols: [], rejected: [] } })
    expect(none).toMatchObject({ events: 0, symbols: [], fromMs: dayStart('2026-07-07') })
    expect(none.days).toHaveLength(2)
  })
})
