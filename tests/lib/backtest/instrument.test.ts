import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  fromUnits,
  makeInstrument,
  roundAdversePx,
  roundLimitPx,
  roundQty,
  toUnits,
} from '../../../lib/backtest/instrument.ts'

const btc = { symbol: 'BTCUSDT', tickSize: '0.10', stepSize: '0.001', minNotional: '100' }

describe('makeInstrument', () => {
  test('price units times quantity units are cash units', () => {
    const instrument = makeInstrument(btc, 8)
    expect(instrument).toEqual({
      symbol: 'BTCUSDT',
      pxDecimals: 5,
      qtyDecimals: 3,
      tickPx: 10_000,
      stepQty: 1,
      minNotionalCash: 100_00000000,
    })
    expect(toUnits(42_000.1, 5) * toUnits(0.5, 3)).toBe(toUnits(21_000.05, 8))
  })

  test('a symbol with tiny ticks and whole quantities', () => {
    const pepe = makeInstrument({ symbol: '1000PEPEUSDT', tickSize: '0.0000001', stepSize: '1', minNotional: '5' }, 8)
    expect(makeInstrument({ ...btc, tickSize: '0.10000000', stepSize: '1e-3' }, 8)).toEqual(makeInstrument(btc, 8))
    expect([pepe.pxDecimals, pepe.qtyDecimals, pepe.tickPx, pepe.stepQty]).toEqual([8, 0, 10, 1])
  })

  test('says what to change where the run has too few decimals, and refuses what is no decimal', () => {
    expect(() => makeInstrument(btc, 3)).toThrow('BTCUSDT: tick 0.10 and step 0.001 need 4 decimals of cash')
    for (const tickSize of ['0', '-1', '0.000', '', '.', 'NaN']) {
      expect(() => makeInstrument({ ...btc, tickSize }, 8)).toThrow('tickSize must be a positive decimal')
    }
  })
})

describe('rounding', () => {
  test('a limit never costs more than was said: buys floor to the tick, sells ceil', () => {
    expect(roundLimitPx(105, true, 10)).toBe(100)
    expect(roundLimitPx(105, false, 10)).toBe(110)
    expect(roundLimitPx(110, true, 10)).toBe(110)
  })

  test('a slipped price is rounded against the order and stays a price', () => {
    expect(roundAdversePx(101, true, 10)).toBe(110)
    expect(roundAdversePx(109, false, 10)).toBe(100)
    expect(roundAdversePx(3, false, 10)).toBe(10)
  })

  test('quantities go toward zero', () => {
    expect(roundQty(19, 10)).toBe(10)
    expect(roundQty(-19, 10)).toBe(-10)
    expect(Object.is(roundQty(-9, 10), 0)).toBe(true)
  })

  test('decimal text of up to 15 digits survives float and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), fc.nat(8), (units, decimals) => {
        const text = String(units).padStart(decimals + 1, '0')
        const decimal = decimals === 0 ? text : `${text.slice(0, -decimals)}.${text.slice(-decimals)}`
        expect(toUnits(Number(decimal), decimals)).toBe(units)
        expect(fromUnits(units, decimals)).toBe(Number(decimal))
      }),
    )
  })
})
