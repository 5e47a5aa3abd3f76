/** An order the venue holds. Quantities are signed, in units of the instrument. */
export interface Order {
  readonly id: number
  /** Index into the run's sorted symbols. */
  readonly symbol: number
  readonly kind: OrderKind
  readonly wantedQty: number
  /** NaN where the kind has none. */
  readonly limitPx: number
  readonly stopPx: number
  readonly reduceOnly: boolean
  readonly decisionTsMs: number
  /** Decision plus latency: the earliest instant at which the venue has it. */
  readonly activeTsMs: number
  /** Set by a target weight: the next target for the symbol replaces it. */
  readonly fromTarget: boolean
  remainingQty: number
  /** Has seen the open of one bar, so from now on it rests: a limit is then maker. */
  rested: boolean
  /** A stop that was reached is a market order: what the share-of-volume cap left of it does not wait for its price again. */
  isTriggered: boolean
  flags: number
}

export const orderKinds = ['market', 'limit', 'stop', 'liquidation', 'delisting'] as const
export type OrderKind = (typeof orderKinds)[number]

/** What became of an order, or of a part of it. Every order ends in exactly one row that is not `partial`. */
export const outcomes = ['filled', 'partial', 'rejected', 'cancelled', 'expired'] as const
export type Outcome = (typeof outcomes)[number]

export const reasons = [
  'none',
  'quarantine', // the symbol is masked by QA
  'notInUniverse', // it may only be reduced
  'belowMinimum', // under the step or, at its price or else at mark, the minimum notional; what reduces has none
  'riskLimit', // gross, net or per-symbol limit, with what waits taken as filled and, but for net, as adding
  'insufficientMargin', // the leverage cap
  'nothingToReduce', // a reduce-only order met no opposite position
  'replaced', // a newer target for the symbol
  'strategy', // the strategy cancelled it
  'delisted',
  'liquidated',
  'drawdownStop',
  'noPrice', // no bar of the symbol has closed yet
  'runEnd',
] as const
export type Reason = (typeof reasons)[number]

/** Assumptions a row of the fills rests on, as bits. An order's later rows do not have those of its earlier ones. */
export const fillFlags = {
  sameInstantOpen: 1, // bars are coarser than the latency: filled at the open of the decision's own instant
  volumeCapped: 2, // the share-of-volume cap left a remainder, or let nothing through since the row before
  riskClipped: 4, // a risk limit made the order smaller
  marginClipped: 8, // the leverage cap made the fill smaller
  bothTouched: 16, // the bar touched a stop and a limit: the worse order of events was taken
  gapped: 32, // the bar opened beyond the stop, the limit or the liquidation price, or an order closed beyond an isolated margin
  dataEnded: 64, // the symbol's data ends without a delisting date
  forced: 128, // not the strategy's order
} as const
