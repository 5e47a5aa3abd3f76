import assert from 'node:assert/strict'

import { exact, timesRateE8, timesRateE18 } from './scaled.ts'

/** Why equity changed, in units of cash. Costs are negative. */
export interface EquityParts {
  pricePnl: number
  slippage: number
  fees: number
  funding: number
  liquidationFees: number
}

/** The account in whole numbers (units: scaled.ts), a slot for each symbol.
 *
 *  Two views of the same money are kept apart and must agree exactly after every event:
 *    equity = cash + sum of position * mark                                          what is there
 *    equity - capital = price PnL + slippage + fees + funding + liquidation fees     why it is there
 *  Price PnL is taken at *reference* prices, the price the market showed; what a fill was worse than that is slippage,
 *  (reference - fill) * signed quantity. Cash pays the whole notional, as if spot: futures margin is a rule about how
 *  large positions may be (margin.ts), not another kind of money. */
export class Ledger {
  readonly capital: number
  readonly positionQty: Float64Array
  /** NaN until the symbol has a price. */
  readonly markPx: Float64Array
  /** What was paid for the open position at fill prices, signed as the position is. */
  readonly entryCash: Float64Array
  /** What settlements brought the open position since it was opened, and not yet left with a part that was closed: the
   *  margin of an isolated position keeps it (margin.ts). It is in cash like all other money. */
  readonly heldFunding: Float64Array
  readonly pricePnl: Float64Array
  readonly slippage: Float64Array
  readonly fees: Float64Array
  readonly funding: Float64Array
  readonly liquidationFees: Float64Array
  /** Traded notional. A float: turnover is a statistic, and may pass what is exact. */
  readonly tradedCash: Float64Array
  cash: number
  equity: number
  /** Sum of |position * mark|, and of position * mark. */
  grossCash = 0
  netCash = 0

  constructor(symbolCount: number, capital: number) {
    assert.ok(Number.isSafeInteger(capital) && capital > 0)
    this.capital = capital
    this.cash = capital
    this.equity = capital
    this.positionQty = new Float64Array(symbolCount)
    this.markPx = new Float64Array(symbolCount).fill(Number.NaN)
    this.entryCash = new Float64Array(symbolCount)
    this.heldFunding = new Float64Array(symbolCount)
    this.pricePnl = new Float64Array(symbolCount)
    this.slippage = new Float64Array(symbolCount)
    this.fees = new Float64Array(symbolCount)
    this.funding = new Float64Array(symbolCount)
    this.liquidationFees = new Float64Array(symbolCount)
    this.tradedCash = new Float64Array(symbolCount)
  }

  mark(symbol: number, px: number): void {
    const qty = this.positionQty[symbol]!
    if (qty !== 0) {
      const before = this.markPx[symbol]!
      const pnl = exact(qty * (px - before))
      this.pricePnl[symbol] = exact(this.pricePnl[symbol]! + pnl)
      this.equity = exact(this.equity + pnl)
      this.netCash = exact(this.netCash + pnl)
      this.grossCash = exact(this.grossCash + (qty > 0 ? pnl : -pnl))
    }
    this.markPx[symbol] = px
  }

  /** Buys (qty > 0) or sells. Returns the fee as a positive amount. */
  trade(symbol: number, qty: number, referencePx: number, fillPx: number, feeRateE8: number): number {
    assert.ok(Number.isSafeInteger(qty) && qty !== 0)
    assert.ok(referencePx > 0 && fillPx > 0)
    if (Number.isNaN(this.markPx[symbol]!)) this.markPx[symbol] = referencePx
    const markPx = this.markPx[symbol]!
    const before = this.positionQty[symbol]!
    const after = exact(before + qty)
    const paid = exact(qty * fillPx)
    const fee = timesRateE8(Math.abs(paid), feeRateE8)
    const pricePnl = exact(qty * (markPx - referencePx))
    const slippage = exact(qty * (referencePx - fillPx))

    this.moveEntry(symbol, before, qty, fillPx)
    this.positionQty[symbol] = after
    this.cash = exact(this.cash - paid - fee)
    this.pricePnl[symbol] = exact(this.pricePnl[symbol]! + pricePnl)
    this.slippage[symbol] = exact(this.slippage[symbol]! + slippage)
    this.fees[symbol] = exact(this.fees[symbol]! - fee)
    this.equity = exact(this.equity + pricePnl + slippage - fee)
    this.netCash = exact(this.netCash + exact(qty * markPx))
    this.grossCash = exact(this.grossCash + exact((Math.abs(after) - Math.abs(before)) * markPx))
    this.tradedCash[symbol] = this.tradedCash[symbol]! + Math.abs(paid)
    return fee
  }

