import fc from 'fast-check'
import { expect, test } from 'vitest'

import { ClosePrices } from '../../../lib/backtest/closePrices.ts'
import { MarketView } from '../../../lib/backtest/marketView.ts'
import { barsOf, flatBar, marketOf } from './markets.ts'

const rows = 900
const closeOf = (row: number) => 100 + (row % 97) / 100
const bars = barsOf(Array.from({ length: rows }, (_, row) => flatBar(closeOf(row))))
const expected = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => closeOf(from + i))

test('windows of any length, asked for in rising time in any mixture, are the closes of their rows', () => {
  const length = fc.oneof(fc.nat(60), fc.integer({ min: 30, max: 60 }), fc.integer({ min: 30, max: 60 }))
  const ask = fc.record({ s: fc.nat(1), pause: fc.nat(22), length, lag: fc.nat(80) })
  fc.assert(
    fc.property(fc.array(ask, { minLength: 20, maxLength: 80 }), (asks) => {
      const closes = new ClosePrices(new MarketView(marketOf({ AUSDT: { bars }, BUSDT: { bars } })))
      let end = 1
      for (const { s, pause, length, lag } of asks) {
        end = Math.min(rows, end + pause)
        const from = Math.max(0, end - length)
        expect(closes.window(s, from, end)).toEqual(expected(from, end))
        const row = Math.max(0, end - 1 - lag)
        expect(closes.at(s, row)).toBe(closeOf(row))
      }
    }),
  )
})

test('a window handed out is a copy', () => {
  const closes = new ClosePrices(new MarketView(marketOf({ AUSDT: { bars } })))
  closes.window(0, 0, 9)[3] = 0
  expect(closes.window(0, 0, 9)).toEqual(expected(0, 9))
})

test('a long run of one window keeps giving the same', () => {
  const closes = new ClosePrices(new MarketView(marketOf({ AUSDT: { bars } })))
  for (let end = 10; end <= rows; end++) expect(closes.window(0, end - 10, end)).toEqual(expected(end - 10, end))
})
