import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { backtestConfig } from '../../../lib/backtest/config.ts'
import { FeeSchedule } from '../../../lib/backtest/fees.ts'
import {
  BracketSchedule,
  fittingQty,
  liquidationPrice,
  maintenanceCash,
  maintenanceLevels,
} from '../../../lib/backtest/margin.ts'

describe('liquidationPrice', () => {
  test('agrees with the public vectors for isolated USD-M positions', () => {
    const eth = { walletBalance: 1535443.01, maintenanceAmount: 135365, maintenanceRate: 0.1, qty: 3683.979 }
    expect(liquidationPrice({ ...eth, entryPx: 1456.84 })).toBeCloseTo(1114.78, 2)
    const btc = { walletBalance: 1535443.01, maintenanceAmount: 16300, maintenanceRate: 0.025, qty: 109.488 }
    expect(liquidationPrice({ ...btc, entryPx: 32481.98 })).toBeCloseTo(18778.73, 2)
  })

  test('a short is liquidated above its entry', () => {
    const short = { walletBalance: 100, maintenanceAmount: 0, maintenanceRate: 0.01, qty: -10 }
    expect(liquidationPrice({ ...short, entryPx: 100 })).toBeCloseTo(1100 / 10.1, 10)
  })
})

describe('maintenance brackets', () => {
  const levels = maintenanceLevels(
    [{ upToUsdt: 50_000, maintenanceBps: 40 }, { upToUsdt: 250_000, maintenanceBps: 50 }, { maintenanceBps: 100 }],
    2,
  )

  test('the deducted amounts follow from the rates and make the margin continuous', () => {
    expect(levels.map((level) => level.amountCash)).toEqual([0, 50_00, 1300_00])
    expect(maintenanceCash(50_000_00, levels)).toBe(200_00)
    expect(maintenanceCash(50_001_00, levels)).toBe(200_00 + 1) // 0.5 cents, half away from zero
    expect(maintenanceCash(300_000_00, levels)).toBe(1700_00)
  })

  test('must rise', () => {
    expect(() => maintenanceLevels([{ upToUsdt: 10, maintenanceBps: 50 }, { maintenanceBps: 40 }], 2)).toThrow('rise')
  })

  test("take effect on their date, a symbol's own before the general ones", () => {
    const schedule = new BracketSchedule(
      {
        cashDecimals: 2,
        brackets: [
          { from: '2020-01-01', levels: [{ maintenanceBps: 100 }] },
          { from: '2020-01-01', symbol: 'B', levels: [{ maintenanceBps: 300 }] },
          { from: '2020-01-02', levels: [{ maintenanceBps: 200 }] },
        ],
      },
      ['A', 'B'],
      Date.UTC(2020, 0, 1),
    )
    const margins = () => [0, 1].map((s) => maintenanceCash(100_00, schedule.of(s)))
    schedule.advance(Date.UTC(2020, 0, 1))
    expect(margins()).toEqual([100, 300])
    schedule.advance(Date.UTC(2020, 0, 2))
    expect(margins()).toEqual([200, 300])
  })
})

describe('fittingQty', () => {
  test('is the most that fits, or nothing: where a unit makes room, too', () => {
    const whole = (most: number) => fc.integer({ min: -most, max: most })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), whole(1000), whole(30), (wanted, room, perUnit) => {
        const fits = Array.from({ length: wanted + 1 }, (_, units) => units).filter((units) => room >= units * perUnit)
        expect(fittingQty(wanted, room, perUnit)).toBe(fits.at(-1) ?? 0)
      }),
    )
  })
})

describe('config', () => {
  test('a typo, an unknown tier and fees that begin too late say what to do', () => {
    expect(() => backtestConfig.parse({ latencyMS: 3 })).toThrow('latencyMS')
    const tier = { makerBps: 1, takerBps: 2 }
    const fees = [
      { from: '2019-09-01', tiers: { regular: tier, vip9: tier } },
      { from: '2024-01-01', tiers: { regular: tier, vip1: tier } },
    ]
    const { error } = backtestConfig.safeParse({ fees, feeTier: 'vip9' })
    expect(error!.issues).toMatchObject([
      {
        path: ['feeTier'],
        message: 'the fees from 2024-01-01 on have no tier "vip9"; did you mean "vip1"? there is: regular, vip1',
      },
    ])
    expect(backtestConfig.safeParse({ fees, feeTier: 'regular' }).success).toBe(true)
    // A name that every object has is no tier.
    expect(backtestConfig.safeParse({ feeTier: 'constructor' }).error!.issues[0]!.message).toContain(
      'there is: regular',
    )
    expect(() => new FeeSchedule(backtestConfig.parse({}), 0)).toThrow('fees are known from 2019-09-01 only')
  })

  test('everything has a default, and parsing the parsed changes nothing', () => {
    const config = backtestConfig.parse({})
    expect(backtestConfig.parse(config)).toEqual(config)
    expect(config.capitalUsdt).toBe(100_000)
  })
})
