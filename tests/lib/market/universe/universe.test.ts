import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseScaledBig } from '../../../../lib/decimal.ts'
import {
  buildUniverseOf,
  type UniverseInputs,
  type UniverseParams,
} from '../../../../lib/market/universe/buildUniverse.ts'
import { type SelectionRules, selectUniverse } from '../../../../lib/market/universe/selectUniverse.ts'
import { survivorshipText } from '../../../../lib/market/universe/survivorship.ts'
import { createRng } from '../../../../lib/rng.ts'
import { klineTable } from '../../../../lib/tables/klines.ts'
import { makeTable, type TableOf } from '../../../../lib/tables/table.ts'
import { type BigInts, bigAt, bigIntsOf } from '../../../../lib/tables/wideInts.ts'
import { DAY_MS, parseUtc } from '../../../../lib/time.ts'
import { fileSet } from '../../../support/rawFiles.ts'

type Daily = TableOf<typeof klineTable>
const at = (day: string): number => parseUtc(day)!

/** Amounts as the venue tells them: to the eighth decimal. */
const unitsOf = (opens: readonly number[], amountOf: (tsMs: number) => number) =>
  bigIntsOf(opens.length, (row) => parseScaledBig(amountOf(opens[row]!).toFixed(8), 8)!)

/** Days of a symbol that turns over so much on each of them. */
function days(symbol: string, from: string, to: string, volumeOf: (tsMs: number) => number): Daily {
  const opens = Array.from({ length: (at(to) - at(from)) / DAY_MS }, (_, i) => at(from) + i * DAY_MS)
  const price = (units: bigint) => BigInt64Array.from(opens, () => units)
  return makeTable(klineTable, {
    symbol: opens.map(() => symbol),
    openTsMs: Float64Array.from(opens),
    open: price(10_000_000n),
    high: price(12_000_000n),
    low: price(9_000_000n),
    close: price(11_000_000n),
    volume: unitsOf(opens, (tsMs) => volumeOf(tsMs) * 10),
    quoteVolume: unitsOf(opens, volumeOf),
    count: Int32Array.from(opens, (tsMs) => (volumeOf(tsMs) > 0 ? 5 : 0)),
    takerBuyVolume: new BigInt64Array(opens.length),
    takerBuyQuoteVolume: new BigInt64Array(opens.length),
    closeTsMs: Float64Array.from(opens, (tsMs) => tsMs + DAY_MS - 1),
  })
}

const monthly = ['2026-02-01', '2026-03-01', '2026-04-01', '2026-05-01'].map(at)
const rules: SelectionRules = {
  datesTsMs: monthly,
  size: 2,
  minQuoteVolumeUsd: 0,
  minAgeDays: 0,
  lookbackDays: 20,
  minNotional: '5',
}

/** BIG is always there. OLD dies in March, NEW comes in March, and MID is large in April only. */
const market = [
  days('BIGUSDT', '2026-01-01', '2026-06-01', () => 1000),
  days('OLDUSDT', '2026-01-01', '2026-03-20', () => 500),
  days('NEWUSDT', '2026-03-10', '2026-06-01', () => 300),
  days('MIDUSDT', '2026-01-01', '2026-06-01', (tsMs) =>
    tsMs >= at('2026-04-01') && tsMs < at('2026-05-01') ? 800 : 10,
  ),
]
const names = market.map(({ columns }) => columns.symbol[0]!)
const listing = (symbol: string, onboard = '2025-01-01', status = 'TRADING') => ({
  symbol,
  contractType: 'PERPETUAL',
  status,
  underlyingType: 'COIN',
  quoteAsset: 'USDT',
  onboardDate: at(onboard),
  deliveryDate: 4_133_404_800_000,
  filters: [
    { filterType: 'PRICE_FILTER', tickSize: '0.01' },
    { filterType: 'LOT_SIZE', stepSize: '0.1' },
    { filterType: 'MIN_NOTIONAL', notional: '5' },
  ],
})
const exchangeInfo = (...symbols: ReturnType<typeof listing>[]) =>
  fileSet({ 'exchangeInfo.json': JSON.stringify({ symbols }) })

