import { describe, expect, test } from 'vitest'
import { openInterestDays } from '../../../../lib/market/plan/openInterestDays.ts'
import { type DatasetWish, planDataset } from '../../../../lib/market/plan/planDataset.ts'
import { type MonthRules, symbolMonths } from '../../../../lib/market/plan/symbolMonths.ts'
import { DAY_MS, parseUtc } from '../../../../lib/time.ts'

const at = (text: string) => parseUtc(text)!
const wish: DatasetWish = {
  fromTsMs: at('2026-03-01'),
  toTsMs: at('2026-08-01'),
  bars: [
    { market: 'usdm', kind: 'klines', interval: '1m' },
    { market: 'usdm', kind: 'klines', interval: '1h' },
    { market: 'spot', kind: 'klines', interval: '1m' },
  ],
  funding: true,
  metrics: true,
  trades: true,
  aggTrades: true,
  openInterest: true,
  takerVolume: false,
  hasApi: true,
}
const lives = [
  { symbol: 'BTCUSDT', onboardTsMs: at('2020-01-01') },
  { symbol: '1000PEPEUSDT', onboardTsMs: at('2026-04-10T12:30') },
  { symbol: 'LUNAUSDT', onboardTsMs: at('2020-01-01'), deliveryTsMs: at('2026-04-18T09:00') },
]
const rules = { interval: '1m', fromTsMs: wish.fromTsMs, toTsMs: wish.toTsMs, backMs: DAY_MS } as const
const planAt = (now: string) => planDataset(lives, wish, at(now))
const monthsOf = (now: string, period: string, barsFrom: MonthRules['barsFrom'] = 'klines') =>
  symbolMonths(planAt(now), period, { ...rules, barsFrom })

describe('what the minutes of a month are made of', () => {
  test('symbols by name, each over the days it lived, with the day before them', () => {
    const april = monthsOf('2026-07-20', '2026-04')
    expect(april.map(({ symbol, from, to }) => [symbol, from, to])).toEqual([
      ['1000PEPEUSDT', '2026-04-10', '2026-05-01'],
      ['BTCUSDT', '2026-04-01', '2026-05-01'],
      ['LUNAUSDT', '2026-04-01', '2026-04-19'],
    ])
    const btc = april[1]!
    expect(btc.klines.map(({ interval, period }) => `${interval} ${period}`)).toEqual(['1m 2026-03', '1m 2026-04'])
    expect(btc.funding.map(({ period }) => period)).toEqual(['2026-03', '2026-04'])
  })

  test('a contract on a thousand of a coin takes the coin’s pair on spot', () => {
    const [pepe] = monthsOf('2026-07-20', '2026-04')
    expect(pepe!.spot.map(({ symbol, period }) => `${symbol} ${period}`)).toEqual(['PEPEUSDT 2026-04'])
  })

  test('days of trades where bars are made of them, with the day before; those of no use are not read', () => {
    const [, fromKlines] = monthsOf('2026-07-20', '2026-04')
    expect([fromKlines!.trades, fromKlines!.aggTrades]).toEqual([[], []])
    const [, fromTrades, luna] = monthsOf('2026-07-20', '2026-04', 'trades')
    expect(fromTrades).toMatchObject({ symbol: 'BTCUSDT', from: '2026-04-01', to: '2026-05-01', aggTrades: [] })
    expect([fromTrades!.trades[0]!.period, fromTrades!.trades.at(-1)!.period]).toEqual(['2026-03-31', '2026-04-30'])
    expect(fromTrades!.trades.length).toBe(31)
    expect([luna!.symbol, luna!.to, luna!.trades.at(-1)!.period]).toEqual(['LUNAUSDT', '2026-04-19', '2026-04-18'])
    expect(fromTrades!.klines).toEqual(fromKlines!.klines)
  })

  test('minutes end with the last day whose trades are published; aggregate trades go on to midnight', () => {
    const endOf = (barsFrom: MonthRules['barsFrom']) =>
      monthsOf('2026-07-20T09:00', '2026-07', barsFrom).find(({ symbol }) => symbol === 'BTCUSDT')!.to
    expect(['klines', 'trades', 'aggTrades'].map((from) => endOf(from as MonthRules['barsFrom']))).toEqual([
      '2026-07-20',
      '2026-07-18',
      '2026-07-20',
    ])
  })

  test('nobody who is dead or not born, and no day that is not over', () => {
    expect(monthsOf('2026-07-20', '2026-03').map(({ symbol }) => symbol)).toEqual(['BTCUSDT', 'LUNAUSDT'])
    const july = monthsOf('2026-07-20T15:00', '2026-07')
    expect(july.map(({ symbol, from, to }) => [symbol, from, to])).toEqual([
      ['1000PEPEUSDT', '2026-07-01', '2026-07-20'],
      ['BTCUSDT', '2026-07-01', '2026-07-20'],
    ])
  })

  test('open interest of each day once: of the archive where it has the day, and of the API behind it', () => {
    const days = openInterestDays(planAt('2026-07-20')).filter(({ symbol }) => symbol === 'BTCUSDT')
    const periods = days.map(({ period }) => period)
    expect(new Set(periods).size).toBe(periods.length)
    expect(days.find(({ period }) => period === '2026-07-10')!.isArchived).toBe(true)
    expect(days.find(({ period }) => period === '2026-07-19')).toMatchObject({ isArchived: false })
  })
})
