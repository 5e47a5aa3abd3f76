import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { parseCsv } from '../../../lib/csv/parser.ts'
import { parseScaledBig } from '../../../lib/decimal.ts'
import { createRng } from '../../../lib/rng.ts'
import { diffTables } from '../../../lib/tables/diff.ts'
import { klineCsv, klinesOf, klineTable } from '../../../lib/tables/klines.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import type { Columns } from '../../../lib/tables/schema.ts'
import {
  type AnyColumnData,
  concatTables,
  makeTable,
  sliceTable,
  splitColumn,
  type Table,
  type TableOf,
  valueAt,
} from '../../../lib/tables/table.ts'
import { tradeTable } from '../../../lib/tables/trades.ts'
import { bigAt } from '../../../lib/tables/wideInts.ts'
import { DAY_MS, dayOf, dayStart, HOUR_MS, MINUTE_MS, parseUtc } from '../../../lib/time.ts'
import { buildMinute } from '../../../tasks/minute/buildMinute.ts'
import { runTask, storedTable, wholeTable } from '../../support/runTask.ts'
import { simDay, simOpenInterest } from '../../support/simTables.ts'

type Minutes = TableOf<typeof minuteTable>
type Inputs = Partial<Parameters<typeof buildMinute.run>[0]>
type Params = z.input<typeof buildMinute.params>

const minutesOf = (inputs: Inputs, params: Params): Minutes =>
  wholeTable(minuteTable, runTask(buildMinute, inputs, params))
const at = (text: string) => parseUtc(text)!
const rowAt = ({ columns }: Minutes, text: string) => columns.openTsMs.indexOf(at(text))
const storedAll = <C extends Columns>(tables: readonly Table<C>[]) => tables.map((table) => storedTable(table))

// A day with two and a half hours that the venue's bars do not have, and the day before it.
const gap = { symbol: 'XRPUSDT', from: '2026-07-07', to: '2026-07-08' }
const gapDays = ['2026-07-06', '2026-07-07']
const klines = storedAll(gapDays.map((day) => simDay.klines('XRPUSDT', day)))
const tradeTables = gapDays.map((day) => simDay.trades('XRPUSDT', day))
const trades = storedAll(tradeTables)
const aggTrades = storedAll(gapDays.map((day) => simDay.aggTrades('XRPUSDT', day)))