describe('a universe of several dates', () => {
  test('is the union of its choices, and each symbol knows when it is a member', () => {
    const { symbols, dates } = selectUniverse(names, market, [], rules)
    expect(dates.map(({ members }) => members.map(({ symbol }) => symbol))).toEqual([
      ['BIGUSDT', 'OLDUSDT'],
      ['BIGUSDT', 'OLDUSDT'],
      ['BIGUSDT', 'NEWUSDT'],
      ['BIGUSDT', 'MIDUSDT'],
    ])
    expect(symbols.map(({ symbol, active }) => [symbol, active])).toEqual([
      ['BIGUSDT', [{ fromTsMs: monthly[0] }]],
      ['MIDUSDT', [{ fromTsMs: monthly[3] }]],
      ['NEWUSDT', [{ fromTsMs: monthly[2], toTsMs: monthly[3] }]],
      ['OLDUSDT', [{ fromTsMs: monthly[0], toTsMs: monthly[2] }]],
    ])
  })

  test('has two stretches for who left and came back', () => {
    const back = days('BACKUSDT', '2026-01-01', '2026-06-01', (tsMs) =>
      tsMs >= at('2026-02-01') && tsMs < at('2026-03-01') ? 1 : 2000,
    )
    const { symbols } = selectUniverse([...names, 'BACKUSDT'], [...market, back], [], { ...rules, size: 1 })
    expect(symbols.find(({ symbol }) => symbol === 'BACKUSDT')!.active).toEqual([
      { fromTsMs: monthly[0], toTsMs: monthly[1] },
      { fromTsMs: monthly[2] },
    ])
  })

  test('does not look ahead: whatever becomes of the rows from a date on, who is a member up to it stays', () => {
    const pool = Array.from({ length: 8 }, (_, i) => `S${i}USDT`)
    fc.assert(
      fc.property(
        fc.integer(),
        fc.nat(monthly.length - 1),
        fc.constantFrom('deleted', 'randomised', 'frozen', 'multiplied'),
        fc.integer({ min: 0, max: 40 }),
        (seed, last, fate, minAgeDays) => {
          const rng = createRng(seed)
          const lives = pool.map((symbol) => {
            const born = Math.floor(rng.uniform() * 70)
            const died = born + 1 + Math.floor(rng.uniform() * 100)
            const level = 10 + rng.uniform() * 1000
            const day = (i: number) => new Date(at('2026-01-01') + i * DAY_MS).toISOString().slice(0, 10)
            const noise = new Map<number, number>()
            return days(symbol, day(born), day(died), (tsMs) => {
              if (!noise.has(tsMs)) noise.set(tsMs, level * rng.uniform())
              return noise.get(tsMs)!
            })
          })
          const from = monthly[last]!
          const changed = lives.map((table) => afterwards(table, from, fate, rng))
          const chosen = { ...rules, size: 3, minAgeDays }
          const before = selectUniverse(pool, lives, [], chosen).dates.slice(0, last + 1)
          const after = selectUniverse(pool, changed, [], chosen).dates.slice(0, last + 1)
          expect(after).toEqual(before)
          // Where nothing comes after it, nothing else of the universe changes either: rules, stretches, reasons.
          const only = { ...chosen, datesTsMs: monthly.slice(0, last + 1) }
          expect(selectUniverse(pool, changed, [], only)).toEqual(selectUniverse(pool, lives, [], only))
        },
      ),
      { numRuns: 60, seed: 8 },
    )
  })

  test('takes its dates in any order, each once', () => {
    const build = (datesTsMs: number[]) =>
      buildUniverseOf(
        { candidates: { symbols: names.map((symbol) => ({ symbol })), rejected: [] }, daily: market },
        { ...params, datesTsMs },
        () => {},
      )
    expect(build([...monthly].reverse().concat(monthly))).toEqual(build([...monthly]))
    expect(() => build([])).toThrow('a date it is chosen at')
  })
})

const params: UniverseParams = {
  ...rules,
  mode: 'historical',
  symbols: [],
  deny: [],
  allowSurvivorship: false,
}

