import type { BacktestConfig } from './config.ts'
import { FeeSchedule } from './fees.ts'
import { FillsRecorder } from './fillsTable.ts'
import { roundAdversePx, roundQty } from './instrument.ts'
import type { Ledger } from './ledger.ts'
import { bankruptcyPx, fittingQty, freeOfMargins, isBeyondMargin } from './margin.ts'
import type { MarketView } from './marketView.ts'
import type { Match, RangeMatch } from './matching.ts'
import { matchAtOpen, matchInRange, reducingQty, worseSequence } from './matching.ts'
import type { Order, OrderKind, Reason } from './orders.ts'
import { fillFlags } from './orders.ts'
import { slippagePx } from './slippage.ts'

/** The simulated exchange: holds orders, fills them from bars, books the fills. It alone may look at a bar that has not
 *  closed, and tells of it only through fills. */
export class Venue {
  readonly fills = new FillsRecorder()
  readonly fees: FeeSchedule
  readonly openOrders: Order[][]
  /** Of all symbols together; the second leaves out market orders, which no bar's range can touch. */
  openOrderCount = 0
  restingOrderCount = 0
  nextOrderId = 1
  /** Liquidations at a fill, which no mark led to. */
  takeoverCount = 0
  #config: BacktestConfig
  #isIsolated: boolean
  #market: MarketView
  #ledger: Ledger
  /** What the share-of-volume cap leaves of the bar that opened last. */
  #volumeLeftQty: Float64Array

  constructor(config: BacktestConfig, market: MarketView, ledger: Ledger, startMs: number) {
    this.#config = config
    this.#isIsolated = config.marginMode === 'isolated'
    this.#market = market
    this.#ledger = ledger
    this.fees = new FeeSchedule(config, startMs)
    this.openOrders = market.symbols.map(() => [])
    this.#volumeLeftQty = new Float64Array(market.symbols.length)
  }

