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

/** What an isolated position can lose: notional / leverage of its entry, and what it was paid or paid in funding since. The
 *  venue settles funding on the isolated wallet (its ACCOUNT_UPDATE for FUNDING_FEE carries the balance alone for a crossed
 *  position, and the position with its isolated wallet for an isolated one), and that wallet is the balance of the formula
 *  above. So what is paid brings liquidation nearer and nothing else can be opened with what is received, until the position
 *  is closed: of a part that is closed, its share goes back. */
export function isolatedMargin(ledger: Ledger, symbol: number, leverageMax: number): number {
  return Math.floor(Math.abs(ledger.entryCash[symbol]!) / leverageMax) + ledger.heldFunding[symbol]!
}

/** The price at which an isolated position's margin is spent; rounded so that not a unit more is. */
export function bankruptcyPx(ledger: Ledger, symbol: number, leverageMax: number): number {
  const qty = ledger.positionQty[symbol]!
  const left = ledger.entryCash[symbol]! - isolatedMargin(ledger, symbol, leverageMax)
  return Math.max(1, qty > 0 ? Math.ceil(left / qty) : Math.floor(left / qty))
}

/** Whether an isolated position that is closed at a price costs more than its margin, the fee of closing included. */
export function isBeyondMargin(
  ledger: Ledger,
  symbol: number,
  exit: { px: number; feeRateE8: number },
  leverageMax: number,
): boolean {
  const worth = ledger.positionQty[symbol]! * exit.px
  const gained = worth - ledger.entryCash[symbol]!
  return isolatedMargin(ledger, symbol, leverageMax) + gained < timesRateE8(Math.abs(worth), exit.feeRateE8)
}

/** What of the wallet backs no isolated position, as if one of them were closed at a price. Gains that are not realised back
 *  nothing: else what is lost elsewhere would be more than there is. */
export function freeOfMargins(ledger: Ledger, leverageMax: number, closed: number, closedPx: number): number {
  // Cash has paid whole notionals: the wallet is cash with the entries given back.
  let free = ledger.cash
  for (let s = 0; s < ledger.entryCash.length; s++) {
    const entry = ledger.entryCash[s]!
    if (entry === 0) continue
    free += s === closed ? ledger.positionQty[s]! * closedPx : entry - isolatedMargin(ledger, s, leverageMax)
  }
  return free
}

/** The most of `wanted` units that `room` has space for, when each takes `perUnit` of it. One that brings more than it takes
 *  (a rebate larger than its margin, a price far better than the mark) makes its own room, and then only all of it counts:
 *  what is there already may be beyond the room. */
export function fittingQty(wanted: number, room: number, perUnit: number): number {
  if (room >= wanted * perUnit) return wanted
  return perUnit > 0 ? Math.max(0, Math.floor(room / perUnit)) : 0
}