describe('a name that was given anew', () => {
  test('keeps its old contract for old dates: rules and first day are told by its own data', () => {
    const again = listing('OLDUSDT', '2026-05-15')
    const { symbols } = buildUniverseOf(
      {
        exchangeInfo: exchangeInfo(listing('BIGUSDT'), again),
        candidates: { symbols: names.map((symbol) => ({ symbol })), rejected: [] },
        daily: market,
      },
      { ...params, datesTsMs: [monthly[0]!] },
      () => {},
    )
    expect(symbols.map(({ symbol, rulesFrom, onboardTsMs }) => [symbol, rulesFrom, onboardTsMs])).toEqual([
      ['BIGUSDT', 'snapshot', at('2025-01-01')],
      ['OLDUSDT', 'inferred', at('2026-01-01')],
    ])
  })
})

describe('the survivorship gap', () => {
  const inputs: UniverseInputs = {
    exchangeInfo: exchangeInfo(
      listing('BIGUSDT'),
      listing('NEWUSDT'),
      listing('MIDUSDT'),
      listing('OLDUSDT', '2025-01-01', 'SETTLING'),
    ),
    candidates: { symbols: names.map((symbol) => ({ symbol })), rejected: [] },
    daily: market,
  }
  const ticker = fileSet({
    'ticker.json': JSON.stringify([
      { symbol: 'BIGUSDT', quoteVolume: '1000' },
      { symbol: 'NEWUSDT', quoteVolume: '900' },
      { symbol: 'MIDUSDT', quoteVolume: '10' },
    ]),
  })
  const present = fileSet({ 'asOf.json': JSON.stringify({ asOfTsMs: at('2026-06-01') }) })

  function built(given: UniverseInputs, more: Partial<UniverseParams> = {}) {
    const log: string[] = []
    const made = buildUniverseOf(given, { ...params, ...more }, (line) => log.push(line))
    return { gap: made.selection?.survivorshipGap, stamp: made.selection?.hasSurvivorship, log: log.join('\n') }
  }

  test('of a historical universe is against the same choice among those still listed, and is printed', () => {
    const { gap, log, stamp } = built(inputs)
    // OLD was a member at two of four dates, with 500 of 1500 each time; MID took its place.
    expect(gap).toEqual({
      basis: 'members',
      liveFrom: 'listing',
      onlyHistorical: ['OLDUSDT'],
      onlyLive: ['MIDUSDT'],
      volumeShare: (500 + 500) / (1500 + 1500 + 1300 + 1800),
    })
    expect(log).toContain(
      "chosen only from what is still listed today, the universe would have missed OLDUSDT (16.4 % of the members' volume) and held MIDUSDT in its place",
    )
    expect(stamp).toBe(false)
  })

  test("is against today's ticker where there is one", () => {
    const { gap } = built({ ...inputs, ticker, present })
    expect(gap).toMatchObject({
      liveFrom: 'ticker',
      onlyHistorical: ['MIDUSDT', 'OLDUSDT'],
      onlyLive: ['NEWUSDT'],
    })
  })

  test('of a live universe is told where the history is at hand, beside its stamp', () => {
    const past = { mode: 'live', datesTsMs: [monthly[0]!], allowSurvivorship: true } as const
    const { gap, log, stamp } = built({ ...inputs, ticker, present }, past)
    expect(gap).toMatchObject({ onlyHistorical: ['OLDUSDT'], onlyLive: ['NEWUSDT'], volumeShare: 500 / 1500 })
    expect(log).toContain('nothing made of it is a fair backtest')
    expect(log).toContain('33.3 %')
    expect(stamp).toBe(true)
  })

  test('of a live universe without history is told by names: one listing says who is gone', () => {
    const past = { mode: 'live', datesTsMs: [monthly[0]!], allowSurvivorship: true } as const
    const { exchangeInfo: info, candidates } = inputs
    const { gap, log } = built({ exchangeInfo: info, candidates, ticker, present }, past)
    expect(gap).toEqual({ basis: 'names', archived: names.length, gone: ['OLDUSDT'] })
    expect(log).toContain(`lacks 1 of the ${names.length} contracts the archive knows`)
    expect(log).toContain(': OLDUSDT;')
    const nobody = built({ exchangeInfo: info, ticker, present }, past)
    expect(nobody.gap).toEqual({ basis: 'unknown', why: 'the archive was not asked whom it knows' })
    expect(nobody.log).toContain('survivorship gap: not known, for the archive was not asked')
    // Data of today are of those who live today.
    expect(built({ ...inputs, ticker, present }, { ...past, datesTsMs: [at('2026-06-01')] }).gap).toBeUndefined()
  })

  test('names so many, and counts the others', () => {
    const gone = Array.from({ length: 30 }, (_, i) => `X${String(i).padStart(2, '0')}USDT`)
    expect(survivorshipText({ basis: 'names', archived: 40, gone })).toContain('X11USDT and 18 more;')
    expect(survivorshipText({ basis: 'names', archived: 40, gone: [] })).toContain('none, all 40 contracts')
  })

  test('says where one place went to another at each date, so that it reads as no sum', () => {
    const gap = {
      basis: 'members' as const,
      liveFrom: 'listing' as const,
      onlyHistorical: ['LUNAUSDT'],
      volumeShare: 0.07,
    }
    expect(survivorshipText({ ...gap, onlyLive: ['AVAXUSDT', 'BNBUSDT', 'LTCUSDT'] })).toBe(
      "survivorship gap: chosen only from what is still listed today, the universe would have missed LUNAUSDT (7.0 % of the members' volume) and held in its place now one, now another of AVAXUSDT, BNBUSDT, LTCUSDT",
    )
    const two = { ...gap, onlyHistorical: ['FTTUSDT', 'LUNAUSDT'] }
    expect(survivorshipText({ ...two, onlyLive: ['AVAXUSDT', 'BNBUSDT'] })).toMatch(
      /and held AVAXUSDT, BNBUSDT in their place$/,
    )
    expect(survivorshipText({ ...gap, onlyLive: [] })).toMatch(/missed LUNAUSDT \(7.0 % of the members' volume\)$/)
    expect(survivorshipText({ ...gap, onlyHistorical: [], volumeShare: 0, onlyLive: ['BNBUSDT'] })).toMatch(
      /the universe would have held BNBUSDT as well$/,
    )
  })

  test('is said to be none where nobody died', () => {
    const { gap, log } = built(inputs, { datesTsMs: [monthly[3]!] })
    expect(gap).toEqual({ basis: 'members', liveFrom: 'listing', onlyHistorical: [], onlyLive: [], volumeShare: 0 })
    expect(log).toContain('survivorship gap: none')
  })

  test('is said to be unknown where nobody says who is still listed', () => {
    const { candidates, daily } = inputs
    const { gap, log } = built({ candidates, daily })
    expect(gap).toEqual({ basis: 'unknown', why: 'no API was asked who is listed today' })
    expect(log).toBe('survivorship gap: not known, for no API was asked who is listed today')
  })
})

/** The same rows up to an instant, and something else behind it. */
function afterwards(table: Daily, fromTsMs: number, fate: string, rng: { uniform(): number }): Daily {
  const { columns, rowCount } = table
  const rows = Array.from({ length: rowCount }, (_, row) => row).filter(
    (row) => fate !== 'deleted' || columns.openTsMs[row]! < fromTsMs,
  )
  const isAfter = (row: number) => columns.openTsMs[row]! >= fromTsMs
  const other = (value: number) => (fate === 'frozen' ? 0 : fate === 'multiplied' ? value * 1e6 : rng.uniform() * 1e7)
  const number = (column: BigInts) =>
    bigIntsOf(rows.length, (i) => {
      const units = bigAt(column, rows[i]!)
      return isAfter(rows[i]!) ? parseScaledBig(other(Number(units) / 1e8).toFixed(8), 8)! : units
    })
  const price = (column: BigInt64Array) =>
    BigInt64Array.from(rows, (row) => (isAfter(row) ? BigInt(1 + Math.floor(rng.uniform() * 1e9)) : column[row]!))
  return makeTable(klineTable, {
    symbol: rows.map((row) => columns.symbol[row]!),
    openTsMs: Float64Array.from(rows, (row) => columns.openTsMs[row]!),
    closeTsMs: Float64Array.from(rows, (row) => columns.closeTsMs[row]!),
    open: price(columns.open),
    high: price(columns.high),
    low: price(columns.low),
    close: price(columns.close),
    volume: number(columns.volume),
    quoteVolume: number(columns.quoteVolume),
    count: Int32Array.from(rows, (row) => (isAfter(row) && fate === 'frozen' ? 0 : columns.count[row]!)),
    takerBuyVolume: number(columns.takerBuyVolume),
    takerBuyQuoteVolume: number(columns.takerBuyQuoteVolume),
  })
}
