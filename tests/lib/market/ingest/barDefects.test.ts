import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { barDefects } from '../../../../lib/market/ingest/barDefects.ts'
import { klineRows } from '../../../../lib/tables/klines.ts'
import { makeTable } from '../../../../lib/tables/table.ts'
import { bigIntsOf } from '../../../../lib/tables/wideInts.ts'

const openTsMs = Date.UTC(2026, 0, 1)
const minuteMs = 60_000
const scale = 10n ** 8n

type Bar = Readonly<
  Record<
    'open' | 'high' | 'low' | 'close' | 'volume' | 'quoteVolume' | 'takerBuyVolume' | 'takerBuyQuoteVolume',
    bigint
  >
> & { readonly count: number }

const defectOf = (bar: Bar, open = openTsMs, close = open + minuteMs - 1) => {
  const wide = (value: bigint) => bigIntsOf(1, () => value)
  const table = makeTable(klineRows, {
    openTsMs: Float64Array.of(open),
    open: BigInt64Array.of(bar.open),
    high: BigInt64Array.of(bar.high),
    low: BigInt64Array.of(bar.low),
    close: BigInt64Array.of(bar.close),
    volume: wide(bar.volume),
    quoteVolume: wide(bar.quoteVolume),
    count: Int32Array.of(bar.count),
    takerBuyVolume: wide(bar.takerBuyVolume),
    takerBuyQuoteVolume: wide(bar.takerBuyQuoteVolume),
    closeTsMs: Float64Array.of(close),
  })
  return barDefects(table, '1m', 'klines')(0)?.kind
}

/** The same in bigints alone. */
function slowly(bar: Bar): string | undefined {
  const { open, high, low, close, volume, quoteVolume, takerBuyVolume, takerBuyQuoteVolume, count } = bar
  const isOrdered = low > 0n && low <= open && low <= close && open <= high && close <= high
  if (!isOrdered || takerBuyVolume > volume || takerBuyQuoteVolume > quoteVolume) return 'impossibleRow'
  const slack = BigInt(count + 1) * scale
  const stated = quoteVolume * scale
  const isPossible =
    volume === 0n ? quoteVolume === 0n : low * volume <= stated + slack && stated <= high * volume + slack
  return isPossible ? undefined : 'wrongTurnover'
}

/** Numbers whose neighbours are no doubles any more, and some whose are. */
const around = (most: bigint) =>
  fc
    .tuple(fc.constantFrom(0n, 7n, 2n ** 40n, 2n ** 53n, 10n ** 17n, most - 10n), fc.bigInt({ min: -4n, max: 4n }))
    .map(([base, more]) => (base + more < 0n ? 0n : base + more))

describe('what is wrong with a bar', () => {
  const sound: Bar = {
    open: 2n * scale,
    high: 3n * scale,
    low: 1n * scale,
    close: 2n * scale,
    volume: 10n * scale,
    quoteVolume: 20n * scale,
    takerBuyVolume: 10n * scale,
    takerBuyQuoteVolume: 20n * scale,
    count: 3,
  }

  test('is its place on the grid, its end, its prices or its turnover, in this order', () => {
    expect(defectOf(sound)).toBeUndefined()
    expect(defectOf({ ...sound, low: 0n }, openTsMs + 1, 0)).toBe('offGrid')
    expect(defectOf({ ...sound, low: 0n }, openTsMs, openTsMs + minuteMs)).toBe('wrongCloseTime')
    expect(defectOf({ ...sound, low: 0n, quoteVolume: 999n * scale })).toBe('impossibleRow')
    expect(defectOf({ ...sound, quoteVolume: 999n * scale })).toBe('wrongTurnover')
    expect(defectOf({ ...sound, takerBuyVolume: 10n * scale + 1n })).toBe('impossibleRow')
    expect(defectOf({ ...sound, takerBuyQuoteVolume: 20n * scale + 1n })).toBe('impossibleRow')
  })

  test('is told to the last unit, beyond what doubles tell apart too', () => {
    const price = around(10n ** 18n)
    const amount = around(10n ** 28n)
    const bar = fc.record({
      prices: fc.array(price, { minLength: 4, maxLength: 4 }),
      isSorted: fc.boolean(),
      amounts: fc.array(amount, { minLength: 2, maxLength: 2 }),
      taken: fc.array(fc.bigInt({ min: -1n, max: 1n }), { minLength: 2, maxLength: 2 }),
      turned: fc.option(fc.bigInt({ min: -6n, max: 6n }), { nil: undefined }),
      count: fc.nat(4),
    })
    const seen = new Map<string | undefined, number>()
    fc.assert(
      fc.property(bar, ({ prices, isSorted, amounts, taken, turned, count }) => {
        const [low, open, close, high] = (
          isSorted ? prices.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)) : prices
        ) as [bigint, bigint, bigint, bigint]
        const volume = amounts[0]!
        // At the very edge of what is possible, or anything.
        const quoteVolume = turned === undefined ? amounts[1]! : ((turned < 0n ? low : high) * volume) / scale + turned
        if (quoteVolume < 0n || quoteVolume >= 10n ** 28n) return
        const above = (value: bigint, more: bigint) =>
          value + more < 0n || value + more >= 10n ** 28n ? value : value + more
        const made = {
          ...{ open, high, low, close, volume, quoteVolume, count },
          takerBuyVolume: above(volume, taken[0]!),
          takerBuyQuoteVolume: above(quoteVolume, taken[1]!),
        }
        const expected = slowly(made)
        seen.set(expected, (seen.get(expected) ?? 0) + 1)
        expect(defectOf(made)).toBe(expected)
      }),
      { seed: 5, numRuns: 4000 },
    )
    for (const kind of [undefined, 'impossibleRow', 'wrongTurnover']) expect(seen.get(kind)).toBeGreaterThan(100)
  })
})
