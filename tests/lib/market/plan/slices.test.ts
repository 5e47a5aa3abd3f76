import { blake2b } from '@noble/hashes/blake2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseScaledBig } from '../../../../lib/decimal.ts'
import { missingBars } from '../../../../lib/market/coverage/barGrid.ts'
import { jsonRowsAsCsv } from '../../../../lib/market/ingest/jsonRows.ts'
import { planDataset } from '../../../../lib/market/plan/planDataset.ts'
import { slicesOf } from '../../../../lib/market/plan/slices.ts'
import { inferRules } from '../../../../lib/market/universe/inferRules.ts'
import { bigIntsOf } from '../../../../lib/tables/wideInts.ts'
import { DAY_MS, intervals, monthStart, nextOpen, openOf, parseUtc } from '../../../../lib/time.ts'

const grid = { endpoint: '/fapi/v1/klines', version: 1, limit: 499 }
const from = monthStart('2021-01')

describe('slices', () => {
  test('have a key that reads, and its BLAKE2b-128', () => {
    const slice = slicesOf({ ...grid, limit: 1000 }, 'BTCUSDT', '1m', from, from + 1)[0]!
    expect(slice.key).toBe('BTCUSDT:1m:1609440000000-1609499999999:1000')
    expect(slice.fromTsMs % 60_000_000).toBe(0)
    expect(slice.id).toBe(bytesToHex(blake2b(utf8ToBytes(`/fapi/v1/klines@1:${slice.key}`), { dkLen: 16 })))
    expect(slice.id).toHaveLength(32)
  })

  test('tile: each begins where the one before ends, whatever the interval, range and limit', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...intervals),
        fc.integer({ min: 0, max: 2000 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 1500 }),
        (interval, day, spanBars, limit) => {
          const start = monthStart('2019-01') + day * DAY_MS + 12_345
          const end = start + spanBars * (nextOpen(from, interval) - openOf(from, interval))
          const slices = slicesOf({ ...grid, limit }, 'X', interval, start, end)
          expect(slices[0]!.fromTsMs).toBeLessThanOrEqual(start)
          expect(slices.at(-1)!.toTsMs).toBeGreaterThanOrEqual(end - 1)
          const isOnGrid = slices.every(({ fromTsMs }) => openOf(fromTsMs, interval) === fromTsMs)
          const isTiled = slices.slice(1).every(({ fromTsMs }, i) => fromTsMs === slices[i]!.toTsMs + 1)
          expect([isOnGrid, isTiled]).toEqual([true, true])
        },
      ),
      { numRuns: 200, seed: 3 },
    )
  })

  test('are anchored at the epoch: any range that holds an instant has the same slice around it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...intervals), fc.nat(900), fc.nat(900), (interval, before, after) => {
        const unit = nextOpen(from, interval) - openOf(from, interval)
        const around = (a: number, b: number) =>
          slicesOf(grid, 'X', interval, from - a * unit, from + b * unit).find(
            (one) => one.fromTsMs <= from && from <= one.toTsMs,
          )!.key
        expect(around(before, after + 1)).toBe(around(0, 1))
      }),
      { numRuns: 100, seed: 4 },
    )
  })
})

describe('missingBars', () => {
  test('finds what was taken out, and nothing else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(99), { maxLength: 30 }), (taken) => {
        const kept = Float64Array.from({ length: 100 }, (_, i) => from + i * 60_000).filter(
          (_, i) => !taken.includes(i),
        )
        const gaps = missingBars(kept, '1m', from, from + 100 * 60_000)
        const found = gaps.flatMap((gap) =>
          Array.from({ length: (gap.toTsMs - gap.fromTsMs) / 60_000 }, (_, i) => (gap.fromTsMs - from) / 60_000 + i),
        )
        expect(found).toEqual(taken.toSorted((a, b) => a - b))
      }),
      { numRuns: 200, seed: 5 },
    )
  })

  test('counts bars that open in the range: months and weeks have their own grid', () => {
    expect(missingBars(new Float64Array(0), '1M', from, monthStart('2021-04')).length).toBe(1)
    expect(missingBars(Float64Array.of(parseUtc('2021-01-04')!), '1w', from, parseUtc('2021-01-11')!)).toEqual([])
  })
})

