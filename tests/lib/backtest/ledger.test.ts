import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Ledger } from '../../../lib/backtest/ledger.ts'
import { bpsToRateE8, exact, timesRateE8, timesRateE18 } from '../../../lib/backtest/scaled.ts'
import { Fault } from '../../../lib/fault.ts'

/** 10^-8 in 10^-18. */
const tenBillion = 10_000_000_000n

describe('timesRateE8', () => {
  test('is the exact product, rounded half away from zero', () => {
    const value = fc.oneof(fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }), fc.integer({ min: -1000, max: 1000 }))
    fc.assert(
      fc.property(value, fc.integer({ min: -100_000_000, max: 100_000_000 }), (amount, rateE8) => {
        const product = BigInt(amount) * BigInt(rateE8)
        const magnitude = ((product < 0n ? -product : product) + 50_000_000n) / 100_000_000n
        expect(BigInt(timesRateE8(amount, rateE8))).toBe(product < 0n ? -magnitude : magnitude)
      }),
    )
  })

  test('with up to eighteen decimals as with eight: not a unit of cash is lost between the two ways', () => {
    const amount = fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 })
    const rate = fc.oneof(
      fc.bigInt({ min: 1n - 10n ** 18n, max: 10n ** 18n - 1n }),
      fc.bigInt({ min: -(10n ** 8n) + 1n, max: 10n ** 8n - 1n }).map((units) => units * tenBillion),
    )
    fc.assert(
      fc.property(amount, rate, (value, rateE18) => {
        const product = BigInt(value) * rateE18
        const magnitude = ((product < 0n ? -product : product) + 5n * 10n ** 17n) / 10n ** 18n
        expect(BigInt(timesRateE18(value, rateE18))).toBe(product < 0n ? -magnitude : magnitude)
      }),
    )
  })

  test('a fee of 4.5 bps on 1000.00000001 USDT', () => {
    expect(timesRateE8(100_000_000_001, bpsToRateE8(4.5))).toBe(45_000_000)
  })

  test('never yields a negative zero, which would show in tables', () => {
    expect(Object.is(timesRateE8(-1, 1), 0)).toBe(true)
  })
})

describe('exact', () => {
  test('lets whole numbers up to 2^53 pass and ends the run beyond, with what to do', () => {
    expect(exact(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => exact(2 ** 53)).toThrow(Fault)
    expect(() => exact(Number.NaN)).toThrow(Fault)
  })
})

describe('Ledger', () => {
  test('a long that is marked up, funded and sold: every part is where it belongs', () => {
    const ledger = new Ledger(1, 1_000_000)
    ledger.mark(0, 100)
    const fee = ledger.trade(0, 500, 101, 103, bpsToRateE8(10))
    expect(fee).toBe(52) // 51,500 at 0.1 %, half away from zero
    ledger.mark(0, 110)
    expect(ledger.settleFunding(0, 110, 10_000n * tenBillion)).toBe(-6) // 55,000 at 0.01 % = 5.5
    ledger.trade(0, -500, 120, 119, 0)
    expect(ledger.parts()).toEqual({
      pricePnl: 500 * (120 - 101),
      slippage: -500 * 2 - 500 * 1,
      fees: -52,
      funding: -6,
      liquidationFees: 0,
    })
    expect(ledger.cash).toBe(1_000_000 - 51_500 - 52 - 6 + 59_500)
    expect(ledger.equity).toBe(ledger.cash)
    expect(ledger.grossCash).toBe(0)
    ledger.audit()
  })

  test('shorts receive a positive rate and pay a negative one', () => {
    const ledger = new Ledger(1, 1_000_000)
    ledger.trade(0, -1000, 100, 100, 0)
    expect(ledger.settleFunding(0, 100, 100_000n * tenBillion)).toBe(100)
    expect(ledger.settleFunding(0, 100, -100_000n * tenBillion)).toBe(-100)
  })

  test('the entry follows the open position: averaged in, reduced in proportion, begun anew on a reversal', () => {
    const ledger = new Ledger(1, 1_000_000)
    ledger.trade(0, 10, 100, 100, 0)
    ledger.trade(0, 10, 200, 200, 0)
    expect(ledger.entryCash[0]).toBe(3000)
    ledger.trade(0, -5, 300, 300, 0)
    expect(ledger.entryCash[0]).toBe(2250)
    ledger.trade(0, -20, 400, 400, 0)
    expect(ledger.entryCash[0]).toBe(-2000)
  })

  test('the funding of the open position leaves with what is closed of it, and a new side begins without any', () => {
    const ledger = new Ledger(1, 1_000_000)
    ledger.trade(0, 1000, 100, 100, 0)
    ledger.settleFunding(0, 100, 100_000n * tenBillion)
    ledger.settleFunding(0, 100, -400_000n * tenBillion)
    expect(ledger.heldFunding[0]).toBe(300)
    ledger.trade(0, 500, 100, 100, 0)
    expect(ledger.heldFunding[0]).toBe(300)
    ledger.trade(0, -500, 120, 120, 0)
    expect(ledger.heldFunding[0]).toBe(200)
    ledger.trade(0, -1500, 120, 120, 0)
    expect(ledger.heldFunding[0]).toBe(0)
    expect(ledger.funding[0]).toBe(300)
  })

  test('equity = cash + positions at mark, and its change is explained, exactly, after every event', () => {
    const px = fc.integer({ min: 1, max: 1_000_000 })
    const qty = fc.integer({ min: -100_000, max: 100_000 }).filter((q) => q !== 0)
    const rate = fc.integer({ min: -3_000_000, max: 3_000_000 })
    const symbol = fc.nat(3)
    const event = fc.oneof(
      fc.record({ kind: fc.constant('mark' as const), symbol, px }),
      fc.record({ kind: fc.constant('trade' as const), symbol, qty, px, fillPx: px, rate }),
      fc.record({
        kind: fc.constant('funding' as const),
        symbol,
        px,
        rate,
        below: fc.bigInt({ min: 0n, max: tenBillion }),
      }),
      fc.record({ kind: fc.constant('liquidationFee' as const), symbol, px }),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const ledger = new Ledger(4, 100_000_00000000)
        for (const e of events) {
          if (e.kind === 'mark') ledger.mark(e.symbol, e.px)
          else if (e.kind === 'trade') ledger.trade(e.symbol, e.qty, e.px, e.fillPx, Math.abs(e.rate))
          else if (e.kind === 'funding') ledger.settleFunding(e.symbol, e.px, BigInt(e.rate) * tenBillion + e.below)
          else ledger.payLiquidationFee(e.symbol, e.px)
          ledger.audit()
        }
      }),
      { numRuns: 300 },
    )
  })

  test('the audit notices a single unit gone missing', () => {
    const ledger = new Ledger(1, 1000)
    ledger.trade(0, 1, 10, 10, 0)
    ledger.cash -= 1
    expect(() => ledger.audit()).toThrow('equity is cash plus positions at mark')
  })
})
