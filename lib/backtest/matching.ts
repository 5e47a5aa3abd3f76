import type { Order } from './orders.ts'
import { fillFlags } from './orders.ts'

/** Where an order trades, if it does: the price the market showed, and whether it takes liquidity or provides it. */
export interface Match {
  readonly referencePx: number
  readonly isMaker: boolean
  readonly flags: number
}

/** What a bar's open alone decides. A stop that the bar opened beyond fills at the open, which is the worse price. A limit
 *  that rested fills at its own price, as its counterparty came to it; one that has just arrived takes what is there. */
export function matchAtOpen(order: Order, openPx: number): Match | undefined {
  const isBuy = order.wantedQty > 0
  if (order.isTriggered) return { referencePx: openPx, isMaker: false, flags: 0 }
  switch (order.kind) {
    case 'market':
      return { referencePx: openPx, isMaker: false, flags: 0 }
    case 'stop': {
      const beyond = isBuy ? openPx >= order.stopPx : openPx <= order.stopPx
      if (!beyond) return undefined
      return { referencePx: openPx, isMaker: false, flags: openPx === order.stopPx ? 0 : fillFlags.gapped }
    }
    case 'limit': {
      const through = isBuy ? openPx < order.limitPx : openPx > order.limitPx
      if (!through) return undefined
      if (order.rested) return { referencePx: order.limitPx, isMaker: true, flags: fillFlags.gapped }
      return { referencePx: openPx, isMaker: false, flags: 0 }
    }
    default:
      return undefined
  }
}

/** What the bar's range decides for an order its open did not fill. A touch triggers a stop, since the venue would; a
 *  limit needs a trade *through* its price, since at the price others stand before it. */
export function matchInRange(order: Order, highPx: number, lowPx: number): Match | undefined {
  const isBuy = order.wantedQty > 0
  if (order.kind === 'stop') {
    if (order.isTriggered) return undefined
    const touched = isBuy ? highPx >= order.stopPx : lowPx <= order.stopPx
    return touched ? { referencePx: order.stopPx, isMaker: false, flags: 0 } : undefined
  }
  if (order.kind === 'limit') {
    const through = isBuy ? lowPx < order.limitPx : highPx > order.limitPx
    return through ? { referencePx: order.limitPx, isMaker: true, flags: 0 } : undefined
  }
  return undefined
}

export interface RangeMatch {
  readonly order: Order
  readonly match: Match
}

/** As many touched orders as have all their sequences played through: 720 of them. */
const playedThroughMax = 6

/** A bar does not say what it touched first. Where that matters, the sequences are played through, and the one that
 *  leaves least, marked at the bar's close, is taken; so in whichever order they were submitted, the result is the same. */
export function worseSequence(matches: readonly RangeMatch[], positionQty: number, closePx: number): RangeMatch[] {
  // What is not reduce-only trades in full wherever it stands.
  if (matches.length < 2 || !matches.some(({ order }) => order.reduceOnly || order.kind === 'stop')) return [...matches]
  let worst: readonly RangeMatch[] = matches
  let least = outcomeOf(matches, positionQty, closePx)
  const first = least
  let matters = matches.some(({ order }) => order.kind === 'stop') && matches.some(({ order }) => order.kind !== 'stop')
  for (const sequence of sequencesOf(matches)) {
    const outcome = outcomeOf(sequence, positionQty, closePx)
    if (outcome !== first) matters = true
    if (outcome < least) [worst, least] = [sequence, outcome]
  }
  if (!matters) return [...worst]
  return worst.map(({ order, match }) => ({
    order,
    match: { ...match, flags: match.flags | fillFlags.bothTouched },
  }))
}

/** All sequences of a few orders; of many, each kind before the other, forward and backward. */
function sequencesOf(matches: readonly RangeMatch[]): readonly (readonly RangeMatch[])[] {
  if (matches.length <= playedThroughMax) return permutations(matches)
  const stops = matches.filter(({ order }) => order.kind === 'stop')
  const limits = matches.filter(({ order }) => order.kind !== 'stop')
  const ways = [
    [...stops, ...limits],
    [...limits, ...stops],
  ]
  return [...ways, ...ways.map((way) => way.toReversed())]
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items]
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))
}

/** Only the difference between sequences counts, so fees, slippage and caps stay out. */
function outcomeOf(sequence: readonly RangeMatch[], positionQty: number, closePx: number): number {
  let position = positionQty
  let cash = 0
  for (const { order, match } of sequence) {
    const qty = order.reduceOnly ? reducingQty(order.remainingQty, position) : order.remainingQty
    position += qty
    cash -= qty * match.referencePx
  }
  return cash + position * closePx
}

/** The part of an order that a reduce-only rule lets through: at most the opposite of the position. */
export function reducingQty(qty: number, positionQty: number): number {
  if (positionQty === 0 || qty > 0 === positionQty > 0) return 0
  return qty > 0 ? Math.min(qty, -positionQty) : Math.max(qty, -positionQty)
}
