import assert from 'node:assert/strict'

import { Fault } from '../fault.ts'
import { dayStart } from '../time.ts'
import type { BacktestConfig } from './config.ts'
import type { Ledger } from './ledger.ts'
import { bpsToRateE8, exact, pow10, timesRateE8 } from './scaled.ts'

/** Maintenance margin of a notional in this bracket is notional * rate - amount. */
export interface MaintenanceLevel {
  readonly upToCash: number
  readonly rateE8: number
  readonly amountCash: number
}

/** The amounts make the margin continuous at every border, as the venue's `cum` does. */
export function maintenanceLevels(
  levels: readonly { upToUsdt?: number | undefined; maintenanceBps: number }[],
  cashDecimals: number,
): MaintenanceLevel[] {
  const result: MaintenanceLevel[] = []
  let floorCash = 0
  let amountCash = 0
  let rateBelowE8 = 0
  for (const level of levels) {
    const rateE8 = bpsToRateE8(level.maintenanceBps)
    const upToCash = level.upToUsdt === undefined ? Infinity : level.upToUsdt * pow10(cashDecimals)
    if (!(upToCash > floorCash) || rateE8 < rateBelowE8) {
      throw new Fault({ code: 'usage', what: 'maintenance brackets must rise', where: 'backtest.brackets' })
    }
    amountCash += timesRateE8(floorCash, rateE8 - rateBelowE8)
    result.push({ upToCash, rateE8, amountCash })
    // Beyond what the ledger can hold no bracket is needed, and its border would not be exact.
    if (upToCash > Number.MAX_SAFE_INTEGER) break
    floorCash = upToCash
    rateBelowE8 = rateE8
  }
  return result
}

export function maintenanceCash(notionalCash: number, levels: readonly MaintenanceLevel[]): number {
  assert.ok(notionalCash >= 0)
  let i = 0
  while (i < levels.length - 1 && notionalCash > levels[i]!.upToCash) i++
  const level = levels[i]!
  return exact(timesRateE8(notionalCash, level.rateE8) - level.amountCash)
}

/** Brackets by symbol and date; a symbol's own come before the general ones. */
export class BracketSchedule {
  /** No bracket of any symbol or time asks for a larger share of a notional. */
  readonly highestRate: number
  #entries: { fromMs: number; symbol: string | undefined; levels: MaintenanceLevel[] }[]
  #levelsOf: (readonly MaintenanceLevel[])[]
  #symbols: readonly string[]
  #next = 0

  constructor(config: Pick<BacktestConfig, 'brackets' | 'cashDecimals'>, symbols: readonly string[], startMs: number) {
    this.#entries = config.brackets
      .map(({ from, symbol, levels }) => ({
        fromMs: dayStart(from),
        symbol,
        levels: maintenanceLevels(levels, config.cashDecimals),
      }))
      .sort((a, b) => a.fromMs - b.fromMs)
    this.highestRate = Math.max(...this.#entries.flatMap(({ levels }) => levels.map(({ rateE8 }) => rateE8 / 1e8)))
    this.#symbols = symbols
    this.#levelsOf = []
    const general = this.#entries.find((entry) => entry.symbol === undefined)
    if (general === undefined || general.fromMs > startMs) {
      throw new Fault({
        code: 'usage',
        what: 'no general maintenance brackets are in force when the data begins',
        where: 'backtest.brackets',
        todo: 'add an entry without a symbol, dated before the first bar',
      })
    }
  }

  advance(tsMs: number): void {
    if (this.#next >= this.#entries.length || this.#entries[this.#next]!.fromMs > tsMs) return
    while (this.#next < this.#entries.length && this.#entries[this.#next]!.fromMs <= tsMs) this.#next++
    const inForce = this.#entries.slice(0, this.#next)
    const general = inForce.findLast((entry) => entry.symbol === undefined)!
    this.#levelsOf = this.#symbols.map(
      (symbol) => (inForce.findLast((entry) => entry.symbol === symbol) ?? general).levels,
    )
  }

  of(symbol: number): readonly MaintenanceLevel[] {
    return this.#levelsOf[symbol]!
  }
}

/** The mark price at which an isolated one-way position is liquidated, as the venue publishes it:
 *  (wallet + amount - side * quantity * entry) / (quantity * rate - side * quantity). For cross margin, `walletBalance`
 *  is the balance less the maintenance margin, plus the unrealised PnL, of all other positions. */
export function liquidationPrice(position: {
  walletBalance: number
  maintenanceAmount: number
  maintenanceRate: number
  /** Signed: negative is short. */
  qty: number
  entryPx: number
}): number {
  const { walletBalance, maintenanceAmount, maintenanceRate, qty, entryPx } = position
  return (walletBalance + maintenanceAmount - qty * entryPx) / (Math.abs(qty) * maintenanceRate - qty)
}

/** What of the wallet backs no isolated position, as if one of them were closed at a price. Gains that are not realised back
 *  nothing: else what is lost elsewhere would be more than there is. */
export function freeOfMargins(ledger: Ledger, leverageMax: number, closed: number, closedPx: number): number {
  // Cash has paid whole notionals: the wallet is cash with the entries given back.
  let free = ledger.cash
  for (let s = 0; s < ledger.entryCash.length; s++) {
    const entry = ledger.entryCash[s]!
    if (entry === 0) continue
    free += s === closed ? ledger.positionQty[s]! * closedPx : entry - Math.abs(entry) / leverageMax
  }
  return free
}
