import type { TsMs } from '../time.ts'
import type { Effects } from './effects.ts'

/** Everything a simulated market depends on. Two equal configs are two equal markets, byte for byte; moving only
 *  `nowTsMs` shows more or less of the same market. */
export type MarketConfig = {
  readonly seed: number | string
  /** The market's present: its server time, and the end of everything it knows. */
  readonly nowTsMs: TsMs
  /** First day of history, a UTC midnight. */
  readonly startTsMs: TsMs
  readonly effects: Effects
  readonly assets: readonly AssetSpec[]
  readonly instruments: readonly InstrumentSpec[]
  readonly halts: readonly HaltSpec[]
}

/** What is traded, behind every contract and coin pair on it: one index price and one premium. */
export type AssetSpec = {
  readonly name: string
  /** Index price in USD on the first day, per unit of the contract (for 1000PEPE: per thousand). */
  readonly startPriceUsd: number
  /** Loading on the market's return. */
  readonly beta: number
  /** Standard deviation of the asset's own daily return. */
  readonly ownVolDaily: number
  /** Level the premium of the contract over the index returns to, in basis points. */
  readonly premiumMeanBps: number
  /** Typical turnover of the perpetual a day. */
  readonly volumeUsdDaily: number
}

export type MarketKind = 'usdm' | 'spot'

export type InstrumentSpec = {
  readonly symbol: string
  readonly market: MarketKind
  /** Name of the asset it follows. */
  readonly asset: string
  readonly baseAsset: string
  readonly quoteAsset: string
  /** Index units in one unit of this instrument's price: 1/1000 for the PEPE coin beside the 1000PEPE contract. */
  readonly priceFactor: number
  /** '' is what the venue says of a contract that is announced and not open yet. */
  readonly contractType: 'PERPETUAL' | 'CURRENT_QUARTER' | 'TRADIFI_PERPETUAL' | 'SPOT' | ''
  readonly underlyingType: 'COIN' | 'COMMODITY'
  /** As the venue writes it: '0.10' has two decimals and a tick of ten of them, so precision is not the tick. */
  readonly tickSize: string
  readonly stepSize: string
  readonly minNotional: string
  /** First minute that trades. */
  readonly onboardTsMs: TsMs
  /** First minute that does not trade any more. */
  readonly delistTsMs?: TsMs
  /** Settlement day of a dated contract. */
  readonly deliveryTsMs?: TsMs
  /** Until then rows repeat the last price with count 0; after it there are none. */
  readonly frozenUntilTsMs?: TsMs
  /** Settlement spacing, each valid for settlements after `fromTsMs`. Empty where there is no funding. */
  readonly funding: readonly { readonly fromTsMs: TsMs; readonly hours: 1 | 2 | 4 | 8 }[]
  /** Turnover relative to the asset's. */
  readonly volumeShare: number
  readonly averageTradeUsd: number
}

/** Minutes in which nothing traded. `flat`: rows with count 0, as in an outage. `missing`: no rows at all. */
export type HaltSpec = {
  readonly market: MarketKind
  readonly symbols: readonly string[] | 'all'
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
  readonly rows: 'flat' | 'missing'
}