describe('bars', () => {
  const fromKlines = minutesOf({ klines }, gap)

  test('from klines: the venue’s own rows, and one it does not have stays missing', () => {
    expect(fromKlines.rowCount).toBe(1440 - 150)
    expect(rowAt(fromKlines, '2026-07-07T03:30Z')).toBe(-1)
    expect(rowAt(fromKlines, '2026-07-07T06:00Z')).toBe(rowAt(fromKlines, '2026-07-07T03:29Z') + 1)
  })

  test('from trades: equal to klines in every column to the last digit', () => {
    const fromTrades = minutesOf({ klines, trades }, { ...gap, barsFrom: 'trades' })
    expect(fromTrades.columns.differs.values.every((differs) => differs === 0)).toBe(true)
    expect(fromTrades.columns.differs.valid.every((known) => known === 1)).toBe(true)
    const changed = diffTables(fromTrades, fromKlines).columns.map(({ name }) => name)
    expect(changed.filter((name) => name !== 'differs')).toEqual([])
  })

  test('from trades alone: a minute without a trade is flat at the close before it, with count 0', () => {
    const alone = minutesOf({ trades }, { ...gap, barsFrom: 'trades' })
    expect(alone.rowCount).toBe(1440)
    const row = rowAt(alone, '2026-07-07T04:00Z')
    const { open, low, close, count, volume } = alone.columns
    const before = close[rowAt(alone, '2026-07-07T03:29Z')]
    expect([open[row], low[row], close[row], count[row], bigAt(volume, row)]).toEqual([before, before, before, 0, 0n])
  })

  test('from trades that were lost: where the venue’s bar has trades there is no flat minute, but none', () => {
    const day = tradeTables[1]!
    const hour = [at('2026-07-07T10:00Z'), at('2026-07-07T11:00Z')].map((ts) =>
      day.columns.tsMs.findIndex((stamp) => stamp >= ts),
    )
    const rest = [sliceTable(day, 0, hour[0]!), sliceTable(day, hour[1]!, day.rowCount)]
    const damaged = storedTable(concatTables(tradeTable, rest))
    const minutes = minutesOf({ klines, trades: [trades[0]!, damaged] }, { ...gap, barsFrom: 'trades' })
    const traded = klines[1]!.read().columns
    const lost = Array.from(traded.openTsMs).filter(
      (ts, i) => ts >= at('2026-07-07T10:00Z') && ts < at('2026-07-07T11:00Z') && traded.count[i]! > 0,
    )
    expect(lost.length).toBeGreaterThan(0)
    expect(minutes.rowCount).toBe(fromKlines.rowCount - lost.length)
    expect(lost.filter((ts) => minutes.columns.openTsMs.includes(ts))).toEqual([])
    // A day whose trades nobody published is no day of standing still.
    const dayLess = minutesOf({ klines, trades: [trades[0]!] }, { ...gap, barsFrom: 'trades' })
    expect(dayLess.rowCount).toBe(traded.count.filter((count) => count === 0).length)
  })

  test('from trades on a day that the venue has no bars of: nothing is made up between them, and all of it differs', () => {
    const minutes = minutesOf({ klines: [klines[0]!], trades }, { ...gap, barsFrom: 'trades' })
    const traded = klines[1]!.read().columns
    expect(minutes.rowCount).toBe(traded.count.filter((count) => count > 0).length)
    expect(minutes.columns.differs.values.every((differs) => differs === 1)).toBe(true)
  })

  test('from trades: what is lost is counted in the bar that lost it, where the venue’s own bar tells', () => {
    const day = tradeTables[1]!
    const at0 = day.columns.tsMs.findIndex((ts) => ts >= at('2026-07-07T10:00Z'))
    const minuteOf = (row: number) => Math.floor(day.columns.tsMs[row]! / MINUTE_MS) * MINUTE_MS
    // The last trades of a minute: the jump shows in the next one only.
    let end = at0
    while (minuteOf(end) === minuteOf(at0)) end++
    const damaged = storedTable(
      concatTables(tradeTable, [sliceTable(day, 0, end - 1), sliceTable(day, end, day.rowCount)]),
    )
    const { columns } = minutesOf({ klines, trades: [trades[0]!, damaged] }, { ...gap, barsFrom: 'trades' })
    const lossy = Array.from(columns.lostTrades.keys()).filter((row) => columns.lostTrades[row]! > 0)
    expect(lossy.map((row) => [columns.openTsMs[row], columns.lostTrades[row], columns.dataOk[row]])).toEqual([
      [minuteOf(at0), 1, 0],
    ])
  })

  test('from aggregated trades: compared with the klines, and a row that does not agree is tagged', () => {
    const rows = aggTrades[1]!.read()
    const qty = rows.columns.qty.slice()
    qty[1000]! += 10_000_000n
    const changed = storedTable(makeTable(rows.schema, { ...rows.columns, qty }))
    const minutes = minutesOf({ klines, aggTrades: [aggTrades[0]!, changed] }, { ...gap, barsFrom: 'aggTrades' })
    const tagged = Array.from(minutes.columns.differs.values.keys()).filter((i) => minutes.columns.differs.values[i])
    const minuteOf = Math.floor(rows.columns.tsMs[1000]! / MINUTE_MS) * MINUTE_MS
    expect(tagged.map((row) => minutes.columns.openTsMs[row])).toEqual([minuteOf])
  })

  test('from trades: ids that were jumped over are counted where the jump shows', () => {
    const day = tradeTables[1]!
    const cut = [sliceTable(day, 0, 5000), sliceTable(day, 5007, day.rowCount)]
    const damaged = storedTable(concatTables(tradeTable, cut))
    const minutes = minutesOf({ trades: [trades[0]!, damaged] }, { ...gap, barsFrom: 'trades' })
    const row = minutes.columns.lostTrades.findIndex((lost) => lost > 0)
    expect(minutes.columns.lostTrades[row]).toBe(7)
    expect(minutes.columns.openTsMs[row]).toBe(Math.floor(day.columns.tsMs[5007]! / MINUTE_MS) * MINUTE_MS)
    expect(minutes.columns.dataOk[row]).toBe(0)
  })

  test('coarse ones are made of fine ones where all of those are there, and equal the venue’s', () => {
    const hours = minutesOf({ klines }, { ...gap, baseInterval: '1h', klineInterval: '1m' })
    const venue = simDay.klines('XRPUSDT', '2026-07-07', '1h')
    // 03:00 has half of its minutes: the venue makes a bar of them, we say that it is missing.
    const whole = Array.from(venue.columns.openTsMs).filter((ts) => ts !== at('2026-07-07T03:00Z'))
    expect(Array.from(hours.columns.openTsMs)).toEqual(whole)
    for (const [i, ts] of whole.entries()) {
      const row = venue.columns.openTsMs.indexOf(ts)
      for (const name of [
        'open',
        'high',
        'low',
        'close',
        'volume',
        'quoteVolume',
        'takerBuyVolume',
        'count',
      ] as const) {
        expect(valueAt(hours.columns[name], i)).toBe(valueAt(venue.columns[name], row))
      }
    }
  })

  test('one missing minute in the middle of an hour is a missing hour', () => {
    const [before, day] = klines.map((piece) => piece.read())
    const hole = concatTables(klineTable, [sliceTable(day!, 0, 30), sliceTable(day!, 31, day!.rowCount)])
    const pieces = [storedTable(before!), storedTable(hole)]
    const hours = minutesOf({ klines: pieces }, { ...gap, baseInterval: '1h', klineInterval: '1m' })
    expect(hours.columns.openTsMs[0]).toBe(at('2026-07-07T01:00Z'))
  })

  test('a bar off the grid belongs to none', () => {
    const [before, day] = klines.map((piece) => piece.read())
    const openTsMs = day!.columns.openTsMs.slice()
    openTsMs[7]! += 789
    const moved = storedTable(makeTable(klineTable, { ...day!.columns, openTsMs }))
    const logged: string[] = []
    const output = runTask(buildMinute, { klines: [storedTable(before!), moved] }, gap, {
      seed: () => '',
      log: (message) => logged.push(message),
    })
    expect(wholeTable(minuteTable, output).rowCount).toBe(1440 - 150 - 1)
    expect(logged).toEqual(['1 rows left out: bars off their grid, the first at 2026-07-07T00:07:00.789Z'])
  })

  test('pieces may come in any order, and must not overlap', () => {
    expect(diffTables(minutesOf({ klines: [...klines].reverse() }, gap), fromKlines).equal).toBe(true)
    expect(() => minutesOf({ klines: [...klines, klines[1]!] }, gap)).toThrow('two tables of klines overlap')
  })

  test('asked for from what is not ingested, it says what to do', () => {
    expect(() => minutesOf({ klines }, { ...gap, barsFrom: 'trades' })).toThrow('there are none')
  })

  test('a day is handed out before the next one is read', () => {
    const days = ['2026-07-05', '2026-07-06', '2026-07-07', '2026-07-08', '2026-07-09']
    const read = new Set<string>()
    const watched = days.map((day) => {
      const { files, ...rest } = storedTable(simDay.klines('DOTUSDT', day))
      let reads = 0
      // The footer and the first stamps are read to find the order; more reads are rows.
      const readAt = (name: string, offset: number, length: number) => {
        if (++reads > 4) read.add(day)
        return files.readAt(name, offset, length)
      }
      return { ...rest, files: { ...files, readAt } }
    })
    const options = { symbol: 'DOTUSDT', from: days[1]!, to: '2026-07-10' }
    const output = runTask(buildMinute, { klines: watched }, options) as Iterable<Minutes>
    const seen = Array.from(output, (table) => [dayOf(table.columns.openTsMs[0]!), [...read].at(-1)])
    // One day is read ahead, to know where this one ends.
    expect(seen).toEqual([
      ['2026-07-06', '2026-07-07'],
      ['2026-07-07', '2026-07-08'],
      ['2026-07-08', '2026-07-09'],
      ['2026-07-09', '2026-07-09'],
    ])
  })
})

