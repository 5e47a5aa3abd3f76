import assert from 'node:assert/strict'
import { Fault } from '../fault.ts'
import { dayOf, dayStart } from '../time.ts'
import type { BacktestConfig } from './config.ts'
import { bpsToRateE8 } from './scaled.ts'

/** Fees by date. Asked in rising time, as the engine does, each answer is a step from the last. */
export class FeeSchedule {
  makerRateE8 = 0
  takerRateE8 = 0
  #entries: readonly { fromMs: number; makerRateE8: number; takerRateE8: number }[]
  #next = 0

  constructor(config: Pick<BacktestConfig, 'fees' | 'feeTier'>, startMs: number) {
    this.#entries = config.fees
      .map(({ from, tiers }) => {
        const tier = tiers[config.feeTier]
        assert.ok(tier !== undefined, 'the config has the tier in every entry')
        return {
          fromMs: dayStart(from),
          makerRateE8: bpsToRateE8(tier.makerBps),
          takerRateE8: bpsToRateE8(tier.takerBps),
        }
      })
      .sort((a, b) => a.fromMs - b.fromMs)
    const first = this.#entries[0]!
    if (first.fromMs > startMs) {
      throw new Fault({
        code: 'usage',
        what: `fees are known from ${dayOf(first.fromMs)} only, the data begins before`,
        where: 'backtest.fees',
        todo: 'add an entry for the earlier time',
      })
    }
  }

  advance(tsMs: number): void {
    while (this.#next < this.#entries.length && this.#entries[this.#next]!.fromMs <= tsMs) {
      const entry = this.#entries[this.#next++]!
      this.makerRateE8 = entry.makerRateE8
      this.takerRateE8 = entry.takerRateE8
    }
  }
}
