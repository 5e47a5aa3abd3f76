import type { BacktestConfig } from '../../../../lib/backtest/config.ts'
import type { MarketInput } from '../../../../lib/backtest/market.ts'
import type { OrderKind, Outcome, Reason } from '../../../../lib/backtest/orders.ts'
import type { Holding } from './account.ts'

/** What a strategy asked for at one instant. `cancel` names an order by its place among all that `order` asked for. */
export type Action =
  | {
      readonly order: {
        symbol: string
        qty: number
        kind?: 'market' | 'limit' | 'stop'
        price?: number
        reduceOnly?: boolean
      }
    }
  | { readonly cancel: number }
  | { readonly cancelAll: string | undefined }
  | { readonly weights: Readonly<Record<string, number>>; readonly othersToZero: boolean }

export interface Request {
  readonly market: MarketInput
  readonly config: BacktestConfig
  readonly fromMs: number
  readonly toMs: number
  readonly decisionEveryMs: number
  /** What is asked for at the end of bars, by instant; and at settlements, which may lie between bars. */
  readonly script: ReadonlyMap<number, readonly Action[]>
  readonly onFunding: ReadonlyMap<number, readonly Action[]>
}

export interface Order {
  id: number
  h: Holding
  kind: OrderKind
  wanted: bigint
  left: bigint
  limit: bigint | undefined
  stop: bigint | undefined
  reduceOnly: boolean
  decisionTsMs: number
  activeTsMs: number
  fromTarget: boolean
  rested: boolean
  triggered: boolean
  flags: number
}

/** A row of the fills table, in exact numbers. */
export interface Row {
  id: number
  symbol: string
  kind: OrderKind
  outcome: Outcome
  reason: Reason
  flags: number
  isMaker: boolean
  decisionTsMs: number
  activeTsMs: number
  tsMs: number
  barOpenTsMs: number
  wanted: bigint
  qty: bigint
  position: bigint
  limit: bigint | undefined
  stop: bigint | undefined
  reference: bigint | undefined
  fill: bigint | undefined
  fee: bigint
  slippage: bigint
}

export interface CurveRow {
  tsMs: number
  equity: bigint
  cash: bigint
  gross: bigint
  net: bigint
  pricePnl: bigint
  slippage: bigint
  fees: bigint
  funding: bigint
  liquidationFees: bigint
}

/** An order that a bar reached, and at which price. */
export type Touch = { order: Order; reference: bigint; isMaker: boolean; flags: number }