describe('what else was known', () => {
  const days = ['2026-06-01', '2026-06-02']
  const outage = { symbol: 'ETHUSDT', from: '2026-06-02', to: '2026-06-03' }
  const prices = (kind: 'mark' | 'index' | 'premium') => storedAll(days.map((day) => simDay[kind]('ETHUSDT', day)))
  const funding = [simDay.funding('ETHUSDT', '2026-06'), simDay.funding('ETHUSDT', '2026-05')]
  const eth = storedAll(days.map((day) => simDay.klines('ETHUSDT', day)))
  const spot = storedAll(days.map((day) => simDay.spotKlines('ETHUSDT', day)))
  const openInterest = [simOpenInterest('ETHUSDT', '2026-06-02', 1)]
  const minutes = minutesOf(
    {
      klines: eth,
      mark: prices('mark'),
      index: prices('index'),
      premium: prices('premium'),
      spot,
      funding,
      openInterest,
    },
    outage,
  )
  const { columns } = minutes

  test('what is optional and absent is null in every row', () => {
    const bare = minutesOf({ klines: eth }, outage).columns
    for (const name of ['mark', 'index', 'premium', 'fundingRate', 'openInterest', 'spotQuoteVolume'] as const) {
      expect(bare[name].valid.every((valid) => valid === 0)).toBe(true)
      expect(columns[name].valid.some((valid) => valid === 1)).toBe(true)
    }
    expect(bare.fundingEstimate.every(Number.isNaN) && bare.indexDeviation.every(Number.isNaN)).toBe(true)
    expect(bare.differs.valid[0]).toBe(0)
  })

  test('the estimate of the funding rate ends where the venue settles it', () => {
    for (const [i, tsMs] of columns.fundingTsMs.values.entries()) {
      // The row that closes at a settlement is the first to know it, and the last of the period it ends.
      if (columns.openTsMs[i]! + MINUTE_MS !== tsMs) continue
      expect(Math.abs(columns.fundingEstimate[i]! - Number(columns.fundingRate.values[i]) / 1e18)).toBeLessThan(1.1e-8)
    }
    const settled = new Set(columns.fundingTsMs.values)
    expect([...settled].map((tsMs) => (tsMs - dayStart('2026-06-02')) / HOUR_MS)).toEqual([0, 8, 16, 24])
  })

  test('open interest is the last sample by the close, with its age', () => {
    const { tsMs } = openInterest[0]!.columns
    const row = 700
    const closeMs = columns.openTsMs[row]! + MINUTE_MS
    const sample = tsMs.findLastIndex((ts) => ts <= closeMs)
    expect(bigAt(columns.openInterest.values, row)).toBe(bigAt(openInterest[0]!.columns.openInterest, sample))
    expect(columns.openInterestAgeMs[row]).toBe(closeMs - tsMs[sample]!)
  })

  test('an outage shows once it has lasted: quiet, outage, and then traded again', () => {
    const state = (text: string) => columns.state[rowAt(minutes, text)]
    const staleMs = (text: string) => columns.stalenessMs[rowAt(minutes, text)]
    expect(['14:10', '14:11', '14:14', '14:15', '14:53', '14:54'].map((t) => state(`2026-06-02T${t}Z`))).toEqual([
      'traded',
      'quiet',
      'quiet',
      'outage',
      'outage',
      'traded',
    ])
    expect([staleMs('2026-06-02T14:10Z'), staleMs('2026-06-02T14:11Z'), staleMs('2026-06-02T14:53Z')]).toEqual([
      0,
      MINUTE_MS,
      43 * MINUTE_MS,
    ])
    // Stale for more than five minutes, so the sixth is the first that is not ok.
    const ok = (text: string) => columns.dataOk[rowAt(minutes, text)]
    expect([ok('2026-06-02T14:15Z'), ok('2026-06-02T14:16Z'), ok('2026-06-02T14:54Z')]).toEqual([1, 0, 1])
  })

  test('vwap lies in the bar; takers’ parts add up; basis and deviation are those of mark and index', () => {
    for (let i = 0; i < minutes.rowCount; i += 97) {
      if (columns.count[i] === 0) continue
      expect(columns.vwap[i]).toBeGreaterThanOrEqual(Number(columns.low[i]) / 1e8 - 1e-9)
      expect(columns.vwap[i]).toBeLessThanOrEqual(Number(columns.high[i]) / 1e8 + 1e-9)
      expect(bigAt(columns.takerBuyVolume, i) + bigAt(columns.takerSellVolume, i)).toBe(bigAt(columns.volume, i))
      const [mark, index] = [Number(columns.mark.values[i]), Number(columns.index.values[i])]
      expect(columns.basis[i]).toBe(mark / index - 1)
      expect(columns.indexDeviation[i]).toBe(Math.abs(mark - index) / index)
    }
  })

  test('nothing of it looks ahead: another future leaves the rows closed by now as they were', () => {
    const inputs = { klines: eth, mark: prices('mark'), index: prices('index'), premium: prices('premium'), spot }
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 1439 }), (seed, minute) => {
        const nowMs = dayStart('2026-06-02') + minute * MINUTE_MS
        const changed = Object.fromEntries(
          Object.entries(inputs).map(([name, pieces]) => [
            name,
            pieces.map((piece) => storedTable(otherFuture(piece.read() as Table, nowMs, seed))),
          ]),
        )
        const later = {
          funding: funding.map((table) => otherFuture(table, nowMs, seed)),
          openInterest: openInterest.map((table) => otherFuture(table, nowMs, seed)),
        }
        const past = (table: Minutes) => {
          const end = table.columns.openTsMs.findIndex((ts) => ts + MINUTE_MS > nowMs)
          return sliceTable(table, 0, end < 0 ? table.rowCount : end)
        }
        const other = minutesOf({ ...(changed as Inputs), ...later }, outage)
        expect(diffTables(past(other), past(minutes))).toMatchObject({ equal: true, rowCountA: minute })
      }),
      { numRuns: 6 },
    )
  })

  test('the day before is history enough: with more of it every row is the same', () => {
    const longer = ['2026-05-29', '2026-05-30', '2026-05-31'].map((day) => storedTable(simDay.klines('ETHUSDT', day)))
    const more = minutesOf({ klines: [...longer, ...eth], funding }, outage)
    expect(diffTables(more, minutesOf({ klines: eth, funding }, outage)).equal).toBe(true)
  })
})

