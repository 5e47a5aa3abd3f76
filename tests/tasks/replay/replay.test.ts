import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { eventRanks } from '../../../lib/backtest/eventOrder.ts'
import type { universe } from '../../../lib/market/universe/universe.ts'
import { eventRows } from '../../../lib/replay/eventRows.ts'
import { membershipOf } from '../../../lib/replay/membership.ts'
import { openSources, replayDays } from '../../../lib/replay/replayDays.ts'
import { createRng } from '../../../lib/rng.ts'
import { type eventTable as EventTable, eventTable, type ReplaySummary } from '../../../lib/tables/events.ts'
import type { fundingTable } from '../../../lib/tables/funding.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import { encodeTable } from '../../../lib/tables/parquet.ts'
import type { QaReport } from '../../../lib/tables/qa.ts'
import { makeTable, sliceTable, type Table, type TableOf } from '../../../lib/tables/table.ts'
import type { tradeTable } from '../../../lib/tables/trades.ts'
import { bigAt } from '../../../lib/tables/wideInts.ts'
import { dayStart, formatUtc, MINUTE_MS, parseUtc } from '../../../lib/time.ts'
import { buildMinute } from '../../../tasks/minute/buildMinute.ts'
import { qa } from '../../../tasks/minute/qa.ts'
import { replay } from '../../../tasks/replay/replay.ts'
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
const trades = ['2026-07-07', '2026-07-08'].map((day) => simDay.trades('DOTUSDT', day))
const inputs = {
  universe: members,
  minutes: minutes.map((table) => storedTable(table)),
  trades: trades.map((table) => storedTable(table)),
  funding: symbols.map((symbol) => simDay.funding(symbol, '2026-07')),
  qa: reports,
}

const summaryOf = (given: Partial<Parameters<typeof replay.run>[0]> = {}, params = range) =>
  runTask(replay, { ...inputs, ...given }, params) as unknown as ReplaySummary
const eventsOf = (given: Partial<Parameters<typeof replay.run>[0]> = {}): Events => {
  const { qa: quality, universe: chosen, ...sources } = { ...inputs, ...given }
  const days = replayDays(
    openSources({
      ...sources,
      quality: quality ?? [],
      universe: membershipOf(chosen),
    } as Parameters<typeof openSources>[0]),
    { fromMs: dayStart(range.from), toMs: dayStart(range.to), intervalMs: MINUTE_MS },
  )
  return wholeTable(
    eventTable,
    [...days].flatMap((day) => [...eventRows(day)]),
  )
}

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
    expect(columns.volume[i]).toBe(Number(bigAt(table.volume, row)) / 1e8)
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
  let changed = false
  const reversed = {
    minutes: minutes
      .flatMap((table) => [sliceTable(table, 0, 2000), sliceTable(table, 2000, table.rowCount)])
      .reverse()
      .map((table) => storedTable(table)),
    trades: [...inputs.trades].reverse(),
    funding: [...inputs.funding].reverse(),
    qa: [...reports].reverse(),
    universe: { ...members, symbols: [...members.symbols].reverse() },
  }

  test('is the same for any order of symbols and pieces, and so are the bytes of the events', () => {
    expect(summaryOf(reversed)).toEqual(whole)
    expect(Buffer.compare(encodeTable(eventsOf(reversed)), encodeTable(events))).toBe(0)
  })

  test('goes on from a day in the middle to the same digest', () => {
    const first = summaryOf({}, { from: '2026-07-07', to: '2026-07-08' })
    const second = summaryOf({ before: first }, { from: '2026-07-08', to: '2026-07-09' })
    expect(second.digest).toBe(whole.digest)
    expect(second.events).toBe(whole.events)
    expect([second.fromMs, second.chainFromMs, whole.chainFromMs]).toEqual([first.toMs, first.fromMs, whole.fromMs])
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

  test('is the same for any pieces in any order, and for any day it goes on from', () => {
    const days = { from: '2026-07-06', to: '2026-07-09' }
    const all = summaryOf({}, days)
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('2026-07-07', '2026-07-08'), (seed, checkpoint) => {
        const rng = createRng(seed)
        const given = {
          minutes: shuffled(
            minutes.flatMap((table) => piecesOf(table, rng)),
            rng,
          ).map((table) => storedTable(table)),
          trades: shuffled(
            trades.flatMap((table) => piecesOf(table, rng)),
            rng,
          ).map((table) => storedTable(table)),
          funding: shuffled(inputs.funding, rng),
          qa: shuffled(reports, rng),
          universe: { ...members, symbols: shuffled(members.symbols, rng) },
        }
        const first = summaryOf(given, { ...days, to: checkpoint })
        expect(summaryOf({ ...given, before: first }, { ...days, from: checkpoint }).digest).toBe(all.digest)
        expect(summaryOf(given, days)).toEqual(all)
      }),
      { numRuns: 4 },
    )
  })

  test('nothing later than an instant changes the events up to it, nor the digests of the days before', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 2 * 1440 }), (seed, minute) => {
        const nowMs = dayStart(range.from) + minute * MINUTE_MS
        const rng = createRng(seed)
        const other = {
          minutes: minutes.map((table) => storedTable(otherMinutes(table, nowMs, rng))),
          trades: trades.map((table) => storedTable(otherTrades(table, nowMs, rng))),
          funding: inputs.funding.map((table) => otherFunding(table, nowMs, rng)),
          qa: reports.map((report) => ({ ...report, masks: otherMasks(report.masks, nowMs, rng) })),
          universe: {
            ...members,
            selection: {
              ...selection,
              dates: selection.dates.map((date) =>
                date.tsMs <= nowMs ? date : { ...date, symbols: symbols.filter(() => rng.below(2) === 0) },
              ),
            },
          },
        }
        const after = eventsOf(other)
        const upTo = (table: Events) => sliceTable(table, 0, table.columns.tsMs.filter((tsMs) => tsMs <= nowMs).length)
        expect(Buffer.compare(encodeTable(upTo(after)), encodeTable(upTo(events))), formatUtc(nowMs)).toBe(0)
        const isPast = ({ day }: { day: string }) => dayStart(day) + 86_400_000 <= nowMs
        expect(summaryOf(other).days.filter(isPast)).toEqual(whole.days.filter(isPast))
        changed ||= after.rowCount !== events.rowCount
      }),
      { numRuns: 6, seed: 3 },
    )
    expect(changed).toBe(true)
  })

  test('reads trades of one millisecond out of two tables, and refuses tables that overlap', () => {
    const day = trades[0]!
    const row = day.columns.tsMs.findIndex((tsMs, i, all) => i > 0 && tsMs === all[i - 1])
    expect(row).toBeGreaterThan(0)
    const parts = (...cuts: [from: number, to: number][]) =>
      cuts.map(([from, to]) => storedTable(sliceTable(day, from, to)))
    const rest = storedTable(trades[1]!)
    const cut = parts([row, day.rowCount], [0, row])
    expect(summaryOf({ trades: [...cut, rest] }).digest).toBe(summaryOf().digest)
    const alone = parts([row, row + 1], [row + 1, day.rowCount], [0, row])
    expect(summaryOf({ trades: [...alone, rest] }).digest).toBe(summaryOf().digest)
    const overlap = 'two tables of trades overlap'
    expect(() => summaryOf({ trades: parts([0, row + 1], [row, day.rowCount]) })).toThrow(overlap)
    expect(() => summaryOf({ trades: parts([0, row + 2], [row - 1, day.rowCount]) })).toThrow(overlap)
    expect(() => summaryOf({ trades: [...parts([0, day.rowCount]), ...parts([row, row + 1])] })).toThrow(overlap)
  })

  test('of nothing at all is a digest too', () => {
    const none = summaryOf({ minutes: [], trades: [], funding: [], qa: [], universe: { symbols: [], rejected: [] } })
    expect(none).toMatchObject({ events: 0, symbols: [], fromMs: dayStart('2026-07-07') })
    expect(none.days).toHaveLength(2)
  })
})