  /** A published settlement on the position held: longs pay shorts while the rate is positive. Returns what we got. */
  settleFunding(symbol: number, settlementPx: number, rateE18: bigint): number {
    const qty = this.positionQty[symbol]!
    if (qty === 0) return 0
    const received = -timesRateE18(exact(qty * settlementPx), rateE18)
    this.cash = exact(this.cash + received)
    this.funding[symbol] = exact(this.funding[symbol]! + received)
    this.heldFunding[symbol] = exact(this.heldFunding[symbol]! + received)
    this.equity = exact(this.equity + received)
    return received
  }

  payLiquidationFee(symbol: number, amount: number): void {
    assert.ok(Number.isSafeInteger(amount) && amount >= 0)
    this.cash = exact(this.cash - amount)
    this.liquidationFees[symbol] = exact(this.liquidationFees[symbol]! - amount)
    this.equity = exact(this.equity - amount)
  }

  /** All in one pass: five sums that do not wait for each other take little longer than one. */
  parts(): EquityParts {
    let pricePnl = 0
    let slippage = 0
    let fees = 0
    let funding = 0
    let liquidationFees = 0
    for (let s = 0; s < this.positionQty.length; s++) {
      pricePnl = exact(pricePnl + this.pricePnl[s]!)
      slippage = exact(slippage + this.slippage[s]!)
      fees = exact(fees + this.fees[s]!)
      funding = exact(funding + this.funding[s]!)
      liquidationFees = exact(liquidationFees + this.liquidationFees[s]!)
    }
    return { pricePnl, slippage, fees, funding, liquidationFees }
  }

  /** Recomputes both views from their parts, and returns these. Anything but equality is a bug of ours, so it asserts. */
  audit(): EquityParts {
    let marked = this.cash
    let gross = 0
    for (let s = 0; s < this.positionQty.length; s++) {
      const qty = this.positionQty[s]!
      if (qty === 0) continue
      marked = exact(marked + exact(qty * this.markPx[s]!))
      gross = exact(gross + exact(Math.abs(qty) * this.markPx[s]!))
    }
    const parts = this.parts()
    const explained = parts.pricePnl + parts.slippage + parts.fees + parts.funding + parts.liquidationFees
    assert.equal(this.equity, marked, 'equity is cash plus positions at mark')
    assert.equal(this.equity - this.capital, explained, 'the change of equity is explained by its parts')
    assert.equal(this.equity - this.cash, this.netCash, 'net exposure is what equity has beside cash')
    assert.equal(this.grossCash, gross, 'gross exposure is the sum of positions at mark')
    return parts
  }

  private moveEntry(symbol: number, before: number, qty: number, fillPx: number): void {
    const reduces = before !== 0 && before > 0 !== qty > 0
    if (!reduces) {
      this.entryCash[symbol] = exact(this.entryCash[symbol]! + exact(qty * fillPx))
    } else if (Math.abs(qty) >= Math.abs(before)) {
      this.entryCash[symbol] = exact((before + qty) * fillPx)
      this.heldFunding[symbol] = 0
    } else {
      const kept = (before + qty) / before
      this.entryCash[symbol] = Math.round(this.entryCash[symbol]! * kept)
      this.heldFunding[symbol] = Math.round(this.heldFunding[symbol]! * kept)
    }
  }
}
