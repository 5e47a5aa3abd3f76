import type { BacktestConfig } from './config.ts'
import type { Ledger } from './ledger.ts'

type RiskLimits = BacktestConfig['risk']

/** The weights a strategy asked for at one instant, a slot for each symbol. */
export class TargetWeights {
  /** In the order in which they were first named. */
  readonly symbols: number[] = []
  /** NaN where none was asked for. */
  #weights: Float64Array

  constructor(symbolCount: number) {
    this.#weights = new Float64Array(symbolCount).fill(Number.NaN)
  }

  has(symbol: number): boolean {
    return !Number.isNaN(this.#weights[symbol]!)
  }

  get(symbol: number): number {
    return this.#weights[symbol]!
  }

  set(symbol: number, weight: number): void {
    if (!this.has(symbol)) this.symbols.push(symbol)
    this.#weights[symbol] = weight
  }

  clear(): void {
    this.symbols.length = 0
    this.#weights.fill(Number.NaN)
  }
}

/** Makes the weights such as the risk limits allow: each is clipped to the symbol's limit, then all that were set are scaled
 *  by one factor until gross and net fit beside the positions that keep their weight. Returns whether anything was changed. */
export function limitWeights(weights: TargetWeights, ledger: Ledger, risk: RiskLimits): boolean {
  const symbolMax = risk.symbolMax ?? Infinity
  let isClipped = false
  let grossSet = 0
  let netSet = 0
  for (const symbol of weights.symbols) {
    const weight = weights.get(symbol)
    const clipped = Math.max(-symbolMax, Math.min(symbolMax, weight))
    if (clipped !== weight) {
      isClipped = true
      weights.set(symbol, clipped)
    }
    grossSet += Math.abs(clipped)
    netSet += clipped
  }
  // What positions keep is asked of them only where it counts: they are many, and decisions that change a few are, too.
  if (risk.grossMax === undefined && risk.netMax === undefined) return isClipped

  let grossKept = 0
  let netKept = 0
  for (let s = 0; s < ledger.positionQty.length; s++) {
    const qty = ledger.positionQty[s]!
    if (qty === 0 || weights.has(s)) continue
    const weight = (qty * ledger.markPx[s]!) / ledger.equity
    grossKept += Math.abs(weight)
    netKept += weight
  }

  const scale = Math.min(
    largestScale(grossSet, grossKept, risk.grossMax ?? Infinity),
    largestScale(netSet, netKept, risk.netMax ?? Infinity),
    largestScale(-netSet, -netKept, risk.netMax ?? Infinity),
  )
  if (!(scale < 1)) return isClipped
  for (const symbol of weights.symbols) weights.set(symbol, weights.get(symbol) * scale)
  return true
}

/** The largest k in [0, 1] with kept + k * set <= limit; 0 where what is kept alone is over it. */
function largestScale(set: number, kept: number, limit: number): number {
  if (set <= 0 || kept + set <= limit) return 1
  return Math.max(0, (limit - kept) / set)
}

/** Whether an order stays within the limits, with every open order that may add taken as filled. */
export function isWithinLimits(
  order: { symbol: number; qty: number; px: number },
  ledger: Ledger,
  pending: { grossCash: number; symbolCash: number; netCash: number },
  risk: RiskLimits,
): boolean {
  const { equity } = ledger
  const added = order.qty * order.px
  const held = ledger.positionQty[order.symbol]!
  const heldCash = held === 0 ? 0 : held * ledger.markPx[order.symbol]!
  const symbolAfter = Math.abs(heldCash + added) + pending.symbolCash
  const grossAfter = ledger.grossCash - Math.abs(heldCash) + Math.abs(heldCash + added) + pending.grossCash
  const netAfter = ledger.netCash + pending.netCash + added
  if (symbolAfter > (risk.symbolMax ?? Infinity) * equity) return false
  if (grossAfter > (risk.grossMax ?? Infinity) * equity) return false
  return Math.abs(netAfter) <= (risk.netMax ?? Infinity) * equity
}