/** Rows that are known by `nowMs` as they are; of the later ones some vanish and the others are drawn anew. */
function otherFuture<C extends Columns>(table: Table<C>, nowMs: number, seed: number): Table<C> {
  const rng = createRng(seed, table.schema.name)
  const columns = table.columns as Readonly<Record<string, AnyColumnData>>
  const isBar = 'openTsMs' in columns
  const stamps = (isBar ? columns['openTsMs'] : columns['tsMs']) as Float64Array
  const isKnown = (row: number) => stamps[row]! + (isBar ? MINUTE_MS : -1000) <= nowMs
  const kept = Array.from(stamps.keys()).filter((row) => isKnown(row) || rng.below(4) > 0)
  const other = concatTables(
    table.schema,
    kept.map((row) => sliceTable(table, row, row + 1)),
  )
  for (const data of Object.values(other.columns as Readonly<Record<string, AnyColumnData>>)) {
    const { values, valid } = splitColumn(data)
    if (!(values instanceof BigInt64Array)) continue
    for (const [i, row] of kept.entries()) {
      if (!isKnown(row) && valid?.[i] !== 0) values[i] = 1n + BigInt(rng.below(1e9))
    }
  }
  return makeTable(other.schema, other.columns)
}

const root = process.env['TICKPIPE_MARKET_DATA'] ?? join(import.meta.dirname, '../../../../shared/market-data')
const months = join(root, 'binance-vision/um-klines-1m')
const feathers = join(root, 'ohlcv/derived-csv/freqtrade-um-feather')