describe('inferRules', () => {
  const volumes = (...texts: string[]) => bigIntsOf(texts.length, (row) => parseScaledBig(texts[row]!, 8)!)
  test('tells tick and step from prices and volumes, where neither shows in every value', () => {
    const prices = BigInt64Array.from({ length: 40 }, (_, i) => BigInt(61_230_000_00 + i * 7) * 100_000n)
    expect(inferRules([prices], [volumes('1.25', '7.5', '1000', '12.01')])).toEqual({
      tickSize: '0.001',
      stepSize: '0.01',
    })
    expect(inferRules([prices], [volumes('4000000', '12345678901')])).toEqual({ tickSize: '0.001', stepSize: '1' })
  })
  test('tells nothing where nothing was traded', () => {
    expect(inferRules([BigInt64Array.of(5n)], [volumes('0', '0')])).toBeUndefined()
  })
})

describe('jsonRowsAsCsv', () => {
  const csv = (value: unknown, fields?: string[]) =>
    Buffer.from(jsonRowsAsCsv(Buffer.from(JSON.stringify(value)), 'page.json', fields)).toString()
  test("writes the venue's own digits", () => {
    expect(
      csv([
        [1, '0.10', true],
        [2, '1e-7', null],
      ]),
    ).toBe('1,0.10,true\n2,1e-7,\n')
    expect(csv([{ b: '2', a: 1 }, { a: 3 }], ['a', 'b'])).toBe('1,2\n3,\n')
    expect(csv([])).toBe('')
  })
  test('refuses what has lost digits on its way, and what is no list', () => {
    expect(() => csv([[0.1]])).toThrow('row 1 holds 0.1')
    expect(() => csv([[1], [2 ** 53]])).toThrow('row 2 holds')
    expect(() => csv([['1,2']])).toThrow('row 1 holds')
    expect(() => csv({ code: -1 })).toThrow('no list of rows')
    expect(() => jsonRowsAsCsv(Buffer.from('[[1'), 'page.json')).toThrow('no JSON')
  })
})

describe('planDataset', () => {
  const wish = {
    fromTsMs: monthStart('2026-04'),
    toTsMs: monthStart('2027-01'),
    bars: [{ market: 'usdm' as const, kind: 'klines' as const, interval: '1m' as const }],
    funding: true,
    metrics: false,
    trades: false,
    aggTrades: false,
    openInterest: false,
    takerVolume: false,
    hasApi: true,
  }
  const now = parseUtc('2026-08-05T09:00')!
  const lives = [{ symbol: 'BTCUSDT', onboardTsMs: parseUtc('2026-05-11T10:00')!, deliveryTsMs: undefined }]

  test('takes months where they are out, then days, then the API, and tiles from the first bar to now', () => {
    const { bars, funding } = planDataset(lives, wish, now)
    expect(
      bars
        .filter(({ isArchived }) => isArchived)
        .map(({ period }) => period)
        .filter((period) => period.length === 7),
    ).toEqual(['2026-05', '2026-06'])
    expect(bars.find(({ isArchived }) => !isArchived)!.period).toBe('2026-08-03')
    expect(bars[0]!.fromTsMs).toBe(lives[0]!.onboardTsMs)
    bars.slice(1).forEach((one, i) => {
      expect(one.fromTsMs).toBe(bars[i]!.toTsMs)
    })
    expect(bars.at(-1)).toMatchObject({ period: '2026-08-05', closedBeforeTsMs: now })
    expect(bars.filter(({ closedBeforeTsMs }) => closedBeforeTsMs !== undefined).length).toBe(1)
    expect(funding.map(({ period, isArchived }) => [period, isArchived])).toEqual([
      ['2026-05', true],
      ['2026-06', true],
      ['2026-07', false],
      ['2026-08', false],
    ])
  })

  test('a closed partition is the same whenever it is planned', () => {
    const later = planDataset(lives, wish, now + 60 * DAY_MS)
    const june = (plan: typeof later) => plan.bars.find(({ period }) => period === '2026-06')
    expect(june(later)).toEqual(june(planDataset(lives, wish, now)))
  })

  test('without an API what is not archived is not there yet', () => {
    expect(
      planDataset(lives, { ...wish, hasApi: false }, now).bars.every(
        ({ isArchived, slices }) => isArchived && slices.length === 0,
      ),
    ).toBe(true)
  })

  test('300 symbols over 24 months are 14,400 partitions', () => {
    const many = Array.from({ length: 300 }, (_, i) => ({
      symbol: `S${i}USDT`,
      onboardTsMs: 0,
      deliveryTsMs: undefined,
    }))
    const { bars, funding } = planDataset(
      many,
      { ...wish, fromTsMs: monthStart('2024-01'), toTsMs: monthStart('2026-01') },
      now,
    )
    expect(bars.length + funding.length).toBe(14_400)
  })
})
