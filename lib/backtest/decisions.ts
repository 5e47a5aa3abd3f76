import type { BacktestConfig } from './config.ts'
import { roundLimitPx, roundQty, toThousandths } from './instrument.ts'
import type { Ledger } from './ledger.ts'
import type { MarketView } from './marketView.ts'
import type { Order, OrderKind, Reason } from './orders.ts'
import { fillFlags } from './orders.ts'
import { pow10 } from './scaled.ts'
import type { OrderRequest } from './strategy.ts'
import { isWithinLimits, limitWeights, type TargetWeights } from './targets.ts'
import type { Venue } from './venue.ts'

/** What a strategy asked for at one instant, in the order in which it asked. */
export interface Decisions {
  readonly actions: (
    | { kind: 'order'; id: number; symbol: number; request: OrderRequest }
    | { kind: 'cancel'; orderId: number }
    | { kind: 'cancelAll'; symbol: number | undefined }
  )[]
  /** Applied after the orders. */
  readonly weights: TargetWeights
}

/** Turns decisions into orders at the venue, or into rejections that say why. */
export class DecisionDesk {
  #config: BacktestConfig
  #market: MarketView
  #ledger: Ledger
  #venue: Venue

  constructor(config: BacktestConfig, market: MarketView, ledger: Ledger, venue: Venue) {
    this.#config = config
    this.#market = market
    this.#ledger = ledger
    this.#venue = venue
  }

  apply(decisions: Decisions): void {
    for (const action of decisions.actions) {
      if (action.kind === 'order') this.#placeOrder(action.id, action.symbol, action.request)
      else if (action.kind === 'cancel') this.#cancelOrder(action.orderId)
      else if (action.symbol !== undefined) this.#venue.cancel(action.symbol, 'strategy')
      else for (let s = 0; s < this.#market.symbols.length; s++) this.#venue.cancel(s, 'strategy')
    }
    if (decisions.weights.symbols.length > 0) this.#placeTargets(decisions.weights)
  }

  #placeTargets(weights: TargetWeights): void {
    const isClipped = limitWeights(weights, this.#ledger, this.#config.risk)
    const flags = isClipped ? fillFlags.riskClipped : 0
    // By symbol, not by the order of the strategy's object: what fills first must not depend on how keys were added.
    for (let s = 0; s < this.#market.symbols.length; s++) {
      if (weights.has(s)) this.#placeTarget(s, weights.get(s), flags)
    }
  }

  #placeTarget(symbol: number, weight: number, flags: number): void {
    this.#venue.cancel(symbol, 'replaced', isFromTarget)
    const { instrument } = this.#market.symbols[symbol]!
    const held = this.#ledger.positionQty[symbol]!
    const px = this.#ledger.markPx[symbol]!
    const wantedQty = weight === 0 ? 0 : roundQty((weight * this.#ledger.equity) / px, instrument.stepQty)
    if (Number.isNaN(wantedQty)) {
      this.#reject(this.#makeTarget(symbol, 0, flags), 'noPrice')
      return
    }
    const targetQty = this.#market.isTradable(symbol) ? wantedQty : withinHeld(wantedQty, held)
    this.#sendTarget(symbol, weight, { wantedQty, targetQty, px }, flags)
    // What a closed symbol does not let through is told where it would have been an order of its own. A constant weight asks
    // for a little more whenever the price falls, and telling each few steps would bury what was really refused: so the
    // symbol's minimum notional decides, as it does for rebalances. What opens nothing at all has its row already.
    const cutQty = wantedQty - targetQty
    if (held === 0 || cutQty === 0 || Math.abs(cutQty) * px < instrument.minNotionalCash) return
    const id = this.#venue.nextOrderId++
    const cut = this.#makeOrder(id, symbol, 'market', cutQty, { reduceOnly: false, fromTarget: true, flags })
    this.#reject(cut, this.#whyNot(symbol))
  }

  #sendTarget(symbol: number, weight: number, { wantedQty, targetQty, px }: TargetQty, flags: number): void {
    const { instrument } = this.#market.symbols[symbol]!
    const held = this.#ledger.positionQty[symbol]!
    const delta = targetQty - held
    const isOpening = held === 0 && weight !== 0
    if (delta === 0) {
      if (isOpening) this.#reject(this.#makeTarget(symbol, wantedQty, flags), this.#whyNot(symbol))
      return
    }
    const order = this.#makeTarget(symbol, delta, flags)
    if (this.#market.isQuarantined[symbol] === 1) {
      this.#reject(order, 'quarantine')
      return
    }
    if (!order.reduceOnly && Math.abs(delta) * px < instrument.minNotionalCash) {
      // A rebalance too small for the venue is not sent at all; telling it each hour would bury the orders that were.
      if (isOpening) this.#reject(order, 'belowMinimum')
      return
    }
    this.#venue.submit(order)
  }

  #whyNot(symbol: number): Reason {
    if (this.#market.isQuarantined[symbol] === 1) return 'quarantine'
    if (this.#market.isGone[symbol] === 1) return 'delisted'
    return this.#market.isMember[symbol] === 1 ? 'belowMinimum' : 'notInUniverse'
  }

  #makeTarget(symbol: number, qty: number, flags: number): Order {
    const held = this.#ledger.positionQty[symbol]!
    const reduceOnly = held !== 0 && qty > 0 !== held > 0 && Math.abs(qty) <= Math.abs(held)
    return this.#makeOrder(this.#venue.nextOrderId++, symbol, 'market', qty, { reduceOnly, fromTarget: true, flags })
  }

  #placeOrder(id: number, symbol: number, request: OrderRequest): void {
    const { instrument } = this.#market.symbols[symbol]!
    const kind = request.kind ?? 'market'
    const isBuy = request.qty > 0
    const qty = roundQty(toThousandths(request.qty * pow10(instrument.qtyDecimals)), instrument.stepQty)
    const pricePx = toThousandths((request.price ?? Number.NaN) * pow10(instrument.pxDecimals))
    const limitPx = kind === 'limit' ? roundLimitPx(pricePx, isBuy, instrument.tickPx) : Number.NaN
    const stopPx = kind === 'stop' ? roundLimitPx(pricePx, !isBuy, instrument.tickPx) : Number.NaN
    const reduceOnly = request.reduceOnly ?? false
    const order = this.#makeOrder(id, symbol, kind, qty, { reduceOnly, limitPx, stopPx })
    const reason = this.#objection(order)
    if (reason === undefined) this.#venue.submit(order)
    else this.#reject(order, reason)
  }

