import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planDataset } from '../../../../lib/market/plan/planDataset.ts'
import { onSpot, spotPairOf } from '../../../../lib/market/plan/spotPair.ts'
import { DAY_MS, monthStart } from '../../../../lib/time.ts'

const start = monthStart('2026-03')

describe('the spot pair of a contract', () => {
  test.each([
    ['BTCUSDT', 'BTCUSDT'],
    ['1000PEPEUSDT', 'PEPEUSDT'],
    ['1000SHIBUSDT', 'SHIBUSDT'],
    ['1000SHIBUSDC', 'SHIBUSDC'],
    ['1000LUNCBUSD', 'LUNCBUSD'],
    ['1000000MOGUSDT', 'MOGUSDT'],
    ['1MXUSDT', 'XUSDT'],
    // A digit that belongs to the coin, and a coin whose whole name is a number.
    ['1INCHUSDT', '1INCHUSDT'],
    ['0GUSDT', '0GUSDT'],
    ['4USDT', '4USDT'],
    ['1000USDT', '1000USDT'],
    ['C98USDT', 'C98USDT'],
    // Spot counts these by the thousand and the million as well.
    ['1000SATSUSDT', '1000SATSUSDT'],
    ['1000CATUSDT', '1000CATUSDT'],
    ['1000CHEEMSUSDT', '1000CHEEMSUSDT'],
    ['1MBABYDOGEUSDT', '1MBABYDOGEUSDT'],
  ])('of %s is %s', (symbol, pair) => expect(spotPairOf(symbol)).toBe(pair))

  test('is what spot lists, where a list is given: the name as it stands before the coin behind it', () => {
    const listed = new Set(['BTCUSDT', 'PEPEUSDT', '1000RATSUSDT', 'RATSUSDT', 'SATSUSDT'])
    expect(spotPairOf('1000PEPEUSDT', listed)).toBe('PEPEUSDT')
    expect(spotPairOf('1000RATSUSDT', listed)).toBe('1000RATSUSDT')
    expect(spotPairOf('1000SATSUSDT', listed)).toBe('SATSUSDT')
    expect(spotPairOf('1000000MOGUSDT', listed)).toBeUndefined()
    expect(spotPairOf('NEWUSDT', listed)).toBeUndefined()
  })

  test('has a pair of its own only', () => {
    const name = fc.stringMatching(/^[A-Z]{2,8}USDT$/)
    fc.assert(
      fc.property(name, fc.constantFrom('1000', '10000', '1000000', '1M'), (coin, prefix) => {
        const known = ['1000CAT', '1000CHEEMS', '1000SATS', '1MBABYDOGE'].map((one) => `${one}USDT`)
        fc.pre(!known.includes(prefix + coin))
        expect(spotPairOf(prefix + coin)).toBe(coin)
        expect(spotPairOf(coin)).toBe(coin)
      }),
      { numRuns: 200, seed: 6 },
    )
  })

  test('is what is planned and asked for on spot, once for two contracts on one coin', () => {
    const wish = {
      fromTsMs: start,
      toTsMs: start + 2 * DAY_MS,
      bars: [
        { market: 'usdm', kind: 'klines', interval: '1m' },
        { market: 'spot', kind: 'klines', interval: '1m' },
      ],
      funding: false,
      metrics: false,
      trades: true,
      aggTrades: false,
      openInterest: false,
      takerVolume: false,
      hasApi: true,
    } as const
    const lives = ['PEPEUSDT', '1000PEPEUSDT'].map((symbol) => ({ symbol, onboardTsMs: 0 }))
    const { bars, trades } = planDataset(lives, wish, start + 2 * DAY_MS)
    const symbols = (market: string) => [
      ...new Set(bars.flatMap((one) => (one.market === market ? [one.symbol, ...one.slices.map(keyed)] : []))),
    ]
    const keyed = ({ key }: { key: string }): string => key.split(':')[0]!
    expect(symbols('usdm')).toEqual(['PEPEUSDT', '1000PEPEUSDT'])
    expect(symbols('spot')).toEqual(['PEPEUSDT'])
    expect(bars.filter(({ market }) => market === 'spot')).toHaveLength(2)
    const days = onSpot(planDataset(lives, { ...wish, toTsMs: start + DAY_MS }, start + 40 * DAY_MS).trades)
    expect(days.map(({ symbol, period }) => [symbol, period])).toEqual([['PEPEUSDT', '2026-03-01']])
    expect(trades).toEqual([])
  })
})
