import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { MINUTES_A_DAY } from '../../../lib/sim/factorDay.ts'
import { createMarket } from '../../../lib/sim/market.ts'

const market = createMarket(defaultWorld)
const anyInstrument = fc.constantFrom(...market.instruments.filter(({ spec }) => spec.contractType !== ''))
const anyDay = fc.integer({ min: 0, max: market.dayNumber(market.nowTsMs) })

describe('trades add up to their bars to the last digit', () => {
  test('for any instrument, day and minute', () => {
    fc.assert(
      fc.property(anyInstrument, anyDay, (instrument, d) => {
        const bars = market.bars(instrument, d)
        const trades = market.trades(instrument, d, 0, MINUTES_A_DAY)
        const start = market.dayStartTsMs(d)
        expect(trades.rows).toBe(instrument.tradesOver[d])
        let row = 0
        for (let i = 0; i < MINUTES_A_DAY; i++) {
          if (bars.count[i] === 0) continue
          const first = row
          let [high, low, lots, quote, buyLots, buyQuote] = [0, Infinity, 0, 0, 0, 0]
          for (; row < trades.rows && trades.tsMs[row]! < start + (i + 1) * 60_000; row++) {
            const px = trades.pxTicks[row]!
            const qty = trades.qtyLots[row]!
            if (row > 0 && trades.tsMs[row]! < trades.tsMs[row - 1]!) throw new Error(`row ${row} steps back in time`)
            if (!(qty >= 1) || !Number.isInteger(qty)) throw new Error(`row ${row} has ${qty} lots`)
            high = Math.max(high, px)
            low = Math.min(low, px)
            lots += qty
            quote += px * qty
            buyLots += trades.buyerIsMaker[row] ? 0 : qty
            buyQuote += trades.buyerIsMaker[row] ? 0 : px * qty
          }
          const built = [
            trades.pxTicks[first],
            high,
            low,
            trades.pxTicks[row - 1],
            row - first,
            lots,
            quote,
            buyLots,
            buyQuote,
          ]
          const { open, high: h, low: l, close, count, lots: v, quote: q, buyLots: bv, buyQuote: bq } = bars
          const bar = [open, h, l, close, count, v, q, bv, bq].map((column) => column[i])
          if (String(built) !== String(bar)) throw new Error(`minute ${i}: trades ${built}, bar ${bar}`)
        }
        expect(row).toBe(trades.rows)
      }),
      { numRuns: 40 },
    )
  })

  test('a minute made alone is that minute of the day', () => {
    fc.assert(
      fc.property(anyInstrument, anyDay, fc.integer({ min: 0, max: 1439 }), (instrument, d, minute) => {
        const day = market.trades(instrument, d, 0, MINUTES_A_DAY)
        const alone = market.trades(instrument, d, minute, minute + 1)
        const from = market.dayStartTsMs(d) + minute * 60_000
        const first = day.tsMs.findIndex((tsMs) => tsMs >= from)
        const slice = (column: { slice(from: number, to: number): ArrayLike<number> }) =>
          Array.from(first < 0 ? [] : column.slice(first, first + alone.rows))
        expect(Array.from(alone.tsMs)).toEqual(slice(day.tsMs))
        expect(Array.from(alone.pxTicks)).toEqual(slice(day.pxTicks))
        expect(Array.from(alone.qtyLots)).toEqual(slice(day.qtyLots))
      }),
      { numRuns: 20 },
    )
  })
})