describe.skipIf(!existsSync(months))('real minutes', () => {
  const month = (symbol: string, name: string) => {
    const file = `${symbol}-1m-${name}.csv.gz`
    const bytes = gunzipSync(readFileSync(join(months, file)))
    return storedTable(klinesOf(symbol, parseCsv(klineCsv, bytes, { file }).table))
  }
  const range = { symbol: 'FILUSDT', from: '2024-10-01', to: '2024-11-01' }

  test('the outage of 2024-10-28 is an outage and no gap, to the minute', () => {
    const minutes = minutesOf({ klines: [month('FILUSDT', '2024-10'), month('FILUSDT', '2024-09')] }, range)
    expect(minutes.rowCount).toBe(31 * 1440)
    const { state, openTsMs, dataOk } = minutes.columns
    const flat = Array.from(state.keys()).filter((row) => state[row] !== 'traded')
    expect(flat).toHaveLength(89)
    expect(new Set(flat.map((row) => dayOf(openTsMs[row]!)))).toEqual(new Set(['2024-10-28']))
    const first = rowAt(minutes, '2024-10-28T20:00Z')
    expect(state.slice(first - 1, first + 5)).toEqual(['traded', 'quiet', 'quiet', 'quiet', 'quiet', 'outage'])
    expect(state.slice(first + 73, first + 75)).toEqual(['outage', 'traded'])
    expect(Array.from(dataOk.subarray(first + 4, first + 6))).toEqual([1, 0])
  })

  test('a month alone or with the month before it differs by nothing but its first day', () => {
    const alone = minutesOf({ klines: [month('FILUSDT', '2024-10')] }, range)
    const both = minutesOf({ klines: [month('FILUSDT', '2024-09'), month('FILUSDT', '2024-10')] }, range)
    expect(diffTables(sliceTable(alone, 1440, alone.rowCount), sliceTable(both, 1440, both.rowCount)).equal).toBe(true)
  })
})