  /** The bar starting now: what its open alone decides. */
  open(symbol: number, row: number): void {
    const orders = this.openOrders[symbol]!
    if (orders.length === 0) return
    const { bars, instrument } = this.#market.symbols[symbol]!
    // Orders that rest through the bar are there already; one that comes later waits for the next bar.
    this.#volumeLeftQty[symbol] = roundQty(bars.volumeQty[row]! * this.#config.volumeShareMax, instrument.stepQty)
    if (!(bars.tradeCount[row]! > 0) || this.#market.isQuarantined[symbol] === 1) return
    const openTsMs = bars.openTsMs[row]!
    for (const order of orders) {
      if (!this.#hasArrived(order, openTsMs)) continue
      const match = matchAtOpen(order, bars.openPx[row]!)
      order.rested = true
      if (match === undefined) continue
      const early = openTsMs < order.activeTsMs ? fillFlags.sameInstantOpen : 0
      this.#execute(order, { ...match, flags: match.flags | early }, row, openTsMs)
    }
    this.#dropFinished(symbol)
  }

  /** What the range of the bar ending now touches of the orders that rested through it. */
  touched(symbol: number, row: number): RangeMatch[] {
    const { bars, quarantine } = this.#market.symbols[symbol]!
    const matches: RangeMatch[] = []
    // The mask of the bar counts, and not that of its end: it may begin or be over there.
    const openTsMs = bars.openTsMs[row]!
    const isMasked = quarantine?.some(({ fromMs, toMs }) => fromMs <= openTsMs && openTsMs < toMs)
    if (!(bars.tradeCount[row]! > 0) || isMasked) return matches
    for (const order of this.openOrders[symbol]!) {
      if (!order.rested || !this.#hasArrived(order, openTsMs)) continue
      const match = matchInRange(order, bars.highPx[row]!, bars.lowPx[row]!)
      if (match !== undefined) matches.push({ order, match })
    }
    return matches
  }

  /** The stops of a position that the bar reached on its way to `px`. Returns whether there was one. */
  stopsBefore(symbol: number, row: number, px: number): boolean {
    const isLong = this.#ledger.positionQty[symbol]! > 0
    const isBefore = ({ order }: RangeMatch): boolean =>
      order.kind === 'stop' && order.wantedQty < 0 === isLong && (isLong ? order.stopPx > px : order.stopPx < px)
    const stops = this.touched(symbol, row).filter(isBefore)
    const heldQty = this.#ledger.positionQty[symbol]
    for (const { order, match } of stops.sort(
      (a, b) => (isLong ? b : a).order.stopPx - (isLong ? a : b).order.stopPx,
    )) {
      this.#execute(order, match, row, this.#market.symbols[symbol]!.bars.openTsMs[row]!)
    }
    this.#dropFinished(symbol)
    return this.#ledger.positionQty[symbol] !== heldQty
  }

  /** The bar ending now: what its range did to the orders that rested through it. */
  range(symbol: number, row: number): void {
    const { bars } = this.#market.symbols[symbol]!
    const matches = this.touched(symbol, row)
    if (matches.length === 0) return
    for (const { order, match } of worseSequence(matches, this.#ledger.positionQty[symbol]!, bars.closePx[row]!)) {
      this.#execute(order, match, row, bars.openTsMs[row]!)
    }
    this.#dropFinished(symbol)
  }

  submit(order: Order): void {
    this.openOrderCount++
    if (order.kind !== 'market') this.restingOrderCount++
    this.openOrders[order.symbol]!.push(order)
  }

  /** An order that the venue never took. */
  reject(order: Order, reason: Reason): void {
    this.fills.end(order, 'rejected', reason, this.#market.nowMs, this.#ledger.positionQty[order.symbol]!)
  }

  cancel(symbol: number, reason: Reason, matches: (order: Order) => boolean = () => true): void {
    const orders = this.openOrders[symbol]!
    if (orders.length === 0) return
    const outcome = reason === 'runEnd' ? 'expired' : 'cancelled'
    for (const order of orders) {
      // One that was filled at this instant is over already, and has its last row.
      if (order.remainingQty === 0 || !matches(order)) continue
      this.fills.end(order, outcome, reason, this.#market.nowMs, this.#ledger.positionQty[symbol]!)
      order.remainingQty = 0
    }
    this.#dropFinished(symbol)
  }

  /** Closes a position from outside: liquidation or delisting. An isolated one that would cost more than its margin there is
   *  closed where the margin is spent, for no fee. Returns the notional. */
  forceExit(symbol: number, px: number, kind: OrderKind, reason: Reason, feeRateE8: number, flags: number): number {
    const qty = -this.#ledger.positionQty[symbol]!
    this.cancel(symbol, reason)
    if (qty === 0) return 0
    if (this.#isIsolated && this.#isBeyondMargin(symbol, px, feeRateE8)) {
      px = bankruptcyPx(this.#ledger, symbol, this.#config.leverageMax)
      feeRateE8 = 0
    }
    const nowMs = this.#market.nowMs
    const order = this.#makeOrder(symbol, kind, qty, nowMs, flags | fillFlags.forced)
    const fee = this.#ledger.trade(symbol, qty, px, px, feeRateE8)
    const fill = { tsMs: nowMs, barOpenTsMs: Number.NaN, qty, positionQty: 0, referencePx: px, fillPx: px }
    order.remainingQty = 0
    this.fills.fill(order, { ...fill, isMaker: false, flags: 0, fee, volumeShare: Number.NaN }, reason)
    return Math.abs(qty) * px
  }

  /** A market order of the engine's own, filled at the next open like any other. */
  submitExit(symbol: number): void {
    const qty = -this.#ledger.positionQty[symbol]!
    if (qty !== 0) this.submit(this.#makeOrder(symbol, 'market', qty, this.#market.nowMs, fillFlags.forced))
  }

  #makeOrder(symbol: number, kind: OrderKind, qty: number, nowMs: number, flags: number): Order {
    return {
      id: this.nextOrderId++,
      symbol,
      kind,
      wantedQty: qty,
      limitPx: Number.NaN,
      stopPx: Number.NaN,
      reduceOnly: true,
      decisionTsMs: nowMs,
      activeTsMs: kind === 'market' ? nowMs + this.#config.latencyMs : nowMs,
      fromTarget: false,
      remainingQty: qty,
      rested: false,
      isTriggered: false,
      flags,
    }
  }

  /** An order fills in bars that open once it is there. Where bars are coarser than the latency, waiting for the next one
   *  would make minutes or hours of delay out of milliseconds: the decision's own instant serves, and is flagged. */
  #hasArrived(order: Order, openTsMs: number): boolean {
    if (openTsMs >= order.activeTsMs) return true
    return openTsMs === order.decisionTsMs && this.#config.latencyMs < this.#market.input.intervalMs
  }

  #execute(order: Order, match: Match, row: number, barOpenTsMs: number): void {
    // What was matched before it may have ended it.
    if (order.remainingQty === 0) return
    const { instrument, bars } = this.#market.symbols[order.symbol]!
    const held = this.#ledger.positionQty[order.symbol]!
    const isBuy = order.remainingQty > 0
    const feeRateE8 = match.isMaker ? this.fees.makerRateE8 : this.fees.takerRateE8

    let qty = order.remainingQty
    let shortOf: Reason | undefined
    // A symbol may have left the universe while the order waited.
    if (order.reduceOnly || this.#market.isMember[order.symbol] === 0) {
      const reason = order.reduceOnly ? 'nothingToReduce' : 'notInUniverse'
      qty = reducingQty(qty, held)
      if (qty === 0) {
        // One that was sent along with its entry waits for it.
        if (!order.reduceOnly || !this.#awaitsEntry(order)) this.#end(order, reason)
        return
      }
      if (qty !== order.remainingQty) shortOf = reason
    }
    if (order.kind === 'stop') order.isTriggered = true
    let flags = match.flags
    const cap = this.#volumeLeftQty[order.symbol]!
    if (Math.abs(qty) > cap) {
      // What is left waits for the next bar; a reduce-only order is judged again then.
      qty = isBuy ? cap : -cap
      shortOf = undefined
      if (qty === 0) {
        // There is no row to tell of it yet: the order's next one does.
        order.flags |= fillFlags.volumeCapped
        return
      }
      flags |= fillFlags.volumeCapped
    }

    let fillPx = match.referencePx
    if (!match.isMaker) {
      const { tickPx } = instrument
      const taken = { symbol: instrument.symbol, qty, referencePx: match.referencePx, tickPx }
      const offset = slippagePx(this.#config.slippage, taken, bars, row)
      fillPx = roundAdversePx(match.referencePx + (isBuy ? offset : -offset), isBuy, tickPx)
      if (order.kind === 'limit') fillPx = isBuy ? Math.min(fillPx, order.limitPx) : Math.max(fillPx, order.limitPx)
    }

    // A gap or slippage may lead beyond the price at which an isolated position's margin is spent, before any mark said so.
    // On the venue no order closes it there: its orders are cancelled, and it is taken over at that price by the insurance
    // fund (Binance's liquidation protocol). An order for a part is no way around it: what would be left is as bankrupt.
    const closes = this.#isIsolated && reducingQty(qty, held) !== 0
    if (closes && this.#isBeyondMargin(order.symbol, fillPx, feeRateE8)) {
      this.forceExit(order.symbol, fillPx, 'liquidation', 'liquidated', feeRateE8, fillFlags.gapped)
      this.takeoverCount++
      return
    }

    const affordable = roundQty(this.#affordableQty(order.symbol, qty, fillPx, feeRateE8), instrument.stepQty)
    if (affordable !== qty) {
      qty = affordable
      shortOf = 'insufficientMargin'
      if (qty === 0) {
        this.#end(order, shortOf)
        return
      }
      flags |= fillFlags.marginClipped
    }

    order.remainingQty -= qty
    this.#volumeLeftQty[order.symbol] = cap - Math.abs(qty)
    const fee = this.#ledger.trade(order.symbol, qty, match.referencePx, fillPx, feeRateE8)
    const tsMs = this.#market.nowMs
    const { referencePx, isMaker } = match
    const volumeShare = Math.abs(qty) / bars.volumeQty[row]!
    const fill = {
      tsMs,
      barOpenTsMs,
      qty,
      positionQty: held + qty,
      referencePx,
      fillPx,
      isMaker,
      flags,
      fee,
      volumeShare,
    }
    this.fills.fill(order, fill)
    order.flags &= ~fillFlags.volumeCapped
    if (shortOf !== undefined && order.remainingQty !== 0) this.#end(order, shortOf)
  }

  /** An isolated position has nothing beyond its margin to pay a loss with. */
  #isBeyondMargin(symbol: number, px: number, feeRateE8: number): boolean {
    return isBeyondMargin(this.#ledger, symbol, { px, feeRateE8 }, this.#config.leverageMax)
  }

  #awaitsEntry({ symbol, wantedQty, kind }: Order): boolean {
    if (kind === 'market') return false
    return this.openOrders[symbol]!.some(
      (other) => !other.reduceOnly && other.remainingQty !== 0 && other.wantedQty > 0 !== wantedQty > 0,
    )
  }

  /** As much of `qty` as keeps gross exposure within the leverage cap after the fill's own costs, and as has margin of its
   *  own where positions are isolated. Closing is always allowed. Judged at mark, as the venue does. */
  #affordableQty(symbol: number, qty: number, fillPx: number, feeRateE8: number): number {
    const ledger = this.#ledger
    const closing = reducingQty(qty, ledger.positionQty[symbol]!)
    const opening = Math.abs(qty - closing)
    if (opening === 0) return qty
    const { leverageMax } = this.#config
    const known = ledger.markPx[symbol]!
    const markPx = Number.isNaN(known) ? fillPx : known
    const side = qty > 0 ? 1 : -1
    const feePerUnit = (fillPx * feeRateE8) / 1e8
    const lossPerUnit = side * (fillPx - markPx) + feePerUnit
    const equity = ledger.equity - Math.abs(closing) * lossPerUnit
    const gross = ledger.grossCash - Math.abs(closing) * markPx
    const room = leverageMax * equity - gross
    const usedPerUnit = markPx + leverageMax * lossPerUnit
    let most = opening
    if (this.#isIsolated) {
      const free =
        freeOfMargins(ledger, leverageMax, closing === 0 ? -1 : symbol, fillPx) - Math.abs(closing) * feePerUnit
      most = fittingQty(most, free, fillPx / leverageMax + feePerUnit)
    }
    return closing + side * fittingQty(most, room, usedPerUnit)
  }

  #end(order: Order, reason: Reason): void {
    this.fills.end(order, 'cancelled', reason, this.#market.nowMs, this.#ledger.positionQty[order.symbol]!)
    order.remainingQty = 0
  }

  #dropFinished(symbol: number): void {
    const orders = this.openOrders[symbol]!
    let left = 0
    for (const order of orders) {
      if (order.remainingQty !== 0) {
        orders[left++] = order
        continue
      }
      this.openOrderCount--
      if (order.kind !== 'market') this.restingOrderCount--
    }
    // Popped one by one, the list keeps its room for the orders to come.
    while (orders.length > left) orders.pop()
  }
}
