import type { BacktestConfig } from './config.ts'
import type { Ledger } from './ledger.ts'
import type { BracketSchedule } from './margin.ts'
import { bankruptcyPx, isolatedMargin, maintenanceCash } from './margin.ts'
import type { MarketView } from './marketView.ts'
import { fillFlags } from './orders.ts'
import { bpsToRateE8, timesRateE8 } from './scaled.ts'
import type { Venue } from './venue.ts'

/** Judges margin on the extremes of the mark bars that end now. Bars do not say whose extreme came first, so all held
 *  symbols are taken at their adverse one together. Where maintenance uses the account up, the marks are walked from
 *  the bars' opens toward the extremes to the first point of breach, and everything is closed there (the venue would
 *  reduce bracket by bracket; all at once is the simpler and the harsher rule), for the liquidation fee. */
export class Liquidation {
  readonly brackets: BracketSchedule
  #config: BacktestConfig
  #market: MarketView
  #ledger: Ledger
  #venue: Venue
  #openPx: Float64Array
  #extremePx: Float64Array

  constructor(config: BacktestConfig, market: MarketView, ledger: Ledger, venue: Venue, brackets: BracketSchedule) {
    this.brackets = brackets
    this.#config = config
    this.#market = market
    this.#ledger = ledger
    this.#venue = venue
    this.#openPx = new Float64Array(market.symbols.length)
    this.#extremePx = new Float64Array(market.symbols.length)
  }

  /** `closing[s]` is the row of the bar that ends now, or -1. Returns whether anything was liquidated. `stopsBefore` may
   *  close something that the market reached before the price of the breach; who it leaves is judged again. What everything
   *  at its adverse extreme leaves is nearly always more than any bracket would ask of it: only else brackets are asked. */
  judge(closing: Int32Array, stopsBefore: (s: number, breachPx: number) => boolean = () => false): boolean {
    if (this.#ledger.grossCash === 0) return false
    let lossCash = 0
    let notionalCash = 0
    for (let s = 0; s < closing.length; s++) {
      const qty = this.#ledger.positionQty[s]!
      if (qty === 0) continue
      this.#takeMarks(s, closing[s]!)
      const extremePx = this.#extremePx[s]!
      lossCash += qty * (this.#ledger.markPx[s]! - extremePx)
      notionalCash += Math.abs(qty * extremePx)
    }
    const isCross = this.#config.marginMode === 'cross'
    const askedCash = notionalCash * this.brackets.highestRate + roundingCash
    if (isCross && this.#ledger.equity - lossCash > askedCash) return false
    const held: number[] = []
    for (let s = 0; s < closing.length; s++) if (this.#ledger.positionQty[s] !== 0) held.push(s)
    if (!isCross) {
      let any = false
      for (const s of held) any = this.#judgeIsolated(s, closing[s]!, stopsBefore) || any
      return any
    }
    const step = this.#breachStep((k) => this.#crossSurplus(held, k))
    if (step === undefined) return false
    let isChanged = false
    for (const s of held) isChanged = stopsBefore(s, this.#pxAt(s, step)) || isChanged
    if (isChanged) return this.judge(closing, stopsBefore)
    const flags = step === 0 ? fillFlags.gapped : 0
    for (const s of held) {
      const notional = this.#venue.forceExit(s, this.#pxAt(s, step), 'liquidation', 'liquidated', 0, flags)
      this.#ledger.payLiquidationFee(s, timesRateE8(notional, bpsToRateE8(this.#config.liquidationFeeBps)))
    }
    return true
  }

  #takeMarks(s: number, row: number): void {
    const { bars } = this.#market.symbols[s]!
    if (row < 0) {
      this.#openPx[s] = this.#extremePx[s] = this.#ledger.markPx[s]!
      return
    }
    const isLong = this.#ledger.positionQty[s]! > 0
    const source = bars.mark !== undefined && !Number.isNaN(bars.mark.closePx[row]!) ? bars.mark : bars
    const openPx = source.openPx[row]!
    const closePx = source.closePx[row]!
    const extreme = isLong ? source.lowPx[row]! : source.highPx[row]!
    // Mark series have been seen with extremes that leave the open out; the adverse one of all is meant.
    this.#openPx[s] = openPx
    this.#extremePx[s] = isLong ? Math.min(extreme, openPx, closePx) : Math.max(extreme, openPx, closePx)
  }

  #pxAt(s: number, step: number): number {
    const openPx = this.#openPx[s]!
    return Math.round(openPx + ((this.#extremePx[s]! - openPx) * step) / walkSteps)
  }

  /** Equity less maintenance margin with every held symbol `step` of the way to its extreme. */
  #crossSurplus(held: readonly number[], step: number): number {
    let surplus = this.#ledger.equity
    for (const s of held) {
      const qty = this.#ledger.positionQty[s]!
      const px = this.#pxAt(s, step)
      surplus += qty * (px - this.#ledger.markPx[s]!) - maintenanceCash(Math.abs(qty) * px, this.brackets.of(s))
    }
    return surplus
  }

  /** An isolated position stands for itself with its own margin. The venue takes it over at the price where that margin is
   *  spent, so nothing beyond it is ever lost. */
  #judgeIsolated(s: number, row: number, stopsBefore: (s: number, breachPx: number) => boolean): boolean {
    this.#takeMarks(s, row)
    const qty = this.#ledger.positionQty[s]!
    const entry = this.#ledger.entryCash[s]!
    const margin = isolatedMargin(this.#ledger, s, this.#config.leverageMax)
    const step = this.#breachStep((k) => {
      const px = this.#pxAt(s, k)
      return margin + qty * px - entry - maintenanceCash(Math.abs(qty) * px, this.brackets.of(s))
    })
    if (step === undefined) return false
    if (stopsBefore(s, this.#pxAt(s, step)))
      return this.#ledger.positionQty[s] !== 0 && this.#judgeIsolated(s, row, stopsBefore)
    const spentPx = bankruptcyPx(this.#ledger, s, this.#config.leverageMax)
    const breachPx = this.#pxAt(s, step)
    const px = qty > 0 ? Math.max(breachPx, spentPx) : Math.min(breachPx, spentPx)
    const marginLeft = Math.max(0, margin + qty * px - entry)
    const flags = step === 0 ? fillFlags.gapped : 0
    const notional = this.#venue.forceExit(s, px, 'liquidation', 'liquidated', 0, flags)
    const fee = timesRateE8(notional, bpsToRateE8(this.#config.liquidationFeeBps))
    this.#ledger.payLiquidationFee(s, Math.min(fee, marginLeft))
    return true
  }

  /** The first step of the walk at which the surplus is used up; it falls all the way, so bisection finds it. */
  #breachStep(surplusAt: (step: number) => number): number | undefined {
    if (surplusAt(walkSteps) > 0) return undefined
    if (surplusAt(0) <= 0) return 0
    let sound = 0
    let breached = walkSteps
    while (breached - sound > 1) {
      const middle = (sound + breached) >> 1
      if (surplusAt(middle) > 0) sound = middle
      else breached = middle
    }
    return breached
  }
}

/** More than the margins of all positions can be rounded up by, and the floats of that comparison off. */
const roundingCash = 1e6

/** Fine enough that a step is far below a basis point of any bar's range. */
const walkSteps = 1 << 16
