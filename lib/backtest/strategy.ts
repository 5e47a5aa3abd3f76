import type { z } from 'zod'

import { Fault } from '../fault.ts'
import type { Duration } from './duration.ts'
import type { Lookback } from './lookback.ts'

export interface Bar {
  readonly openTsMs: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly tradeCount: number
}

export interface OrderRequest {
  readonly symbol: string
  /** Signed, in base units: 0.5 buys half a coin, -0.5 sells it. Rounded toward zero to the step; what is finer than a
   *  thousandth of the symbol's last digit is noise of a double, and is not looked at. */
  readonly qty: number
  readonly kind?: 'market' | 'limit' | 'stop'
  /** Needed by a limit and a stop. Rounded to the tick, a limit for its owner (a buy down), a stop against (a buy up). */
  readonly price?: number
  /** Judged when it would fill. Then it is cut to what it reduces; where it reduces nothing it ends, unless it is a limit or
   *  a stop and the symbol has an open order that it may be meant to close. */
  readonly reduceOnly?: boolean
}

export interface Position {
  readonly qty: number
  /** At mark, signed, in USDT and as a share of equity. */
  readonly notionalUsdt: number
  readonly weight: number
  /** Average price of the open position; NaN when flat. */
  readonly entryPrice: number
}

/** All that a strategy can reach. Everything here was known at `nowMs`; lags count backward and there is no way to name
 *  a later row. A lag is so much time, `'7d'`: what the same call would have answered then, on bars of any length; or so
 *  many rows. Arrays handed out are copies. */
export interface StrategyContext<Params, State> {
  readonly params: Params
  readonly state: State
  readonly nowMs: number
  readonly equityUsdt: number
  /** In the universe now, with a closed bar, neither delisted nor quarantined. Sorted. */
  readonly symbols: readonly string[]

  /** The last closed bar; with a lag, the last one that had closed so long ago, or the one so many rows before. */
  bar(symbol: string, lag?: Lookback): Bar | undefined
  /** Its close; NaN where there is none. */
  close(symbol: string, lag?: Lookback): number
  /** The closes of the time up to now, or the last so many, oldest first; fewer where bars are missing. */
  closes(symbol: string, span: Lookback): number[]
  /** Those of several symbols, an array each, of the bars that all of them have: all are as long, and what stands at one
   *  place closed at one time. */
  closesTogether(symbols: readonly string[], span: Duration): number[][]
  /** Mean of the closes of the time up to now. NaN where one of its bars is missing, at the beginning or in a gap, as with
   *  the features' `meanOver`: `closes` has those that are there. */
  mean(symbol: string, span: Duration): number
  /** Their standard deviation, with one degree of freedom taken off as in `stdOver`; exactly 0 where all are the same. */
  deviation(symbol: string, span: Duration): number
  /** A declared feature column; NaN where it is missing or too old. */
  column(symbol: string, name: string, lag?: Lookback): number
  position(symbol: string): Position

  /** Weights are shares of equity, negative is short. Symbols left out go to zero, and what `setWeight` said before at this
   *  instant is forgotten. Weights become orders after all that was asked for by `order` and `cancel`. */
  setWeights(weights: Readonly<Record<string, number>>): void
  /** One symbol's weight; the others keep what they hold. */
  setWeight(symbol: string, weight: number): void
  /** Returns the order's id. */
  order(request: OrderRequest): number
  /** At once: a cancellation has no latency. */
  cancel(orderId: number): void
  cancelAll(symbol?: string): void

  /** Uniform in [0, 1), from the run's seed. */
  random(): number
  log(message: string): void
}

export interface FundingEvent {
  readonly tsMs: number
  readonly symbol: string
  readonly rate: number
  /** What the account got (positive) or paid. */
  readonly receivedUsdt: number
}

export interface UniverseEvent {
  readonly tsMs: number
  readonly symbols: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** A strategy: parameters, when it decides, and what it does then. */
export interface Strategy<Params = unknown, State = unknown> {
  readonly name: string
  readonly params: z.ZodType<Params>
  /** '4h' decides at 00:00, 04:00 … UTC, once the bars ending there have closed; where none ends there, it does not. */
  readonly decisionEvery: Duration
  /** Feature columns it reads; a run depends on these and no others. */
  readonly columns?: readonly string[]
  initialState?(params: Params): State
  onBar?(ctx: StrategyContext<Params, State>): void
  onFunding?(ctx: StrategyContext<Params, State>, event: FundingEvent): void
  onUniverse?(ctx: StrategyContext<Params, State>, event: UniverseEvent): void
}

/** Gives a strategy its types. One without a hook could never do anything, and is mostly one with a slip in its name. */
// @__NO_SIDE_EFFECTS__
export function defineStrategy<Params, State = undefined>(strategy: Strategy<Params, State>): Strategy<Params, State> {
  if (hooks.some((hook) => strategy[hook] !== undefined)) return strategy
  const meant = Object.keys(strategy).find((name) => hooks.some((hook) => hook.toLowerCase() === name.toLowerCase()))
  throw new Fault({
    code: 'usage',
    what: `the strategy "${strategy.name}" has no onBar, onFunding or onUniverse, and so would never do anything`,
    todo: meant === undefined ? 'give it one of them' : `it has "${meant}": mind its letters`,
  })
}

const hooks = ['onBar', 'onFunding', 'onUniverse'] as const
