import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Bars, emptyBars } from '../../../lib/minute/bars.ts'
import { soundBars } from '../../../lib/minute/soundBars.ts'
import { type BigInts, narrowest, setBig, wideInts } from '../../../lib/tables/wideInts.ts'

/** Near each other, near zero, and around where doubles and 64 bits end: there a comparison can go wrong. */
const near = fc
  .tuple(fc.constantFrom(0n, 1n << 32n, 1n << 53n, (1n << 62n) + 1n), fc.bigInt(-2n, 2n))
  .map(([base, step]) => base + step)
const sum = fc.oneof(near, fc.constantFrom((1n << 64n) + 1n, 1n << 70n))
const bar = fc.record({
  px: fc.tuple(near, near, near, near),
  sums: fc.tuple(sum, sum, sum, sum),
  count: fc.constantFrom(0, 1),
})
type Bar = typeof bar extends fc.Arbitrary<infer T> ? T : never

function isSound({ px: [open, high, low, close], sums: [base, quote, takerBase, takerQuote], count }: Bar): boolean {
  if (!(low > 0n && low <= open && open <= high && low <= close && close <= high)) return false
  if (takerBase > base || takerQuote > quote) return false
  return count === 0 ? base === 0n && quote === 0n && low === high : base > 0n
}

function barsOf(bars: readonly Bar[]): Bars {
  const px = (i: number) => BigInt64Array.from(bars, (one) => one.px[i]!)
  const sums = (i: number): BigInts => {
    const values = wideInts(bars.length)
    for (const [row, one] of bars.entries()) setBig(values, row, one.sums[i]!)
    return narrowest(values)
  }
  return {
    ...emptyBars(bars.length),
    open: px(0),
    high: px(1),
    low: px(2),
    close: px(3),
    volume: sums(0),
    quoteVolume: sums(1),
    takerBuyVolume: sums(2),
    takerBuyQuoteVolume: sums(3),
    count: Int32Array.from(bars, ({ count }) => count),
  }
}

test('a bar is sound where its integers say so, however large they are', () => {
  fc.assert(
    fc.property(fc.array(bar, { maxLength: 20 }), (bars) => {
      expect([...soundBars(barsOf(bars))]).toEqual(bars.map((one) => (isSound(one) ? 1 : 0)))
    }),
    { seed: 11, numRuns: 2000 },
  )
})

test('flat bars without a trade, and traded ones, are sound', () => {
  const flat: Bar = { px: [5n, 5n, 5n, 5n], sums: [0n, 0n, 0n, 0n], count: 0 }
  const traded: Bar = { px: [5n, 7n, 4n, 6n], sums: [3n, 1n << 70n, 3n, 1n << 64n], count: 1 }
  expect([...soundBars(barsOf([flat, traded, { ...flat, count: 1 }, { ...traded, count: 0 }]))]).toEqual([1, 1, 0, 0])
})