describe.skipIf(!existsSync(feathers))('real bars of five minutes', () => {
  /** Columns date, open, high, low, close, volume. */
  const read = (name: string, columns: readonly number[]) => {
    const lines = gunzipSync(readFileSync(join(feathers, name)))
      .toString()
      .trim()
      .split('\n')
      .slice(1)
    const cells = lines.map((line) => line.split(','))
    return columns.map((c) => BigInt64Array.from(cells, (row) => parseScaledBig(row[c]!, c === 0 ? 0 : 8)!))
  }
  const barsOf = (name: string, barMs: number) => {
    const [date, open, high, low, close, volume] = read(name, [0, 1, 2, 3, 4, 5])
    const openTsMs = Float64Array.from(date!, Number)
    const none = new BigInt64Array(openTsMs.length)
    return makeTable(klineTable, {
      symbol: new Array<string>(openTsMs.length).fill('BTCUSDT'),
      openTsMs,
      open: open!,
      high: high!,
      low: low!,
      close: close!,
      volume: volume!,
      quoteVolume: none,
      // The files have no counts: a bar traded if it has volume.
      count: Int32Array.from(volume!, (v) => (v > 0n ? 1 : 0)),
      takerBuyVolume: none,
      takerBuyQuoteVolume: none,
      closeTsMs: openTsMs.map((ts) => ts + barMs - 1),
    })
  }

  test('as hours equal the independent file of hours, but for volumes that were revised between the downloads', () => {
    const fine = barsOf('BTC_USDT_USDT-5m-futures.csv.gz', 5 * MINUTE_MS)
    const coarse = barsOf('BTC_USDT_USDT-1h-futures.csv.gz', HOUR_MS)
    const from = dayOf(Math.ceil(fine.columns.openTsMs[0]! / DAY_MS) * DAY_MS)
    const to = dayOf(fine.columns.openTsMs.at(-1)!)
    const hours = minutesOf(
      { klines: [storedTable(fine)] },
      { symbol: 'BTCUSDT', from, to, baseInterval: '1h', klineInterval: '5m' },
    )
    const rowOf = new Map(Array.from(coarse.columns.openTsMs, (ts, row) => [ts, row]))
    let compared = 0
    let revised = 0
    hours.columns.openTsMs.forEach((ts, i) => {
      const row = rowOf.get(ts)
      if (row === undefined) return
      compared++
      for (const name of ['open', 'high', 'low', 'close'] as const) {
        expect(hours.columns[name][i], new Date(ts).toISOString()).toBe(coarse.columns[name][row])
      }
      if (bigAt(hours.columns.volume, i) !== bigAt(coarse.columns.volume, row)) revised++
    })
    expect(compared).toBeGreaterThan(8000)
    expect(revised).toBeLessThan(10)
  })
})