  #objection(order: Order): Reason | undefined {
    const { instrument } = this.#market.symbols[order.symbol]!
    const held = this.#ledger.positionQty[order.symbol]!
    const qty = order.wantedQty
    const markPx = this.#ledger.markPx[order.symbol]!
    const px = order.kind === 'limit' ? order.limitPx : order.kind === 'stop' ? order.stopPx : markPx
    const reduces = order.reduceOnly || (held !== 0 && qty > 0 !== held > 0 && Math.abs(qty) <= Math.abs(held))
    if (this.#market.isQuarantined[order.symbol] === 1) return 'quarantine'
    if (this.#market.isGone[order.symbol] === 1) return 'delisted'
    if (Number.isNaN(px) || Number.isNaN(markPx)) return 'noPrice'
    if (qty === 0) return 'belowMinimum'
    if (reduces) return undefined
    if (this.#market.isMember[order.symbol] === 0) return 'notInUniverse'
    if (Math.abs(qty) * px < instrument.minNotionalCash) return 'belowMinimum'
    const pending = this.#pendingCash(order.symbol)
    const fits = isWithinLimits({ symbol: order.symbol, qty, px }, this.#ledger, pending, this.#config.risk)
    return fits ? undefined : 'riskLimit'
  }

  /** Open orders that may still add to a position, taken at mark. */
  #pendingCash(symbol: number): { grossCash: number; symbolCash: number; netCash: number } {
    const pending = { grossCash: 0, symbolCash: 0, netCash: 0 }
    for (const orders of this.#venue.openOrders) {
      for (const order of orders) {
        if (order.reduceOnly) continue
        const cash = order.remainingQty * this.#ledger.markPx[order.symbol]!
        pending.grossCash += Math.abs(cash)
        pending.netCash += cash
        if (order.symbol === symbol) pending.symbolCash += Math.abs(cash)
      }
    }
    return pending
  }

  #makeOrder(id: number, symbol: number, kind: OrderKind, qty: number, rest: OrderTerms): Order {
    const decisionTsMs = this.#market.nowMs
    return {
      id,
      symbol,
      kind,
      wantedQty: qty,
      limitPx: rest.limitPx ?? Number.NaN,
      stopPx: rest.stopPx ?? Number.NaN,
      reduceOnly: rest.reduceOnly,
      decisionTsMs,
      activeTsMs: decisionTsMs + this.#config.latencyMs,
      fromTarget: rest.fromTarget ?? false,
      remainingQty: qty,
      rested: false,
      isTriggered: false,
      flags: rest.flags ?? 0,
    }
  }

  #cancelOrder(orderId: number): void {
    for (let s = 0; s < this.#market.symbols.length; s++) {
      this.#venue.cancel(s, 'strategy', (order) => order.id === orderId)
    }
    // An order that is filled or gone by now cannot be cancelled, here as on the venue.
  }

  #reject(order: Order, reason: Reason): void {
    this.#venue.reject(order, reason)
  }
}

type OrderTerms = Pick<Order, 'reduceOnly'> & Partial<Pick<Order, 'limitPx' | 'stopPx' | 'fromTarget' | 'flags'>>

/** What a weight comes to, and how much of it the symbol's state lets through. */
interface TargetQty {
  readonly wantedQty: number
  readonly targetQty: number
  readonly px: number
}

const isFromTarget = (order: Order): boolean => order.fromTarget

/** A symbol that may not be opened may still be reduced: the target, held between zero and the position. */
function withinHeld(targetQty: number, heldQty: number): number {
  if (heldQty === 0 || targetQty > 0 !== heldQty > 0) return 0
  return heldQty > 0 ? Math.min(targetQty, heldQty) : Math.max(targetQty, heldQty)
}