type Rng = ReturnType<typeof createRng>

function shuffled<T>(all: readonly T[], rng: Rng): T[] {
  const left = [...all]
  return all.map(() => left.splice(rng.below(left.length), 1)[0]!)
}

/** A table cut at up to four places: between any two rows, for trades of one millisecond are told apart by their ids. */
function piecesOf<T extends Table>(table: T, rng: Rng): T[] {
  const cuts = Array.from({ length: rng.below(5) }, () => rng.below(table.rowCount)).sort((a, b) => a - b)
  return [0, ...cuts].map((from, i) => sliceTable(table, from, cuts[i] ?? table.rowCount) as T)
}

/** Rows known by `nowMs` as they are; of the later ones some are gone, and the others say something else. A bar that is
 *  open now has opened: its open is an event of the past. */
function otherMinutes(table: Minutes, nowMs: number, rng: Rng): Minutes {
  const { openTsMs } = table.columns
  const rows = [...openTsMs.keys()].filter((row) => openTsMs[row]! <= nowMs || rng.below(3) > 0)
  const close = BigInt64Array.from(rows, (row) =>
    openTsMs[row]! + MINUTE_MS <= nowMs ? table.columns.close[row]! : 1n + BigInt(rng.below(1e9)),
  )
  return makeTable(minuteTable, { ...picked(table, rows), close } as Minutes['columns'])
}

function otherTrades(table: TableOf<typeof tradeTable>, nowMs: number, rng: Rng): TableOf<typeof tradeTable> {
  const { tsMs } = table.columns
  const rows = [...tsMs.keys()].filter((row) => tsMs[row]! <= nowMs || rng.below(3) > 0)
  return makeTable(table.schema, picked(table, rows) as (typeof table)['columns'])
}

function otherFunding(table: TableOf<typeof fundingTable>, nowMs: number, rng: Rng): TableOf<typeof fundingTable> {
  const { settledTsMs, rate } = table.columns
  const rates = rate.map((was, row) => (settledTsMs[row]! <= nowMs ? was : BigInt(rng.below(1e6)) * 10n ** 10n))
  return makeTable(table.schema, { ...table.columns, rate: rates })
}

/** A mask is a step where it begins, and one where it ends. */
function otherMasks(masks: QaReport['masks'], nowMs: number, rng: Rng): QaReport['masks'] {
  const later = (tsMs: number) => (tsMs <= nowMs ? tsMs : Math.max(nowMs + 1, tsMs + rng.below(1e7) - 5e6))
  return masks
    .filter(({ fromMs }) => fromMs <= nowMs || rng.below(2) === 0)
    .map((mask) => ({ ...mask, fromMs: later(mask.fromMs), toMs: later(mask.toMs) }))
    .filter(({ fromMs, toMs }) => fromMs < toMs)
}

/** Some rows of each column. */
function picked(table: Table, rows: readonly number[]): Record<string, unknown> {
  const pick = (values: unknown): unknown => {
    if (Array.isArray(values)) return rows.map((row) => values[row])
    if (ArrayBuffer.isView(values)) {
      const typed = values as Float64Array
      return (typed.constructor as Float64ArrayConstructor).from(rows, (row) => typed[row]!)
    }
    const { values: inner, valid } = values as { values: unknown; valid: unknown }
    return { values: pick(inner), valid: pick(valid) }
  }
  return Object.fromEntries(Object.entries(table.columns).map(([name, values]) => [name, pick(values)]))
}
